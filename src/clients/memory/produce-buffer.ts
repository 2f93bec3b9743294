import type { Header } from '../../processor/record.ts';
import { ColumnsBuilder, type RecordColumns } from './record-columns.ts';

/** Records of one partition that are sent together. */
export interface ProduceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly columns: RecordColumns;
  /** About the bytes it takes. */
  readonly byteLength: number;
}

interface Slot {
  readonly topic: string;
  readonly partition: number;
  readonly full: ProduceBatch[];
  open: ColumnsBuilder | undefined;
}

/** What a producer was given and has not sent. */
export class ProduceBuffer {
  readonly #maxBatchBytes: number;
  readonly #topics = new Map<string, Map<number, Slot>>();
  #dirty: Slot[] = [];
  #byteLength = 0;

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers: readonly Header[] | undefined,
  ): void {
    const slot = this.#slot(topic, partition);
    if (slot.open === undefined) {
      if (slot.full.length === 0) this.#dirty.push(slot);
      slot.open = new ColumnsBuilder();
    }
    const before = slot.open.byteLength;
    slot.open.append(timestamp, key, value, headers);
    const bytes = slot.open.byteLength;
    this.#byteLength += bytes - before;
    if (bytes >= this.#maxBatchBytes) this.#close(slot, slot.open);
  }

  /** All of it, in rounds that are sent one after the other: each has at most one batch of a partition. */
  take(): readonly (readonly ProduceBatch[])[] {
    const rounds: ProduceBatch[][] = [];
    for (const slot of this.#dirty) {
      if (slot.open !== undefined) this.#close(slot, slot.open);
      slot.full.forEach((batch, i) => {
        rounds[i] ??= [];
        rounds[i].push(batch);
      });
      slot.full.length = 0;
    }
    this.#dirty = [];
    this.#byteLength = 0;
    return rounds;
  }

  #slot(topic: string, partition: number): Slot {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    let slot = partitions.get(partition);
    if (slot === undefined) {
      slot = { topic, partition, full: [], open: undefined };
      partitions.set(partition, slot);
    }
    return slot;
  }

  #close(slot: Slot, open: ColumnsBuilder): void {
    const { topic, partition } = slot;
    slot.full.push({ topic, partition, columns: open.build(), byteLength: open.byteLength });
    slot.open = undefined;
  }
}
