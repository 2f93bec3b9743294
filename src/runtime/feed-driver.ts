import { messageOf, StreamsError } from '../common/errors.ts';
import type { Drop } from '../processor/drop-reason.ts';
import { isRecordFailure } from '../processor/node.ts';
import type { Feed, FeedBatch } from './feed.ts';
import { placement } from './runtime-nodes.ts';
import type { Task, TaskSource } from './task.ts';
import type { TopologyEngine } from './topology-engine.ts';

/** How the driver treats records. */
export interface FeedDriverOptions {
  readonly maxFutureMs: number;
  readonly onError: (error: StreamsError) => 'continue' | 'fail';
}

/** What a step found: records (there may be more), nothing for now, or the end of all feeds. */
export type StepOutcome = 'more' | 'idle' | 'end';

/** A feed and the batch of it that is in process. */
interface Lane {
  readonly feed: Feed;
  readonly readers: readonly { readonly task: Task; readonly source: TaskSource }[];
  readonly placeOf: (key: unknown) => number;
  batch: FeedBatch | undefined;
  /** The next record of the batch. */
  at: number;
  /** Its event time: what lanes are ordered by. */
  headMs: number;
  state: StepOutcome;
}

/** Records taken by a step at most. */
const stepRecords = 8192;
/** Records taken between two looks at the clock: at first, and at most. */
const lookRecords = 16;
const mostLookRecords = 128;
/** ms between two looks that are enough. */
const lookMs = 1;

/**
 * Takes the records of feeds into an engine's tasks. One feed in its own order; of several the one whose next record has the least (event time, topic,
 * partition).
 */
export class FeedDriver {
  /** Records taken by the last step. */
  taken = 0;
  /** Whether anything was taken since it was last set to false. */
  changed = false;
  readonly #engine: TopologyEngine;
  readonly #lanes: readonly Lane[];
  readonly #options: FeedDriverOptions;
  #current: Lane | undefined;

  constructor(engine: TopologyEngine, feeds: readonly Feed[], options: FeedDriverOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#lanes = feeds.map((feed) => {
      const readers = engine.readersOf(feed.topic);
      const place = placement(readers[0]!.source.spec.keySerde, readers.length);
      const { partition } = feed;
      const placeOf = partition === undefined ? place : () => partition;
      return { feed, readers, placeOf, batch: undefined, at: 0, headMs: 0, state: 'more' as StepOutcome };
    });
    const merged =
      feeds.length > 1 && this.#lanes.some(({ readers, feed }) => readers.length > 1 && feed.partition === undefined);
    if (merged) throw new TypeError('several feeds over several partitions: give each feed its partition');
  }

  /**
   * Takes up to `limit` records, fewer if `full` says so between two of them, or if they take long.
   *
   * @param untilMs - When everybody else has a turn, by `performance.now()`.
   */
  async step(limit: number, untilMs: number, full: () => boolean): Promise<StepOutcome> {
    this.taken = 0;
    const max = Math.min(limit, stepRecords);
    if (this.#lanes.length === 1) {
      const lane = this.#lanes[0]!;
      const outcome = await this.#fill(lane);
      if (outcome === 'more') await this.#takeAlone(lane, max, untilMs, full);
      return outcome;
    }
    return this.#takeMerged(max, untilMs, full);
  }

  /** Waits until a feed may have more, the time has passed, or the signal is aborted. */
  async wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return;
    let stop = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      stop = resolve;
      signal?.addEventListener('abort', stop, { once: true });
    });
    await Promise.race([aborted, ...this.#lanes.map(({ feed }) => feed.wait(timeoutMs))]);
    signal?.removeEventListener('abort', stop);
  }

  /** The record in process was dropped. */
  dropped(drop: Drop): void {
    const lane = this.#current;
    lane?.batch?.drop(lane.at, drop);
  }

  async #takeAlone(lane: Lane, max: number, untilMs: number, full: () => boolean): Promise<void> {
    const batch = lane.batch!;
    const from = lane.at;
    const end = Math.min(batch.length, from + max);
    this.changed = true;
    this.#current = lane;
    let lookAfter = lookRecords;
    for (let lookedMs = performance.now(); lane.at < end; ) {
      if (this.#takeSome(lane, Math.min(end, lane.at + lookAfter))) await this.#settled(lane);
      const nowMs = performance.now();
      if (full() || nowMs >= untilMs) break;
      lookAfter = nowMs - lookedMs < lookMs ? Math.min(mostLookRecords, lookAfter * 2) : Math.max(1, lookAfter >> 1);
      lookedMs = nowMs;
    }
    this.#current = undefined;
    this.taken = lane.at - from;
    batch.accept(lane.at);
  }

  /** Takes records until `end`, or until a node is busy (true) or the cache wants a look, since it has grown by much. */
  #takeSome(lane: Lane, end: number): boolean {
    const { meter, cacheStep } = this.#engine;
    const lookAt = meter.cachedBytes + cacheStep;
    for (; lane.at < end && meter.cachedBytes <= lookAt; lane.at++) if (this.#take(lane)) return true;
    return false;
  }

  /** Waits for busy nodes after the record at `lane.at`, then passes it. */
  async #settled(lane: Lane): Promise<void> {
    try {
      await this.#engine.settle();
    } catch (error) {
      this.#failed(lane, lane.placeOf(lane.batch!.keys[lane.at]), error);
    }
    lane.at++;
  }

  async #takeMerged(max: number, untilMs: number, full: () => boolean): Promise<StepOutcome> {
    for (; this.taken < max; ) {
      for (const lane of this.#lanes)
        if (lane.batch === undefined || lane.at >= lane.batch.length) await this.#refill(lane);
      const lane = this.#least();
      if (lane === undefined) break;
      this.changed = true;
      this.taken++;
      this.#current = lane;
      if (this.#take(lane)) await this.#settled(lane);
      else lane.at++;
      this.#current = undefined;
      lane.batch!.accept(lane.at);
      if (lane.at < lane.batch!.length) lane.headMs = this.#headOf(lane);
      if (full() || (this.taken % lookRecords === 0 && performance.now() >= untilMs)) break;
    }
    if (this.taken > 0) return 'more';
    return this.#lanes.some((lane) => lane.state === 'idle') ? 'idle' : 'end';
  }

  async #refill(lane: Lane): Promise<void> {
    lane.state = await this.#fill(lane);
    if (lane.state === 'more') lane.headMs = this.#headOf(lane);
  }

  /** Makes sure that the lane has a next record. */
  async #fill(lane: Lane): Promise<StepOutcome> {
    while (lane.batch === undefined || lane.at >= lane.batch.length) {
      lane.batch?.accept(lane.batch.length);
      const next = await lane.feed.poll();
      lane.at = 0;
      lane.batch = undefined;
      if (next === undefined) return 'end';
      if (next === 'idle') return 'idle';
      lane.batch = next;
      this.changed = true;
    }
    return 'more';
  }

  #least(): Lane | undefined {
    let least: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.batch === undefined) continue;
      if (
        least === undefined ||
        lane.headMs < least.headMs ||
        (lane.headMs === least.headMs && comesBefore(lane.feed, least.feed))
      )
        least = lane;
    }
    return least;
  }

  /** One whose time cannot be told comes first: it is only put aside. */
  #headOf(lane: Lane): number {
    const { batch, at, feed } = lane;
    const key = batch!.keys[at];
    const value = batch!.values[at];
    try {
      const { task, source } = lane.readers[lane.placeOf(key)]!;
      return task.timeOf(source, key, value, feed.timestampOf(value), at, this.#options.maxFutureMs);
    } catch {
      return Number.NEGATIVE_INFINITY;
    }
  }

  /** Takes the record at `lane.at`; true when something is still to be waited for. */
  #take(lane: Lane): boolean {
    const { at, feed } = lane;
    const batch = lane.batch!;
    const key = batch.keys[at];
    const value = batch.values[at];
    let place = 0;
    let timestamp: number | undefined;
    // One region for all that may throw: this runs for each record, and two of them cost a fifth of it.
    try {
      place = lane.placeOf(key);
      timestamp = feed.timestampOf(value);
      const { task, source } = lane.readers[place]!;
      task.process(source, key, value, timestamp, at, this.#options.maxFutureMs);
      if (!this.#engine.unsettled) return false;
      this.#engine.drain();
    } catch (error) {
      this.#failed(lane, place, timestamp === undefined ? withoutPlaceOrTime(error) : error);
    }
    return this.#engine.unsettled;
  }

  /** Asks what becomes of a record whose processing failed. */
  #failed(lane: Lane, place: number, error: unknown): void {
    if (!isRecordFailure(error)) throw error;
    const { file, line, offset } = lane.batch!.origin(lane.at);
    const { nodeName } = error.details;
    const placed = new StreamsError(error.code, `record ${file}:${line} (offset ${offset}): ${error.message}`, {
      ...error.details,
      ...(nodeName === undefined ? {} : { nodeName }),
      topic: lane.feed.topic,
      file,
      line,
      offset,
      cause: error.details.cause ?? error,
    });
    if (this.#options.onError(placed) === 'fail') throw placed;
    lane.readers[place]!.task.stats.dropped.processing++;
    lane.batch!.drop(lane.at, { reason: 'processing', nodeName, message: error.message });
  }
}

function withoutPlaceOrTime(error: unknown): StreamsError {
  const message = `neither its partition nor its time can be told: ${messageOf(error)}`;
  return StreamsError.from(error, 'STREAMS_PROCESSING', message);
}

function comesBefore(a: Feed, b: Feed): boolean {
  return a.topic < b.topic || (a.topic === b.topic && (a.partition ?? 0) < (b.partition ?? 0));
}
