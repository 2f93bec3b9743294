import { StreamsError } from '../common/errors.ts';
import { formatOption } from '../common/remedies.ts';
import { type Feed, type FeedProgress, progressByTopic, refusedFiles } from './feed.ts';
import type { UncountedSource } from './uncounted.ts';

/** The error for files of a topic that could not be read. */
export function refusedError({ topic, refused = {}, filesTotal }: FeedProgress): StreamsError {
  const files = Object.entries(refused);
  const [first] = files;
  const shown = files.slice(0, 10).map(([file, problem]) => `${file}: ${problem}`);
  const more = files.length > shown.length ? `; and ${files.length - shown.length} more` : '';
  const count = files.length === 1 ? 'a file' : `${files.length} of ${filesTotal} files`;
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `${count} of topic ${topic} cannot be read, and nothing of ${files.length === 1 ? 'it' : 'them'} counts. ${`${shown.join('; ')}${more}`.replace(/[^?]$/, '$&.')} ` +
      `Correct what is wrong in place, or say in a format (${formatOption}) how the files are written, and run again.`,
    { topic, ...(first !== undefined && { file: first[0] }) },
  );
}

/** @throws StreamsError `STREAMS_INPUT_REFUSED` - there are files that cannot be read. */
export function refuseFiles(feeds: readonly FeedProgress[]): void {
  for (const topic of progressByTopic(feeds)) if (refusedFiles(topic) > 0) throw refusedError(topic);
}

/** The rows that feeds have read, for who warns of those that did not count. */
export function uncountedOf(feeds: readonly Feed[]): UncountedSource {
  const sum = (of: (progress: FeedProgress) => number): number =>
    feeds.reduce((all, { progress }) => all + of(progress), 0);
  return {
    noun: 'row',
    counts() {
      const dead: Record<string, number> = {};
      for (const { progress } of feeds)
        for (const [reason, count] of Object.entries(progress.deadByReason)) dead[reason] = (dead[reason] ?? 0) + count;
      return { read: sum(({ rows, skipped }) => rows - skipped), late: sum(({ late }) => late), dead };
    },
    letters: () => feeds.flatMap((feed) => feed.letters?.() ?? []),
    placesOf: (kind) => feeds.flatMap((feed) => feed.letterFile?.(kind) ?? []),
    lateRemedy: lateRows,
  };
}

const lateRows =
  'Where files of one time are read one after the other, give the windows a longer grace (weir check and checkFolder say how far the times of the files go back), or each folder a feed and a topic of its own: topics are merged by time.';
