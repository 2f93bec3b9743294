import { openMemoryDatabase } from '../../state/memory-database.ts';
import type { Logger } from '../common/logger.ts';
import { silentLogger } from '../common/logger.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { FeedBatch, RecordOrigin } from '../runtime/feed.ts';
import type { TimeRange } from './file-batch.ts';
import { dialectText } from './file-dialect.ts';
import { type FolderFile, listFolder, statFile } from './folder.ts';
import { FolderFeed } from './folder-feed.ts';
import type { LetterSink } from './letters.ts';
import type { RowFormat } from './row-format.ts';

/** Bad rows of a file for one reason. */
export interface BadRows {
  readonly reason: string;
  readonly rows: number;
  /** Of the first of them. */
  readonly lines: readonly number[];
  /** What is said of the first. */
  readonly message: string;
}

/** What would be read of a file. */
export interface CheckedFile {
  /** Its path in the folder. */
  readonly file: string;
  /** What is in it, and how it is packed: `csv`, `ndjson.gz`. */
  readonly kind: string;
  readonly bytes: number;
  /** False: a sample of it was read, what stands in its first MiB. */
  readonly whole: boolean;
  /** Records that its rows are, bad ones included, without those that are skipped. */
  readonly rows: number;
  readonly dead: number;
  /** Event times of its good records, ms since the epoch. Absent: there are none. */
  readonly firstMs?: number;
  readonly lastMs?: number;
  readonly bad: readonly BadRows[];
  /** Why it, or what it goes on with, cannot be read. */
  readonly refused?: string;
  /** What a replay would say of it. */
  readonly remarks: readonly string[];
}

/** What would be read of a folder. */
export interface CheckedFolder {
  readonly topic: string;
  readonly directory: string;
  /** How its files are written: `separated by ";", latin1`. */
  readonly dialect: string;
  readonly files: readonly CheckedFile[];
  /** What has a name as files have, and is not read. */
  readonly leftOut: readonly { readonly file: string; readonly why: string }[];
  /** Rows outside the times that are wanted. */
  readonly skipped: number;
}

/** How a folder is checked. */
export interface CheckOptions<K, V> extends Partial<TimeRange> {
  readonly topic: string;
  readonly directory: string;
  readonly format: RowFormat<K, V>;
  /** Read the first MiB of each file alone. @defaultValue false */
  readonly sample?: boolean;
  /** The event time that the engine would see, or why it would drop the record. @defaultValue the record's own */
  readonly timeOf?: (key: unknown, value: unknown, timestamp: number) => number | Drop;
  readonly signal?: AbortSignal;
}

const mostLines = 5;

/**
 * Reads a folder as a replay into a new state would, and says what it found: nothing is kept.
 *
 * Whether a record would be late is not told: that depends on windows, and on what other topics have.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` - there is no such folder. `STREAMS_INPUT_REFUSED` - a file is there twice, packed and not.
 * @example
 * ```ts
 * import { checkFolder, csvFormat } from 'weir-streams';
 *
 * const format = csvFormat({
 *   columns: { meter: 'meter', atMs: { column: 'at', time: 'iso' } },
 *   key: (row) => row.meter,
 *   value: ({ atMs }) => ({ atMs }),
 *   timestamp: ({ atMs }) => atMs,
 * });
 * const { files } = await checkFolder({ topic: 'readings', directory: 'readings', format });
 * for (const { file, rows, dead, refused } of files) console.log(file, refused ?? `${rows} rows, ${dead} of them bad`);
 * ```
 */
export async function checkFolder<K, V>(options: CheckOptions<K, V>): Promise<CheckedFolder> {
  const { topic, directory, format, sample = false, fromMs, toMs, signal } = options;
  const found = new Map<string, FileTally>();
  for (const file of await listFolder(topic, directory, format)) found.set(file.name, new FileTally(file));
  const leftOut: { file: string; why: string }[] = [];
  const dead = tallySink((origin, reason, message) => found.get(origin.file)?.bad(origin.line, reason, message));
  const feed = new FolderFeed({
    ...{ topic, directory, format, dead, late: tallySink(() => {}) },
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
    logger: remarksTo((file, remark) => found.get(file)?.remarks.push(remark)),
    inspection: {
      sample,
      leftOut: (file, why) => {
        found.delete(file);
        leftOut.push({ file, why });
      },
      sampled: (file) => found.get(file)?.leave(),
    },
  });
  await feed.open(await openMemoryDatabase());
  try {
    for (;;) {
      const batch = await feed.poll();
      if (batch === undefined || batch === 'idle' || signal?.aborted === true) break;
      take(batch, feed, options.timeOf, found);
    }
  } finally {
    await feed.close();
  }
  const { refused = {}, skipped } = feed.progress;
  const form = format.dialect?.form ?? 'csv';
  const files = [...found].map(([name, tally]) => tally.result(form, refused[name]));
  return { topic, directory, dialect: dialectText(format.dialect), files, leftOut, skipped };
}

/** Counts the records of a batch, which is of one file. */
function take<K, V>(
  batch: FeedBatch,
  feed: FolderFeed<K, V>,
  timeOf: CheckOptions<K, V>['timeOf'],
  found: ReadonlyMap<string, FileTally>,
): void {
  const tally = batch.length === 0 ? undefined : found.get(batch.origin(0).file);
  for (let i = 0; i < batch.length; i++) {
    const value = batch.values[i];
    const timestamp = feed.timestampOf(value);
    const time = timeOf === undefined ? timestamp : timeOf(batch.keys[i], value, timestamp);
    if (typeof time === 'number') tally?.good(time);
    else batch.drop(i, time);
  }
  batch.accept(batch.length);
}

/** What was found of one file. */
class FileTally {
  readonly remarks: string[] = [];
  readonly #file: FolderFile;
  #whole = true;
  #good = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  readonly #bad: Map<string, { rows: number; readonly lines: number[]; readonly message: string }> = new Map();

  constructor(file: FolderFile) {
    this.#file = file;
  }

  leave(): void {
    this.#whole = false;
  }

  good(timestamp: number): void {
    this.#good++;
    if (timestamp < this.#firstMs) this.#firstMs = timestamp;
    if (timestamp > this.#lastMs) this.#lastMs = timestamp;
  }

  bad(line: number, reason: string, message: string): void {
    const known = this.#bad.get(reason);
    if (known === undefined) this.#bad.set(reason, { rows: 1, lines: [line], message });
    else {
      known.rows++;
      if (known.lines.length < mostLines) known.lines.push(line);
    }
  }

  result(form: string, refused: string | undefined): CheckedFile {
    const { name, path, gzip } = this.#file;
    const end = gzip === false ? '' : gzip === 'zstd' ? '.zst' : '.gz';
    const bytes = statFile(path)?.size ?? 0;
    const bad = Array.from(this.#bad, ([reason, { rows, lines, message }]) => ({ reason, rows, lines, message }));
    const dead = bad.reduce((sum, { rows }) => sum + rows, 0);
    return {
      ...{ file: name + path.slice(path.length - end.length), kind: form + end.toLowerCase(), bytes },
      ...{ whole: this.#whole && refused === undefined, rows: this.#good + dead, dead },
      ...(this.#good > 0 && { firstMs: this.#firstMs, lastMs: this.#lastMs }),
      bad: bad.sort((a, b) => b.rows - a.rows),
      ...(refused !== undefined && { refused }),
      remarks: this.remarks,
    };
  }
}

/** Letters that are counted, and written nowhere. */
function tallySink(append: (origin: RecordOrigin, reason: string, message: string) => void): LetterSink {
  const nothing = async (): Promise<void> => {};
  return { length: 0, cutTo: nothing, start: nothing, sync: nothing, append };
}

/** Takes what a feed warns of; what it refuses is in its progress. */
function remarksTo(told: (file: string, remark: string) => void): Logger {
  const warn = (fields: object, message: string): void => {
    if (!('file' in fields)) return;
    const file = String(fields.file);
    told(file, message.startsWith(`${file} `) ? message.slice(file.length + 1) : message);
  };
  return { ...silentLogger, warn };
}
