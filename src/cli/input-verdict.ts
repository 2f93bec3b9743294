import { StreamsError } from '../common/errors.ts';
import { refusedError } from '../files/refused-files.ts';
import { type FeedProgress, progressByTopic, refusedFiles } from '../runtime/feed.ts';

/** What became of the rows that a run has read. */
export interface ReadRows {
  readonly rows: number;
  readonly dead: number;
  readonly skipped: number;
}

/**
 * Says whether what a run was given was input at all, when all that can be done with it is done and committed.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` - there are files that cannot be read. `STREAMS_BAD_ROW` - every row that was read is in the dead letters.
 */
export function checkInput(feeds: readonly FeedProgress[], { rows, dead, skipped }: ReadRows): void {
  for (const topic of progressByTopic(feeds)) if (refusedFiles(topic) > 0) throw refusedError(topic);
  if (dead === 0 || dead < rows - skipped) return;
  const all = dead === 1 ? 'the only row' : `all ${dead} rows`;
  throw new StreamsError(
    'STREAMS_BAD_ROW',
    `${all} that this run read ${dead === 1 ? 'is' : 'are'} in the dead letters: nothing was counted. The letters say what is wrong with each.`,
  );
}
