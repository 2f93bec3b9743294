import type { StreamsError } from '../common/errors.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { RecordQueue, RecordSource } from './record-source.ts';
import type { TopologyEngine } from './topology-engine.ts';

/** Records taken between two looks at clock and caches: at first, and at most. */
const lookRecords = 16;
const mostLookRecords = 512;
/** ms between two looks that are enough. */
const lookMs = 1;

/**
 * Takes the records of a task's queues: those of one in their order; of several the one whose next record has the least (event time, topic, partition).
 *
 * Kafka Streams: `processor/internals/PartitionGroup.java`.
 */
export class PartitionGroup {
  readonly #engine: TopologyEngine;
  readonly #source: RecordSource;
  readonly #isFull: () => boolean;
  /** Whose record is in process, or is waited for. */
  #current: RecordQueue | undefined;

  /** @param isFull - whether the task is to commit before it takes more */
  constructor(engine: TopologyEngine, source: RecordSource, isFull: () => boolean) {
    this.#engine = engine;
    this.#source = source;
    this.#isFull = isFull;
  }

  /**
   * Takes up to `max` records: fewer if they take long, if the task is full, or if a node is busy with the last of them, which is to be settled before the next. Returns how many.
   *
   * @param untilMs - When everybody else has a turn, by `performance.now()`.
   */
  take(max: number, untilMs: number): number {
    const { queues } = this.#source;
    const taken = queues.length === 1 ? this.#takeAlone(queues[0]!, max, untilMs) : this.#takeMerged(max, untilMs);
    if (!this.#engine.unsettled) this.#current = undefined;
    return taken;
  }

  /** Waits for busy nodes, then passes the record that they are busy with. */
  async settle(): Promise<void> {
    const queue = this.#current;
    try {
      await this.#engine.settle();
    } catch (error) {
      if (queue === undefined) throw error;
      queue.failed(error);
    }
    if (queue === undefined) return;
    queue.at++;
    queue.accept();
    this.#current = undefined;
  }

  /** The record in process is dropped. What is dropped without one, at a flush or by a punctuation, concerns none. */
  dropped(drop: Drop): void {
    this.#current?.dropped(drop);
  }

  /** A node has refused the record in process. @throws StreamsError if that is the end, or if there is none */
  refused(failure: StreamsError): void {
    if (this.#current === undefined) throw failure;
    this.#current.failed(failure);
  }

  #takeAlone(queue: RecordQueue, max: number, untilMs: number): number {
    let left = max;
    let lookAfter = lookRecords;
    let lookedMs = performance.now();
    this.#current = queue;
    for (let goesOn = true; goesOn && left > 0 && queue.at < queue.end; ) {
      const from = queue.at;
      const end = Math.min(queue.end, from + left);
      while (goesOn && queue.at < end) {
        if (this.#takeSome(queue, Math.min(end, queue.at + lookAfter))) {
          goesOn = false;
          left--;
          break;
        }
        const nowMs = performance.now();
        goesOn = nowMs < untilMs && !this.#stops();
        lookAfter = nowMs - lookedMs < lookMs ? Math.min(mostLookRecords, lookAfter * 2) : Math.max(1, lookAfter >> 1);
        lookedMs = nowMs;
      }
      left -= queue.at - from;
      queue.accept();
    }
    return max - left;
  }

  /** Takes records until `end`, or until a node is busy (true) or the cache wants a look, since it has grown by much. */
  #takeSome(queue: RecordQueue, end: number): boolean {
    const { meter, cacheStep } = this.#engine;
    const lookAt = meter.cachedBytes + cacheStep;
    for (; queue.at < end && meter.cachedBytes <= lookAt; queue.at++) if (this.#take(queue)) return true;
    return false;
  }

  #takeMerged(max: number, untilMs: number): number {
    const { meter, cacheStep } = this.#engine;
    let lookAt = meter.cachedBytes + cacheStep;
    let taken = 0;
    for (let queue = this.#least(); queue !== undefined && taken < max; queue = this.#least()) {
      taken++;
      this.#current = queue;
      const busy = this.#take(queue);
      queue.headMs = Number.NaN;
      if (busy) break;
      queue.at++;
      queue.accept();
      // Its next record, which is not here yet, may be the least.
      if (queue.at >= queue.end && !this.#source.isReady(Date.now())) break;
      if (taken % lookRecords !== 0 && meter.cachedBytes <= lookAt) continue;
      if (performance.now() >= untilMs || this.#stops()) break;
      lookAt = meter.cachedBytes + cacheStep;
    }
    return taken;
  }

  #stops(): boolean {
    return this.#engine.commitRequested || this.#isFull();
  }

  #least(): RecordQueue | undefined {
    let least: RecordQueue | undefined;
    for (const queue of this.#source.queues) {
      if (queue.at >= queue.end) continue;
      if (Number.isNaN(queue.headMs)) queue.headMs = headTime(queue);
      if (least === undefined || comesBefore(queue, least)) least = queue;
    }
    return least;
  }

  /** Takes the next record of a queue; true when something is still to be waited for. */
  #take(queue: RecordQueue): boolean {
    // One region for all that may throw: this runs for each record, and two of them cost a fifth of it.
    try {
      queue.take();
      if (!this.#engine.unsettled) return false;
      this.#engine.drain();
    } catch (error) {
      queue.failed(error);
    }
    return this.#engine.unsettled;
  }
}

/** One whose time cannot be told comes first: it is only put aside. */
function headTime(queue: RecordQueue): number {
  try {
    return queue.timeOfHead();
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
}

function comesBefore(a: RecordQueue, b: RecordQueue): boolean {
  if (a.headMs !== b.headMs) return a.headMs < b.headMs;
  return a.topic < b.topic || (a.topic === b.topic && a.partition < b.partition);
}
