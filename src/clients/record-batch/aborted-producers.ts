import { batchAttributes, batchLayout } from './layout.ts';
import { VarintReader } from './varint.ts';

/** A transaction that was aborted, as the answer to a fetch lists it. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  /** Offset of its first record in the partition. */
  readonly firstOffset: number;
}

/** Follows which producers are within an aborted transaction, batch after batch. */
export class AbortedProducers {
  readonly #waiting: AbortedTransaction[];
  readonly #current = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // The one that begins first is at the end.
    this.#waiting = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Whether the batch in `bytes[at .. end)` belongs to an aborted transaction. Called for each batch, in order. */
  contains(bytes: Buffer, at: number, end: number, lastOffset: number, attributes: number): boolean {
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.firstOffset <= lastOffset) {
      this.#current.add(this.#waiting.pop()!.producerId);
    }
    if ((attributes & batchAttributes.transactional) === 0 || this.#current.size === 0) return false;
    const producerId = bytes.readBigInt64BE(at + batchLayout.producerId);
    if ((attributes & batchAttributes.control) === 0) return this.#current.has(producerId);
    if (isAbortMarker(bytes, at, end)) this.#current.delete(producerId);
    return false;
  }
}

/** Of a marker's one record the key is: version int16 | type int16, 0 for abort and 1 for commit. */
function isAbortMarker(bytes: Buffer, at: number, end: number): boolean {
  const reader = new VarintReader(bytes, at + batchLayout.records);
  reader.next(); // length
  reader.at++; // attributes
  for (let skipped = 0; skipped < 3; skipped++) reader.next(); // deltas, length of the key
  if (reader.at + 4 > end) throw new Error('is damaged: its marker does not fit');
  return bytes.readInt16BE(reader.at + 2) === 0;
}
