import type { Feed, FeedBatch, FeedProgress, RecordOrigin } from '../../src/index.ts';
import { newProgress } from '../../src/runtime/feed.ts';

const batchRecords = 8192;
const nowhere: RecordOrigin = { file: '', line: 0, offset: 0, raw: new Uint8Array(0) };

/** Records of one time that are made as they are read: from no file, without a position. */
export class MemoryFeed<K, V> implements Feed {
  readonly topic: string;
  readonly progress: FeedProgress;
  readonly #count: number;
  readonly #timestampMs: number;
  readonly #make: (i: number) => readonly [key: K, value: V];

  /** `make` gives record `i` of `count`. */
  constructor(topic: string, count: number, timestampMs: number, make: (i: number) => readonly [key: K, value: V]) {
    this.topic = topic;
    this.#count = count;
    this.#timestampMs = timestampMs;
    this.#make = make;
    this.progress = newProgress(topic);
  }

  timestampOf(): number {
    return this.#timestampMs;
  }

  async open(): Promise<void> {}

  async poll(): Promise<FeedBatch | undefined> {
    const { progress } = this;
    const from = progress.rows;
    const length = Math.min(batchRecords, this.#count - from);
    if (length === 0) return undefined;
    const records = Array.from({ length }, (_, i) => this.#make(from + i));
    progress.rows += length;
    const refuse = (i: number): never => {
      throw new Error(`record ${from + i} of ${this.topic} was refused`);
    };
    return {
      length,
      keys: records.map(([key]) => key),
      values: records.map(([, value]) => value),
      accept: () => {},
      drop: refuse,
      origin: () => nowhere,
    };
  }

  async wait(): Promise<void> {}

  async save(): Promise<void> {}

  async close(): Promise<void> {}
}
