import { messageOf, StreamsError } from '../common/errors.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { Feed, FeedBatch } from './feed.ts';
import { askHandler, type ProcessingExceptionHandler } from './record-failure.ts';
import type { RecordQueue, RecordSource } from './record-source.ts';
import { placement } from './runtime-nodes.ts';
import type { Task, TaskSource } from './task.ts';
import type { TopologyEngine } from './topology-engine.ts';

/** How records of feeds are treated. */
export interface FeedOptions {
  readonly maxFutureMs: number;
  readonly processingHandler: ProcessingExceptionHandler;
}

type Readers = readonly { readonly task: Task; readonly source: TaskSource }[];

/** ms after which feeds that have nothing are asked again, whatever they say. */
const waitMs = 1000;

/** The records of feeds: batches that are asked for. */
export class FeedSource implements RecordSource {
  queues: readonly FeedQueue[] = [];
  ended = false;
  readonly failure = undefined;
  /** When there was nothing to read last, by the clock. */
  idleAtMs: number = Number.NEGATIVE_INFINITY;
  readonly #engine: TopologyEngine;
  readonly #options: FeedOptions;
  readonly #wake: () => void;
  #follow = false;
  #waiting = false;

  /** @param wake - called when there may be records after a time without any */
  constructor(engine: TopologyEngine, options: FeedOptions, wake: () => void) {
    this.#engine = engine;
    this.#options = options;
    this.#wake = wake;
  }

  /** Takes records from these feeds. @param follow - More may come after their end. */
  begin(feeds: readonly Feed[], follow: boolean): void {
    this.ended = false;
    this.#follow = follow;
    this.queues = feeds.map((feed) => new FeedQueue(feed, this.#engine.readersOf(feed.topic), this.#options));
    if (feeds.length > 1 && this.queues.some(({ isWhole }) => isWhole))
      throw new TypeError('several feeds over several partitions: give each feed its partition');
  }

  isReady(): boolean {
    let any = false;
    for (const queue of this.queues) {
      if (queue.at < queue.end) any = true;
      else if (queue.state === 'more') return false;
    }
    return any;
  }

  fill(): Promise<boolean> | undefined {
    return this.#waiting || this.ended ? undefined : this.#fill();
  }

  isIdle(): boolean {
    return false;
  }

  async #fill(): Promise<boolean> {
    let came = false;
    for (const queue of this.queues) came = (await queue.fill()) || came;
    if (this.queues.some(({ at, end }) => at < end)) return came;
    this.ended = !this.#follow && this.queues.every(({ state }) => state === 'end');
    if (!this.ended) this.#wait();
    return came;
  }

  /** Nobody has anything: until one says that it may have. */
  #wait(): void {
    this.#waiting = true;
    this.idleAtMs = Date.now();
    const over = (): void => {
      this.#waiting = false;
      this.#wake();
    };
    // What goes wrong is told when they are asked.
    Promise.race(this.queues.map(({ feed }) => feed.wait(waitMs))).then(over, over);
  }
}

/** A feed, and the batch of it that is in process. */
class FeedQueue implements RecordQueue {
  readonly feed: Feed;
  readonly topic: string;
  readonly partition: number;
  at = 0;
  end = 0;
  headMs: number = Number.NaN;
  /** What the feed said when it was last asked; 'more' once the batch is empty: it is to be asked. */
  state: 'more' | 'idle' | 'end' = 'more';
  readonly #readers: Readers;
  readonly #placeOf: (key: unknown) => number;
  readonly #options: FeedOptions;
  #batch: FeedBatch | undefined;

  constructor(feed: Feed, readers: Readers, options: FeedOptions) {
    const { topic, partition } = feed;
    this.feed = feed;
    this.topic = topic;
    this.partition = partition ?? 0;
    this.#readers = readers;
    this.#options = options;
    this.#placeOf =
      partition === undefined ? placement(readers[0]!.source.spec.keySerde, readers.length) : () => partition;
  }

  /** Whether it has the records of several partitions. */
  get isWhole(): boolean {
    return this.#readers.length > 1 && this.feed.partition === undefined;
  }

  /** Asks the feed for a batch if none is left; true if one came. */
  async fill(): Promise<boolean> {
    let came = false;
    while (this.at >= this.end) {
      this.#batch?.accept(this.#batch.length);
      const next = await this.feed.poll();
      this.at = 0;
      this.#batch = typeof next === 'string' ? undefined : next;
      this.end = this.#batch?.length ?? 0;
      this.state = next === undefined ? 'end' : next === 'idle' ? 'idle' : 'more';
      if (this.#batch === undefined) return came;
      came = true;
    }
    return came;
  }

  timeOfHead(): number {
    const key = this.#batch!.keys[this.at];
    const value = this.#batch!.values[this.at];
    const { task, source } = this.#readers[this.#placeOf(key)]!;
    return task.timeOf(source, key, value, this.feed.timestampOf(value), this.at, this.#options.maxFutureMs);
  }

  take(): void {
    const { at } = this;
    const batch = this.#batch!;
    const key = batch.keys[at];
    const value = batch.values[at];
    const place = this.#placeOf(key);
    const timestamp = this.feed.timestampOf(value);
    const { task, source } = this.#readers[place]!;
    task.process(source, key, value, timestamp, at, this.#options.maxFutureMs);
  }

  failed(error: unknown): void {
    const batch = this.#batch!;
    const { file, line, offset } = batch.origin(this.at);
    const { task, told } = this.#whose(error);
    const place = { topic: this.topic, file, line, offset };
    const { message, details } = askHandler(
      told,
      `record ${file}:${line} (offset ${offset})`,
      place,
      this.#options.processingHandler,
    );
    task.stats.dropped.processing++;
    batch.drop(this.at, { reason: 'processing', nodeName: details.nodeName, message });
  }

  dropped(drop: Drop): void {
    this.#batch?.drop(this.at, drop);
  }

  accept(): void {
    this.#batch?.accept(this.at);
    if (this.at >= this.end) this.state = 'more';
  }

  /** The task of the record at `at`, the first one where that cannot be told: then that is what is wrong with it. */
  #whose(error: unknown): { readonly task: Task; readonly told: unknown } {
    let place = 0;
    try {
      place = this.#placeOf(this.#batch!.keys[this.at]);
      this.feed.timestampOf(this.#batch!.values[this.at]);
      return { task: this.#readers[place]!.task, told: error };
    } catch {
      const message = `neither its partition nor its time can be told: ${messageOf(error)}`;
      return { task: this.#readers[place]!.task, told: StreamsError.from(error, 'STREAMS_PROCESSING', message) };
    }
  }
}
