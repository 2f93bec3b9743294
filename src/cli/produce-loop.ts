import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerProducer } from '../clients/broker.ts';
import { CapturedRows } from '../files/captured-rows.ts';
import type { RowMessage } from '../files/message-format.ts';
import type { PositionTopic } from '../files/position-topic.ts';
import type { Feed, FeedBatch } from '../runtime/feed.ts';
import type { Pacer } from './produce-pace.ts';

/** What is read, where it goes, and when. */
export interface ProduceLoopOptions {
  /** Their values are {@link RowMessage}s. */
  readonly feeds: readonly Feed[];
  readonly producer: BrokerProducer;
  readonly positions: PositionTopic;
  readonly follow: boolean;
  /** Undefined: no waits. */
  readonly pace: Pacer | undefined;
  readonly commitIntervalMs: number;
  /** A commit is due after so many records at the latest. */
  readonly commitRecords: number;
  /** Resolves when it is certain that this is still the producer that may write. Asked before letters are written, which no broker guards. */
  readonly confirm: () => Promise<void>;
  /** Told of each commit, with the rows of positions that it has changed. The next one waits for it. */
  readonly committed: (rows: CapturedRows) => Promise<void>;
  /** Called now and then while there is nothing to read. */
  readonly idle: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** A feed, and how far its batch is sent. */
interface Lane {
  readonly feed: Feed;
  batch: FeedBatch | undefined;
  at: number;
  ended: boolean;
}

/** A commit is due when so many bytes wait to be sent. */
const commitBytes = 8 * 1024 * 1024;
/** And nothing more is taken when so many do. */
const mostBytes = 32 * 1024 * 1024;
/** ms for which rows may keep the process to themselves. */
const breathMs = 10;
/** Rows between two looks at the clock. */
const rowsAtOnce = 256;
const idleMs = 100;
const longestSleepMs = 1000;

/**
 * Sends the records of feeds, those of several in the order of their times, each with the positions behind it in one transaction.
 *
 * While a commit is on its way the next records are taken; they belong to the next one.
 */
export class ProduceLoop {
  /** Greatest event time that was sent, ms; -1 before the first. */
  eventTimeMs = -1;
  readonly #options: ProduceLoopOptions;
  readonly #lanes: readonly Lane[];
  /** Records since the last commit was begun. */
  #records = 0;
  /** Something was accepted since then, be it only bad rows. */
  #dirty = false;
  /** When that began. */
  #dirtySinceMs = 0;
  /** Bad rows of which there are letters. */
  #dead: number;
  #committing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #breathedMs = performance.now();

  constructor(options: ProduceLoopOptions) {
    this.#options = options;
    this.#dead = deadRows(options.feeds);
    this.#lanes = options.feeds.map((feed) => ({ feed, batch: undefined, at: 0, ended: false }));
  }

  /** Sends all there is, or what comes until the signal, and commits. */
  async run(): Promise<void> {
    const { signal, follow } = this.#options;
    while (!signal.aborted) {
      await this.#breathe();
      const lane = await this.#next();
      if (lane === undefined) {
        if (!follow) break;
        await this.#rest();
        continue;
      }
      const waitMs = this.#take(lane);
      if (this.#isDue()) await this.#commitSoon();
      if (waitMs > 0) await this.#sleep(waitMs);
    }
    await this.#settled();
    await this.#commit();
    await this.#settled();
  }

  /** Resolves when no commit is under way, whatever became of the last one. */
  async ended(): Promise<void> {
    await this.#committing?.catch(() => {});
  }

  /** The lane whose next record is the oldest; undefined if there is none now. */
  async #next(): Promise<Lane | undefined> {
    let least: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.batch === undefined && !lane.ended) await this.#poll(lane);
      if (lane.batch !== undefined && (least === undefined || headMs(lane) < headMs(least))) least = lane;
    }
    return least;
  }

  async #poll(lane: Lane): Promise<void> {
    const found = await lane.feed.poll();
    if (found === undefined) lane.ended = true;
    if (found === undefined || found === 'idle') return;
    lane.batch = found;
    lane.at = 0;
  }

  /** Sends records of a lane while it is its turn; returns how long its next one has to wait, ms. */
  #take(lane: Lane): number {
    const { producer, pace, commitRecords } = this.#options;
    const { topic } = lane.feed;
    const batch = lane.batch!;
    const limitMs = this.#turnMs(lane);
    const end = Math.min(batch.length, lane.at + Math.max(1, Math.min(rowsAtOnce, commitRecords - this.#records)));
    let waitMs = 0;
    let i = lane.at;
    for (; i < end; i++) {
      const { partition, timestamp, key, value } = batch.values[i] as RowMessage;
      if (timestamp > limitMs) break;
      if (pace !== undefined) {
        waitMs = pace.waitMs(timestamp);
        if (waitMs > 0) break;
      }
      producer.append(topic, partition, timestamp, key, value);
      if (timestamp > this.eventTimeMs) this.eventTimeMs = timestamp;
    }
    const whole = i === batch.length;
    if (i > lane.at || whole) {
      batch.accept(i);
      if (!this.#dirty) this.#dirtySinceMs = performance.now();
      this.#dirty = true;
      this.#records += i - lane.at;
    }
    lane.at = i;
    if (whole) lane.batch = undefined;
    return waitMs;
  }

  /** The time of the next record of the other lanes. */
  #turnMs(lane: Lane): number {
    let least = Number.POSITIVE_INFINITY;
    for (const other of this.#lanes) {
      if (other !== lane && other.batch !== undefined) least = Math.min(least, headMs(other));
    }
    return least;
  }

  #isDue(): boolean {
    if (!this.#dirty) return false;
    const { commitIntervalMs, commitRecords, producer } = this.#options;
    return (
      this.#records >= commitRecords ||
      performance.now() - this.#dirtySinceMs >= commitIntervalMs ||
      producer.bufferedBytes >= commitBytes
    );
  }

  /** Begins a commit; while another one is under way, that is only waited for if no more may be taken before. */
  async #commitSoon(): Promise<void> {
    const { producer, commitRecords } = this.#options;
    const mayTake = this.#records < commitRecords && producer.bufferedBytes < mostBytes;
    if (this.#committing !== undefined && mayTake) return;
    await this.#settled();
    await this.#commit();
  }

  /** Begins a commit of what was accepted. */
  async #commit(): Promise<void> {
    const { feeds, producer, positions, confirm, committed } = this.#options;
    const dead = deadRows(feeds);
    if (dead > this.#dead) await confirm();
    this.#dead = dead;
    const rows = new CapturedRows();
    for (const feed of feeds) await feed.save(rows);
    this.#dirty = false;
    this.#records = 0;
    if (rows.length === 0 && !producer.hasAppended) return;
    positions.append(producer, rows);
    const commit = producer.commit().then(() => committed(rows));
    const committing = commit
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .then(() => {
        if (this.#committing === committing) this.#committing = undefined;
      });
    this.#committing = committing;
  }

  /** Waits for the commit under way, if there is one. @throws what a commit has thrown. */
  async #settled(): Promise<void> {
    await this.#committing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Nothing is there to be read. */
  async #rest(): Promise<void> {
    const { feeds, pace, idle } = this.#options;
    // The end of a file is noted by the poll that finds nothing behind it.
    await this.#settled();
    await this.#commit();
    pace?.rest();
    await idle();
    // Changes of a folder are told by its feed; the signal is looked at now and then.
    await Promise.race(feeds.map((feed) => feed.wait(idleMs)));
  }

  /** Waits until a record is due, committing meanwhile what is. */
  async #sleep(ms: number): Promise<void> {
    const { signal, commitIntervalMs } = this.#options;
    const untilMs = performance.now() + ms;
    while (!signal.aborted && this.#failure === undefined) {
      if (this.#isDue()) await this.#commitSoon();
      const now = performance.now();
      if (now >= untilMs) return;
      const committing = this.#dirty ? this.#committing : undefined;
      const commitMs = this.#dirty && committing === undefined ? this.#dirtySinceMs + commitIntervalMs : untilMs;
      const waitMs = Math.max(1, Math.min(untilMs, commitMs, now + longestSleepMs) - now);
      const waits: Promise<unknown>[] = [delay(waitMs, undefined, { signal }).catch(() => {})];
      // The end of a commit makes the next one possible.
      if (committing !== undefined) waits.push(committing);
      await Promise.race(waits);
    }
  }

  /** Lets sockets, timers and signals have their turn. */
  async #breathe(): Promise<void> {
    if (this.#failure !== undefined) await this.#settled();
    if (performance.now() - this.#breathedMs < breathMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#breathedMs = performance.now();
  }
}

/** The time of a lane's next record; a batch of bad rows alone comes first. */
function headMs({ batch, at }: Lane): number {
  return at < batch!.length ? (batch!.values[at] as RowMessage).timestamp : Number.NEGATIVE_INFINITY;
}

function deadRows(feeds: readonly Feed[]): number {
  return feeds.reduce((sum, { progress }) => sum + progress.dead, 0);
}
