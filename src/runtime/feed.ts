import type { Reader, WriteBatch } from '../../state/database.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { LetterSample } from './letter-sample.ts';

/** Where a record came from, as the dead and late letters name it. */
export interface RecordOrigin {
  readonly file: string;
  /** Line in the file, from 1, the header included. */
  readonly line: number;
  /** Byte offset of the row in the file's content: decompressed, and as UTF-8 where it is in another encoding. */
  readonly offset: number;
  /** Where a row may be several records: which one of them this is, from 0. Absent: the record is the row, or the whole row is meant. */
  readonly record?: number;
  /** The row's bytes without its line end. */
  readonly raw: Uint8Array;
}

/**
 * Records of one topic in offset order, columnar: record `i` is `keys[i]`, `values[i]`.
 *
 * The runtime calls `accept(n)` when the records before `n` are processed; only then do bad rows that stand before record `n` reach the dead
 * letters. `drop` is called for the record in process, before it is accepted.
 */
export interface FeedBatch {
  readonly length: number;
  readonly keys: readonly unknown[];
  readonly values: readonly unknown[];
  /** Records `[0, n)` are processed. `n` never goes back. `accept(length)` also takes what stands after the last record. */
  accept(n: number): void;
  /** Record `i` is dropped: it goes to the late letters for `late`, else to the dead ones; once, whatever is said of it. */
  drop(i: number, drop: Drop): void;
  /** Where record `i` came from. */
  origin(i: number): RecordOrigin;
}

/** What a feed has done so far, since its state began (not since this process began). Plain fields: read at scrape. */
export interface FeedProgress {
  readonly topic: string;
  filesDone: number;
  filesTotal: number;
  /** Rows read, bad ones included. */
  rows: number;
  bytes: number;
  /** Bytes that this process has read: unlike `bytes` it never falls, and has nothing in it of files that are only known. */
  bytesRead: number;
  /** Bytes known to be there to read, for an estimate of the time left. */
  bytesTotal: number;
  dead: number;
  late: number;
  /** Rows outside `--from` and `--to`. */
  skipped: number;
  deadByReason: Record<string, number>;
  /** Files that cannot be read as they are, such as those whose header does not serve, and why: nothing of them counts. Absent: none. */
  refused?: Readonly<Record<string, string>>;
  /** Files that this run has read from beginning to end without finding a row that serves, and how many of their rows are in the dead letters. Absent: none. */
  lost?: Readonly<Record<string, number>>;
}

/** Of a feed that has done nothing yet. */
export function newProgress(topic: string): FeedProgress {
  const counts = { filesDone: 0, filesTotal: 0, rows: 0, bytes: 0, bytesRead: 0, bytesTotal: 0 };
  return { topic, ...counts, dead: 0, late: 0, skipped: 0, deadByReason: {} };
}

/**
 * What was done of each topic. Several feeds of one topic read the same files, each for its partition: a file is done when all of them are.
 */
export function progressByTopic(feeds: readonly FeedProgress[]): readonly FeedProgress[] {
  const topics = new Map<string, FeedProgress>();
  for (const feed of feeds) {
    const sum = topics.get(feed.topic);
    topics.set(feed.topic, sum === undefined ? { ...feed, deadByReason: { ...feed.deadByReason } } : added(sum, feed));
  }
  return [...topics.values()];
}

/** What was done between two looks at a feed. */
export function progressSince(before: FeedProgress, now: FeedProgress): FeedProgress {
  const since = { ...now, bytes: now.bytesRead - before.bytesRead, deadByReason: { ...now.deadByReason } };
  for (const name of ['rows', 'dead', 'late', 'skipped'] as const) since[name] -= before[name];
  for (const [reason, count] of Object.entries(before.deadByReason))
    since.deadByReason[reason] = (since.deadByReason[reason] ?? 0) - count;
  return since;
}

/** How many files of a topic cannot be read as they are. */
export function refusedFiles({ refused }: FeedProgress): number {
  return refused === undefined ? 0 : Object.keys(refused).length;
}

function added(sum: FeedProgress, feed: FeedProgress): FeedProgress {
  for (const name of ['rows', 'bytes', 'bytesRead', 'bytesTotal', 'dead', 'late', 'skipped'] as const)
    sum[name] += feed[name];
  sum.filesDone = Math.min(sum.filesDone, feed.filesDone);
  sum.filesTotal = Math.max(sum.filesTotal, feed.filesTotal);
  if (feed.refused !== undefined) sum.refused = { ...sum.refused, ...feed.refused };
  // A row without a key is judged by the feed of partition 0, a good one by that of its own: a file is lost if no feed found one.
  const lost = Object.entries(sum.lost ?? {}).flatMap(([file, rows]): [string, number][] => {
    const others = feed.lost?.[file];
    return others === undefined ? [] : [[file, rows + others]];
  });
  if (lost.length > 0) sum.lost = Object.fromEntries(lost);
  else delete sum.lost;
  for (const [reason, count] of Object.entries(feed.deadByReason))
    sum.deadByReason[reason] = (sum.deadByReason[reason] ?? 0) + count;
  return sum;
}

/**
 * A topic fed from outside a broker. Its position and letters are committed with the state: `save` puts them into the commit's batch.
 *
 * A feed is driven by one engine: `open`, then `poll` until it ends, `save` at each commit, `close`.
 */
export interface Feed {
  readonly topic: string;
  /** Set where the feed gives the records of one partition only; undefined: of all. */
  readonly partition?: number;
  /** The record's own timestamp, ms: what a broker would keep beside it. */
  timestampOf(value: unknown): number;
  readonly progress: FeedProgress;
  /** Some of the letters that it has written lately. @defaultValue none */
  letters?(): readonly LetterSample[];
  /** The file in which its letters of a kind are. @defaultValue unknown */
  letterFile?(kind: LetterSample['kind']): string | undefined;
  /** Reads the saved position (rows under the feed's own key prefix) and cuts the letters to their saved lengths. @param stateDir - The state folder: what a feed keeps of its own may lie there. */
  open(saved: Reader, stateDir?: string): Promise<void>;
  /** The next records; `'idle'` when nothing is there now but more may come; undefined at the end. The earlier batch must be wholly accepted. */
  poll(): Promise<FeedBatch | 'idle' | undefined>;
  /** Resolves when `poll` may give records again, or after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void>;
  /** Makes letters durable and adds the position as of the accepted records to the batch. */
  save(batch: WriteBatch): Promise<void>;
  /** Gives back what the feed holds open. */
  close(): Promise<void>;
  /**
   * A feed of the same records once more, from the first one to where a state has read them; it writes no letters. Absent: they cannot be read again, so no store can be made anew of them.
   *
   * @param saved - The state, which {@link Feed.open} reads too.
   * @throws StreamsError `STREAMS_INPUT_REFUSED` - something that was read is not there any more; `STREAMS_FILE_REWRITTEN`, from its `poll` too - something else stands there.
   */
  again?(saved: Reader): Promise<Feed>;
}
