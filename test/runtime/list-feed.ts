import type { Feed, FeedBatch, FeedProgress, RecordOrigin } from '../../src/index.ts';
import { newProgress } from '../../src/runtime/feed.ts';

/** A record of a {@link ListFeed}. */
export interface ListRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
}

/** A feed of given records, some a batch. */
export class ListFeed implements Feed {
  readonly topic: string;
  readonly progress: FeedProgress;
  /** Records that were refused: their index. */
  readonly dead: number[] = [];
  readonly #records: readonly ListRecord[];
  #next = 0;

  readonly #perBatch: number;

  constructor(topic: string, records: readonly ListRecord[], perBatch = 16) {
    this.#perBatch = perBatch;
    this.topic = topic;
    this.#records = records;
    this.progress = newProgress(topic);
  }

  timestampOf(value: unknown): number {
    return (value as ListRecord).timestamp;
  }

  async open(): Promise<void> {}

  async poll(): Promise<FeedBatch | undefined> {
    const from = this.#next;
    const records = this.#records.slice(from, from + this.#perBatch);
    this.#next += records.length;
    if (records.length === 0) return undefined;
    return {
      length: records.length,
      keys: records.map(({ key }) => key),
      values: records,
      accept() {},
      drop: (i, { reason }) => {
        if (reason !== 'late') this.dead.push(from + i);
      },
      origin: (i): RecordOrigin => ({ file: 'list', line: from + i, offset: from + i, raw: new Uint8Array(0) }),
    };
  }

  async wait(): Promise<void> {}

  async save(): Promise<void> {}

  async close(): Promise<void> {}
}
