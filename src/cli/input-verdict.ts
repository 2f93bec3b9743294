import { StreamsError } from '../common/errors.ts';
import { type FeedProgress, progressByTopic } from '../runtime/feed.ts';
import { refuseFiles } from '../runtime/feed-verdict.ts';
import type { KafkaStats } from '../runtime/kafka/kafka-stats.ts';

/** What became of the rows that a run has read. */
export interface ReadRows {
  readonly rows: number;
  readonly dead: number;
  readonly skipped: number;
}

/**
 * Says whether what a run was given was input at all, when all that can be done with it is done and committed.
 *
 * @param letters - The file of the dead letters, for the message.
 * @throws StreamsError `STREAMS_INPUT_REFUSED` - there are files that cannot be read. `STREAMS_BAD_ROW` - every row that was read, or every row of a file, is in the dead letters.
 */
export function checkInput(feeds: readonly FeedProgress[], { rows, dead, skipped }: ReadRows, letters: string): void {
  const topics = progressByTopic(feeds);
  refuseFiles(feeds);
  refuseAllDead({ rows, dead, skipped }, 'row', letters);
  for (const topic of topics) refuseLostFiles(topic, letters);
}

function refuseLostFiles({ topic, lost = {} }: FeedProgress, letters: string): void {
  const files = Object.entries(lost).filter(([, rows]) => rows > 0);
  if (files.length === 0) return;
  const shown = files.slice(0, 10).map(([file, rows]) => `${file} (${rows} ${rows === 1 ? 'row' : 'rows'})`);
  const more = files.length > shown.length ? ` and ${files.length - shown.length} more` : '';
  throw new StreamsError(
    'STREAMS_BAD_ROW',
    `every row of ${files.length === 1 ? 'a file' : `${files.length} files`} of topic ${topic} is in the dead letters: ${shown.join(', ')}${more}. ` +
      `${letters} says what is wrong with each; what the other files hold is counted.`,
    { topic, file: files[0]![0] },
  );
}

/**
 * The same of an instance on Kafka, of the records of one topic.
 *
 * @param letterTopic - Where the dead letters are; '': nowhere.
 * @throws StreamsError `STREAMS_BAD_ROW` - every record that it has read is in the dead letters.
 */
export function checkRecords(
  { consumed, deadLetters, lateLetters }: KafkaStats,
  topic: string,
  letterTopic: string,
): void {
  const read = Object.entries(consumed).filter(
    ([partition]) => partition.slice(0, partition.lastIndexOf('-')) === topic,
  );
  const rows = read.reduce((sum, [, records]) => sum + records, 0);
  const dead = Object.values(deadLetters).reduce((sum, count) => sum + count, 0);
  refuseAllDead(
    { rows: rows - lateLetters, dead, skipped: 0 },
    'record',
    letterTopic === '' ? undefined : `The topic ${letterTopic}`,
  );
}

function refuseAllDead({ rows, dead, skipped }: ReadRows, noun: 'row' | 'record', letters: string | undefined): void {
  if (dead === 0 || dead < rows - skipped) return;
  const all = dead === 1 ? `the only ${noun}` : `all ${dead} ${noun}s`;
  const where = letters === undefined ? '' : ` ${letters} says what is wrong with ${dead === 1 ? 'it' : 'each'}.`;
  throw new StreamsError(
    'STREAMS_BAD_ROW',
    `${all} that this run read ${dead === 1 ? 'is' : 'are'} in the dead letters: nothing was counted.${where}`,
  );
}
