import { openMemoryDatabase } from '../../state/memory-database.ts';
import type { Logger } from '../common/logger.ts';
import { silentLogger } from '../common/logger.ts';
import type { Drop } from '../processor/drop-reason.ts';
import { type Feed, progressByTopic, type RecordOrigin } from '../runtime/feed.ts';
import { CheckedDays, type DayGap } from './checked-days.ts';
import { CheckedFeed } from './checked-feed.ts';
import type { TimeRange, WantedPartition } from './file-batch.ts';
import { dialectText } from './file-dialect.ts';
import { type CheckedFile, FileTally } from './file-tally.ts';
import { listFolder } from './folder.ts';
import { FolderFeed } from './folder-feed.ts';
import type { LetterSink } from './letters.ts';
import type { RowFormat } from './row-format.ts';

export type { DayGap } from './checked-days.ts';
export type { BadRows, CheckedFile } from './file-tally.ts';

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
  /** Civil days that good records are of. */
  readonly days: number;
  /** Days between the first and the last of them that no record is of. */
  readonly gaps: readonly DayGap[];
  /**
   * How far the event time of a record lies behind that of one read before it at most, ms: windows with a grace of that much drop none. Files that are read one after the other and are of one time go back by all of it. Of a sample: of
   * what was read of it.
   */
  readonly backMs: number;
  /** The file in which it goes back so far. Absent: it never does. */
  readonly backIn?: string;
}

/** How a folder is checked. */
export interface CheckOptions<K, V> extends Partial<TimeRange> {
  readonly topic: string;
  readonly directory: string;
  readonly format: RowFormat<K, V>;
  /** Read the first MiB of each file alone. @defaultValue false */
  readonly sample?: boolean;
  /** Zone of the days that are counted. @defaultValue 'UTC' */
  readonly zone?: string;
  /** The event time that the engine would see, or why it would drop the record. @defaultValue the record's own */
  readonly timeOf?: (key: unknown, value: unknown, timestamp: number) => number | Drop;
  readonly signal?: AbortSignal;
}

/**
 * Reads a folder as a replay into a new state would, and says what it found: nothing is kept.
 *
 * Whether a record would be late is not told: that depends on the windows of a topology, which `weir check` has. `backMs` is the grace with which none is.
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
  const check = await FolderCheck.of(options);
  const feed = check.feed();
  await feed.open(await openMemoryDatabase());
  try {
    for (;;) {
      const batch = await feed.poll();
      if (batch === undefined || batch === 'idle' || options.signal?.aborted === true) break;
      for (let i = 0; options.timeOf !== undefined && i < batch.length; i++) {
        const value = batch.values[i];
        const time = options.timeOf(batch.keys[i], value, feed.timestampOf(value));
        if (typeof time !== 'number') batch.drop(i, time);
      }
      batch.accept(batch.length);
    }
  } finally {
    await feed.close();
  }
  return check.result();
}

/** A look at a folder: feeds of its records, of which nothing is kept, and what they have found. */
export class FolderCheck<K, V> {
  readonly #options: CheckOptions<K, V>;
  readonly #found: Map<string, FileTally>;
  readonly #leftOut: { file: string; why: string }[] = [];
  readonly #days: CheckedDays;
  readonly #feeds: Feed[] = [];
  #backMs = 0;
  #backIn: string | undefined;

  private constructor(options: CheckOptions<K, V>, found: Map<string, FileTally>) {
    this.#options = options;
    this.#found = found;
    this.#days = new CheckedDays(options.zone ?? 'UTC');
  }

  /** A look at a folder as it is now. */
  static async of<K, V>(options: CheckOptions<K, V>): Promise<FolderCheck<K, V>> {
    const found = new Map<string, FileTally>();
    for (const file of await listFolder(options.topic, options.directory, options.format))
      found.set(file.name, new FileTally(file));
    return new FolderCheck(options, found);
  }

  /** A feed of all records, or of one partition's: then there is one for each. */
  feed(partition?: WantedPartition<K>): Feed {
    const { topic, directory, format, sample = false, fromMs, toMs, timeOf } = this.#options;
    const found = this.#found;
    // Feeds of other partitions see the same files.
    const first = (partition?.number ?? 0) === 0;
    const feed = new FolderFeed({
      ...{ topic, directory, format },
      dead: tallySink((origin, reason, message) => found.get(origin.file)?.bad(origin.line, reason, message)),
      late: tallySink((origin) => found.get(origin.file)?.late(origin.line)),
      ...(fromMs !== undefined && { fromMs }),
      ...(toMs !== undefined && { toMs }),
      ...(partition && { partition }),
      logger: first ? this.#remarks() : silentLogger,
      inspection: {
        sample,
        leftOut: (file, why) => {
          if (first) this.#leaveOut(file, why);
        },
        sampled: (file) => found.get(file)?.leave(),
      },
    });
    let latestMs = -Infinity;
    const checked = new CheckedFeed(feed, timeOf, (file, timeMs) => {
      found.get(file)?.good(timeMs);
      if (timeMs > latestMs) latestMs = timeMs;
      else if (latestMs - timeMs > this.#backMs) {
        this.#backMs = latestMs - timeMs;
        this.#backIn = file;
      }
      this.#days.add(timeMs);
    });
    this.#feeds.push(checked);
    return checked;
  }

  /** What the feeds have found. */
  result(): CheckedFolder {
    const { topic, directory, format } = this.#options;
    const [{ refused = {}, skipped } = { skipped: 0 }] = progressByTopic(this.#feeds.map(({ progress }) => progress));
    const form = format.dialect?.form ?? 'csv';
    const files = [...this.#found].map(([name, tally]) => tally.result(form, refused[name]));
    const { days, gaps } = this.#days;
    return {
      topic,
      directory,
      dialect: dialectText(format.dialect),
      files,
      leftOut: this.#leftOut,
      skipped,
      days,
      gaps,
      backMs: this.#backMs,
      ...(this.#backIn !== undefined && { backIn: this.#found.get(this.#backIn)?.path ?? this.#backIn }),
    };
  }

  #leaveOut(file: string, why: string): void {
    this.#found.delete(file);
    this.#leftOut.push({ file, why });
  }

  /** Takes what a feed warns of; what it refuses is in its progress. */
  #remarks(): Logger {
    const warn = (fields: object, message: string): void => {
      const { file, known } = fields as { readonly file?: string; readonly known?: string };
      const tally = file === undefined ? undefined : this.#found.get(file);
      if (tally === undefined) return;
      tally.remarks.push(message.startsWith(`${file} `) ? message.slice(file!.length + 1) : message);
      if (known !== undefined) tally.sameAs = this.#found.get(known)?.path ?? known;
    };
    return { ...silentLogger, warn };
  }
}

/** Letters that are counted, and written nowhere. */
function tallySink(append: (origin: RecordOrigin, reason: string, message: string) => void): LetterSink {
  const nothing = async (): Promise<void> => {};
  return { length: 0, cutTo: nothing, start: nothing, sync: nothing, append };
}
