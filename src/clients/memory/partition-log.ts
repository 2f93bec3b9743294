import type { FetchedRecords } from '../fetched-records.ts';
import { compacted } from './compaction.ts';
import { fetchedOf, type Piece, type PlacedRecords } from './fetched-view.ts';
import type { RecordColumns } from './record-columns.ts';
import type { Transaction } from './transaction.ts';

/** Whether a reader sees what transactions may still change. */
export type Isolation = 'read_committed' | 'read_uncommitted';

/** Records that were written together, or a control marker: one that has no records, and takes one offset. */
export interface LogBatch extends PlacedRecords {
  readonly firstOffset: number;
  /** Above the last record's where compaction has taken it. */
  readonly lastOffset: number;
  readonly transaction: Transaction | undefined;
}

const marker: RecordColumns = {
  length: 0,
  timestamps: new Float64Array(0),
  bytes: Buffer.alloc(0),
  keyStarts: new Int32Array(0),
  keyEnds: new Int32Array(0),
  valueStarts: new Int32Array(0),
  valueEnds: new Int32Array(0),
  headers: undefined,
};

/** A partition: batches one after the other, each record and each marker at an offset of its own. */
export class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** Whether the broker sets the timestamps. */
  readonly appendTime: boolean;
  /** Offset of the first record that may be read. */
  start = 0;
  /** Offset of the next record. */
  end = 0;
  /** Set when the topic is deleted. */
  deleted = false;
  /** Called when there may be something new to read. */
  readonly watchers: Set<() => void> = new Set();
  #batches: LogBatch[] = [];
  // First offsets of open transactions; those that began first come first.
  readonly #open = new Map<Transaction, number>();
  readonly #epochs = new Map<number, number>();

  constructor(topic: string, partition: number, appendTime: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.appendTime = appendTime;
  }

  /** The offset below which no open transaction can change anything. */
  get stable(): number {
    for (const first of this.#open.values()) return Math.max(first, this.start);
    return this.end;
  }

  /** How far a reader sees. */
  limit(isolation: Isolation): number {
    return isolation === 'read_committed' ? this.stable : this.end;
  }

  /** Whether a later owner of the producer id has written here. Notes this one if not. */
  isFenced(producerId: number, epoch: number): boolean {
    const known = this.#epochs.get(producerId) ?? -1;
    if (epoch < known) return true;
    this.#epochs.set(producerId, epoch);
    return false;
  }

  /** Writes records. Returns the position after them. */
  append(columns: RecordColumns, transaction: Transaction | undefined): number {
    if (columns.length === 0) return this.end;
    const first = this.end;
    const offsets = new Float64Array(columns.length);
    for (let i = 0; i < offsets.length; i++) offsets[i] = first + i;
    this.end = first + columns.length;
    this.#batches.push({ firstOffset: first, lastOffset: this.end - 1, columns, offsets, transaction });
    if (transaction !== undefined && !this.#open.has(transaction)) this.#open.set(transaction, first);
    this.#tell();
    return this.end;
  }

  /** Ends a transaction here: its marker takes one offset. */
  mark(transaction: Transaction): void {
    this.#open.delete(transaction);
    this.#batches.push({
      firstOffset: this.end,
      lastOffset: this.end,
      columns: marker,
      offsets: marker.timestamps,
      transaction: undefined,
    });
    this.end++;
    this.#tell();
  }

  /** Moves the start up; whole batches before it are forgotten. */
  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, offset);
    const kept = this.#indexOf(this.start);
    if (kept > 0) this.#batches.splice(0, kept);
    this.#tell();
  }

  /** Forgets the batches at the end that reach this offset or beyond: it is the next one's. */
  truncate(end: number): void {
    this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset < end);
    this.end = Math.min(this.end, Math.max(this.start, end));
    for (const [transaction, first] of this.#open) if (first >= this.end) this.#open.delete(transaction);
    this.#tell();
  }

  /** Keeps of what is stable the last record of each key only. */
  compact(): void {
    this.#batches = compacted(this.#batches, this.stable);
  }

  /**
   * Records from a position on, as many as fit: undefined for a position out of range.
   *
   * @param maxBytes - passed by at most one batch.
   */
  read(position: number, isolation: Isolation, maxBytes: number): FetchedRecords | undefined {
    if (position < this.start || position > this.end) return undefined;
    const limit = this.limit(isolation);
    const pieces: Piece[] = [];
    let bytes = 0;
    let next = position;
    for (let b = this.#indexOf(position); b < this.#batches.length; b++) {
      const batch = this.#batches[b]!;
      if (batch.firstOffset >= limit || bytes >= maxBytes) break;
      next = Math.max(position, batch.lastOffset + 1);
      if (isolation === 'read_committed' && batch.transaction?.outcome === 'aborted') continue;
      const { columns, offsets } = batch;
      const from = batch.firstOffset >= position ? 0 : firstAtOrAfter(offsets, position);
      if (from === columns.length) continue;
      pieces.push({ columns, offsets, from });
      bytes += columns.bytes.length + columns.length * 8;
    }
    const { topic, partition, appendTime } = this;
    return fetchedOf({ topic, partition, appendTime, nextOffset: next, stableEnd: limit }, pieces);
  }

  /** Index of the batch that has the offset, or of the first after it. */
  #indexOf(offset: number): number {
    const batches = this.#batches;
    let low = 0;
    let high = batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tell(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** No more readers. */
  delete(): void {
    this.deleted = true;
    this.#tell();
  }
}

function firstAtOrAfter(offsets: Float64Array, position: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
