import { codecName, decompress } from './compression.ts';
import { batchAttributes, batchLayout, lengthOverhead, readInt64 } from './layout.ts';
import { VarintReader } from './varint.ts';

/** A transaction that was aborted, as the answer to a fetch lists it. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  /** Offset of its first record in the partition. */
  readonly firstOffset: number;
}

/** A batch whose records are to be given out, or that stands for itself as a problem. */
export interface ScannedBatch {
  /** Where the batch begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** Records in it; 1 for a problem. */
  readonly count: number;
  readonly appendTime: boolean;
  /** Its records, uncompressed; undefined where they lie in the batch itself. */
  readonly uncompressed: Buffer | undefined;
  /** Why its records cannot be read. */
  readonly problem: string | undefined;
}

/** What lies in the bytes of a fetch. */
export interface Scan {
  readonly batches: readonly ScannedBatch[];
  /** The offset after the last complete batch; the position where there is none. */
  readonly nextOffset: number;
}

/**
 * Goes over the batches in `bytes[start .. end)` and picks those with records for a reader at `position`: control markers and records of aborted
 * transactions are left out, a batch that is cut off at the end is ignored.
 *
 * @param aborted - for read_committed; undefined: nothing is left out but markers.
 */
export function scanBatches(
  bytes: Buffer,
  start: number,
  end: number,
  position: number,
  aborted: readonly AbortedTransaction[] | undefined,
): Scan {
  const batches: ScannedBatch[] = [];
  const aborting = aborted === undefined || aborted.length === 0 ? undefined : new AbortedProducers(aborted);
  let nextOffset = position;
  let at = start;
  while (at + batchLayout.attributes <= end) {
    const next = at + lengthOverhead + bytes.readInt32BE(at + batchLayout.length);
    if (next > end || next <= at + batchLayout.magic) break;
    const baseOffset = readInt64(bytes, at);
    const magic = bytes[at + batchLayout.magic]!;
    if (magic !== 2) {
      if (baseOffset >= position) {
        batches.push(
          problem(at, next, baseOffset, `message format ${magic} is older than Kafka 0.11 and cannot be read`),
        );
      }
      nextOffset = Math.max(nextOffset, baseOffset + 1);
    } else {
      const lastOffset = baseOffset + bytes.readInt32BE(at + batchLayout.lastOffsetDelta);
      const attributes = bytes.readInt16BE(at + batchLayout.attributes);
      const isAborted = aborting?.contains(bytes, at, lastOffset, attributes) ?? false;
      if (lastOffset >= position && (attributes & batchAttributes.control) === 0 && !isAborted) {
        batches.push(scanned(bytes, at, next, Math.max(baseOffset, position), attributes));
      }
      nextOffset = Math.max(nextOffset, lastOffset + 1);
    }
    at = next;
  }
  return { batches, nextOffset };
}

function scanned(bytes: Buffer, start: number, end: number, firstOffset: number, attributes: number): ScannedBatch {
  const codec = attributes & batchAttributes.codec;
  let uncompressed: Buffer | undefined;
  if (codec !== 0) {
    try {
      uncompressed = decompress(codec, bytes.subarray(start + batchLayout.records, end));
    } catch (error) {
      return problem(
        start,
        end,
        firstOffset,
        `${codecName(codec)} data that cannot be uncompressed: ${(error as Error).message}`,
      );
    }
    if (uncompressed === undefined) {
      return problem(start, end, firstOffset, `compression ${codecName(codec)} cannot be read by this client`);
    }
  }
  const count = bytes.readInt32BE(start + batchLayout.count);
  // A record takes 7 bytes at least.
  const most = (uncompressed?.length ?? end - start - batchLayout.records) / 7;
  if (count < 0 || count > most) return problem(start, end, firstOffset, `a batch that says it has ${count} records`);
  const appendTime = (attributes & batchAttributes.appendTime) !== 0;
  return { start, end, baseOffset: readInt64(bytes, start), count, appendTime, uncompressed, problem: undefined };
}

function problem(start: number, end: number, baseOffset: number, text: string): ScannedBatch {
  return { start, end, baseOffset, count: 1, appendTime: false, uncompressed: undefined, problem: text };
}

/** Follows which producers are within an aborted transaction, batch after batch. */
class AbortedProducers {
  readonly #waiting: AbortedTransaction[];
  readonly #current = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // The one that begins first is at the end.
    this.#waiting = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Whether the batch belongs to an aborted transaction. Called for each batch, in order. */
  contains(bytes: Buffer, at: number, lastOffset: number, attributes: number): boolean {
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.firstOffset <= lastOffset) {
      this.#current.add(this.#waiting.pop()!.producerId);
    }
    if ((attributes & batchAttributes.transactional) === 0 || this.#current.size === 0) return false;
    const producerId = bytes.readBigInt64BE(at + batchLayout.producerId);
    if ((attributes & batchAttributes.control) === 0) return this.#current.has(producerId);
    if (isAbortMarker(bytes, at)) this.#current.delete(producerId);
    return false;
  }
}

/** Of a marker's one record the key is: version int16 | type int16, 0 for abort and 1 for commit. */
function isAbortMarker(bytes: Buffer, at: number): boolean {
  const reader = new VarintReader(bytes, at + batchLayout.records);
  reader.next(); // length
  reader.at++; // attributes
  for (let skipped = 0; skipped < 3; skipped++) reader.next(); // deltas, length of the key
  return bytes.readInt16BE(reader.at + 2) === 0;
}
