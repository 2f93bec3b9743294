import { setTimeout as delay } from 'node:timers/promises';
import type { CommittedOffset, Fetcher, TopicPartition } from '../clients/broker.ts';
import type { FetchedRecords } from '../clients/fetched-records.ts';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { maxTimerMs } from '../config/setting-types.ts';
import { type CommitNote, decodeNote, encodeNote } from './commit-note.ts';
import { type FilesSetup, PartitionFiles } from './partition-files.ts';

/** When the files of a partition are closed and made visible. */
export interface RollPolicy {
  /** Once a file has so many bytes. */
  readonly bytes: number;
  /** Once the first record in them is so old, ms by the wall clock. */
  readonly afterMs: number;
}

/** What a {@link PartitionSink} needs of the sink around it. */
export interface PartitionSinkHost {
  readonly setup: FilesSetup;
  readonly roll: RollPolicy;
  readonly fetcher: Fetcher;
  readonly logger: Logger;
  /** Commits a position in the name of the group's present generation. @throws StreamsError `STREAMS_TASK_MIGRATED` if it has ended. */
  commit(partition: number, position: CommittedOffset): Promise<void>;
  /** A range of records has become visible. */
  published(range: PublishedRange): void;
}

/** What became visible with a range: rows and records that are none, the files of both, and their bytes. */
export interface PublishedRange {
  readonly rows: number;
  readonly dead: number;
  readonly files: number;
  readonly bytes: number;
}

/** Bytes that wait to be written before the partition's fetching pauses. */
const mostQueuedBytes = 16 << 20;
const noLimit = Number.MAX_SAFE_INTEGER;

/**
 * Writes one partition of a topic, exactly once.
 *
 * A range of records `[first, last]` becomes visible in three steps: its files are sealed; the position `first` is committed once more, with a note that names the range; the
 * files are made visible, and the position after `last` is committed. Only the group's present owner can commit, so a range that was begun by an owner that lost the
 * partition ends in one of two ways: its note was committed, then the next owner makes the same files visible; or it was not, then their sealed files are removed. A
 * crash between any two of these steps is the same as that.
 */
export class PartitionSink {
  readonly #host: PartitionSinkHost;
  readonly #id: TopicPartition;
  #files: PartitionFiles | undefined;
  #position = 0;
  /** A range whose note is committed but whose sealed files are gone: it is written again, up to the same end. */
  #again: CommitNote | undefined;
  readonly #queue: FetchedRecords[] = [];
  #queuedBytes = 0;
  #paused = false;
  #wake: (() => void) | undefined;
  #closing = false;
  #flushAt: number | undefined;
  #running: Promise<void> | undefined;

  constructor(host: PartitionSinkHost, id: TopicPartition) {
    this.#host = host;
    this.#id = id;
  }

  /** Whether the partition was given up: what goes wrong with it then is nobody's affair. */
  isDropped = false;
  /** Position up to which records are visible, or were when it was last committed. */
  committed = 0;
  /** Position of the next record to write. */
  get position(): number {
    return this.#position;
  }
  /** Stable end as of the last fetch; undefined before the first. */
  end: number | undefined;
  /** When files last became visible, by the wall clock, ms. */
  publishedMs: number | undefined;

  /** Finishes what an earlier owner began, and reads on from there. */
  async takeOver(committed: CommittedOffset): Promise<void> {
    const { setup, fetcher } = this.#host;
    const { topic, partition } = this.#id;
    const note = decodeNote(committed.metadata);
    this.committed = committed.offset;
    if (note !== undefined) await this.#finish(note);
    await setup.target.abandon(`${topic}-${partition}`);
    if (this.#again === undefined) await this.#removeSealed();
    this.#begin(this.committed);
    fetcher.add({ topic, partition, offset: this.#position });
  }

  /** Writes what is received until `close` or `drop`. Rejects with what goes wrong. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Takes records of this partition, in order. */
  receive(records: FetchedRecords): void {
    if (this.#closing) return;
    this.end = records.stableEnd;
    this.#queue.push(records);
    this.#queuedBytes += records.bytes.length;
    if (!this.#paused && this.#queuedBytes > mostQueuedBytes) {
      this.#paused = true;
      this.#host.fetcher.pause(this.#id);
    }
    this.#wake?.();
  }

  /** Makes visible what there is once the position `end` is reached, without waiting for a roll. */
  flushAt(end: number): void {
    this.#flushAt = end;
    this.#wake?.();
  }

  /** Makes visible what was written, and ends. @throws StreamsError `STREAMS_TASK_MIGRATED` where the partition is another's by then. */
  close(): Promise<void> {
    this.#stop();
    this.#running = (this.#running ?? Promise.resolve()).then(() => this.#rollAll());
    return this.#running;
  }

  /** Gives up what is not visible: the partition is another's, or this process cannot go on. Commits nothing from the call on. */
  async drop(): Promise<void> {
    this.isDropped = true;
    this.#stop();
    await this.#running?.catch(() => {});
    await this.#files?.abort().catch(() => {});
    this.#files = undefined;
  }

  #stop(): void {
    this.#closing = true;
    this.#host.fetcher.remove(this.#id);
    this.#wake?.();
  }

  #begin(position: number): void {
    const { topic, partition } = this.#id;
    this.#position = position;
    this.#files = new PartitionFiles(this.#host.setup, topic, partition, position);
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      const records = this.#queue[0];
      if (records === undefined) {
        if (this.#due()) await this.#rollAll();
        else await this.#sleep();
        continue;
      }
      await this.#write(records);
      this.#queue.shift();
      this.#queuedBytes -= records.bytes.length;
      if (this.#paused && this.#queuedBytes <= mostQueuedBytes / 2) {
        this.#paused = false;
        this.#host.fetcher.resume(this.#id);
      }
    }
  }

  async #write(records: FetchedRecords): Promise<void> {
    for (let i = 0; ; ) {
      const files = this.#files!;
      const [last, bytes] = this.#again === undefined ? [noLimit, this.#host.roll.bytes] : [this.#again.last, noLimit];
      i = await files.write(records, i, last, bytes);
      const ended = i === records.length;
      // The last records of a range may have been compacted away since it was begun.
      if ((ended ? records.nextOffset : records.offsets[i]!) > last) files.next = last + 1;
      this.#position = files.next;
      if (this.#closing) return;
      if (ended) this.#position = Math.max(this.#position, records.nextOffset);
      if (!ended || this.#due()) await this.#rollAll();
      if (ended) return;
    }
  }

  #due(): boolean {
    const { roll } = this.#host;
    const { largest, beganMs } = this.#files!;
    if (this.#again !== undefined) return this.#position > this.#again.last;
    if (this.#flushAt !== undefined && this.#position >= this.#flushAt && this.#position > this.committed) return true;
    return largest >= roll.bytes || (beganMs !== undefined && Date.now() - beganMs >= roll.afterMs);
  }

  async #sleep(): Promise<void> {
    const { beganMs } = this.#files!;
    const { afterMs } = this.#host.roll;
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    // Beyond the longest a timer fires at once.
    const leftMs = (beganMs ?? 0) + afterMs - Date.now();
    const waitMs = Math.min(maxTimerMs, Math.max(1, leftMs));
    const waits = beganMs === undefined ? [] : [delay(waitMs, undefined, { signal: timer.signal }).catch(() => {})];
    await Promise.race([woken, ...waits]);
    this.#wake = undefined;
    timer.abort();
  }

  /** Makes the range so far visible, and begins the next one. */
  async #rollAll(): Promise<void> {
    const files = this.#files;
    if (files === undefined || (this.#again !== undefined && files.next <= this.#again.last)) return;
    if (files.beganMs !== undefined) {
      const note = await files.seal();
      if (this.#again === undefined) await this.#commit({ offset: files.first, metadata: encodeNote(note) });
      await this.#publish(files.first, note);
      this.publishedMs = Date.now();
      const { written: rows, dead, bytes } = files;
      this.#host.published({ rows, dead, files: note.periods.length + (note.dead ? 1 : 0), bytes });
    }
    this.#again = undefined;
    if (this.#position > this.committed) await this.#advance(this.#position);
    this.#begin(this.#position);
  }

  async #advance(position: number): Promise<void> {
    await this.#commit({ offset: position, metadata: '' });
    this.committed = position;
  }

  /** The broker takes a position of any member of the group: that the partition is another's in this generation is known here alone. */
  async #commit(position: CommittedOffset): Promise<void> {
    const { topic, partition } = this.#id;
    if (this.isDropped)
      throw new StreamsError('STREAMS_TASK_MIGRATED', `${topic}-${partition} is another instance's now.`);
    await this.#host.commit(partition, position);
  }

  async #publish(first: number, note: CommitNote): Promise<void> {
    const { setup } = this.#host;
    for (const path of this.#pathsOf(first, note)) await setup.target.commit(path);
  }

  #pathsOf(first: number, { last, periods, dead }: CommitNote): readonly string[] {
    const { names } = this.#host.setup;
    const range = { partition: this.#id.partition, first, last };
    return [...periods.map((period) => names.ofPeriod(period, range)), ...(dead ? [names.ofDead(range)] : [])];
  }

  /** Finishes a range that an earlier owner has committed a note of. */
  async #finish(note: CommitNote): Promise<void> {
    const { setup, logger } = this.#host;
    const { topic, partition } = this.#id;
    if (note.form !== setup.form)
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `records ${this.committed} to ${note.last} of ${topic}-${partition} are half published as '${note.form}'; this sink writes '${setup.form}'. Start it once as before, then with the new options.`,
        { topic, partition, offset: this.committed },
      );
    const missing = await this.#missing(this.#pathsOf(this.committed, note));
    if (missing.length === 0) {
      await this.#publish(this.committed, note);
      await this.#advance(note.last + 1);
      return;
    }
    logger.warn(
      { topic, partition, offset: this.committed, files: missing },
      'complete files that were to become visible are gone; they are written again from the topic',
    );
    this.#again = note;
  }

  /** Those of the paths that are neither sealed nor visible. */
  async #missing(paths: readonly string[]): Promise<readonly string[]> {
    const { target } = this.#host.setup;
    const sealed = new Set(await target.sealed());
    const missing: string[] = [];
    for (const path of paths) {
      if (sealed.has(path)) continue;
      const found = await target.list(path);
      if (!found.some((file) => file.path === path)) missing.push(path);
    }
    return missing;
  }

  /** Nobody has committed a note of these, so nobody will make them visible. */
  async #removeSealed(): Promise<void> {
    const { target, names } = this.#host.setup;
    for (const path of await target.sealed()) {
      if (names.rangeOf(path)?.partition === this.#id.partition) await target.abort(path);
    }
  }
}
