import type { Reader, WriteBatch } from '../../state/database.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { Feed, FeedBatch, FeedProgress, RecordOrigin } from '../runtime/feed.ts';

type TimeOf = (key: unknown, value: unknown, timestamp: number) => number | Drop;
type Told = (file: string, timeMs: number) => void;

/** Tells of each record of a feed that was accepted, and is not dead, in which file it stands and when it happened. */
export class CheckedFeed implements Feed {
  readonly #feed: Feed;
  readonly #timeOf: TimeOf | undefined;
  readonly #told: Told;

  constructor(feed: Feed, timeOf: TimeOf | undefined, told: Told) {
    this.#feed = feed;
    this.#timeOf = timeOf;
    this.#told = told;
    if (feed.partition !== undefined) this.partition = feed.partition;
  }

  readonly partition?: number;

  get topic(): string {
    return this.#feed.topic;
  }

  get progress(): FeedProgress {
    return this.#feed.progress;
  }

  timestampOf(value: unknown): number {
    return this.#feed.timestampOf(value);
  }

  open(saved: Reader): Promise<void> {
    return this.#feed.open(saved);
  }

  async poll(): Promise<FeedBatch | 'idle' | undefined> {
    const batch = await this.#feed.poll();
    if (typeof batch !== 'object') return batch;
    // All of it is of one file.
    const file = batch.length === 0 ? '' : batch.origin(0).file;
    return new CheckedBatch(batch, (i) => this.#accepted(batch, i, file));
  }

  wait(timeoutMs: number): Promise<void> {
    return this.#feed.wait(timeoutMs);
  }

  save(batch: WriteBatch): Promise<void> {
    return this.#feed.save(batch);
  }

  close(): Promise<void> {
    return this.#feed.close();
  }

  #accepted(batch: FeedBatch, i: number, file: string): void {
    const value = batch.values[i];
    const timestamp = this.#feed.timestampOf(value);
    const time = this.#timeOf?.(batch.keys[i], value, timestamp) ?? timestamp;
    if (typeof time === 'number') this.#told(file, time);
  }
}

/** A batch that tells of the records that are accepted and not dead. */
class CheckedBatch implements FeedBatch {
  readonly #batch: FeedBatch;
  readonly #told: (i: number) => void;
  readonly #dead: Set<number> = new Set();
  #accepted = 0;

  constructor(batch: FeedBatch, told: (i: number) => void) {
    this.#batch = batch;
    this.#told = told;
  }

  get length(): number {
    return this.#batch.length;
  }

  get keys(): readonly unknown[] {
    return this.#batch.keys;
  }

  get values(): readonly unknown[] {
    return this.#batch.values;
  }

  accept(n: number): void {
    for (; this.#accepted < n; this.#accepted++) if (!this.#dead.has(this.#accepted)) this.#told(this.#accepted);
    this.#batch.accept(n);
  }

  drop(i: number, drop: Drop): void {
    if (drop.reason !== 'late') this.#dead.add(i);
    this.#batch.drop(i, drop);
  }

  origin(i: number): RecordOrigin {
    return this.#batch.origin(i);
  }
}
