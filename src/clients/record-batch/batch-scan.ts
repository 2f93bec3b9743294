import { crc32c } from '../../common/crc.ts';
import { messageOf } from '../../common/errors.ts';
import { AbortedProducers, type AbortedTransaction } from './aborted-producers.ts';
import { decompress } from './compression.ts';
import { batchAttributes, batchLayout, lengthOverhead, readInt64 } from './layout.ts';
import { type UnreadableBatch, UnsupportedData } from './unreadable-batch.ts';

/** A batch whose records are to be given out. */
export interface ScannedBatch {
  /** Where the batch begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** Records in it. */
  readonly count: number;
  readonly appendTime: boolean;
  /** Its records, uncompressed; undefined where they lie in the batch itself. */
  readonly uncompressed: Buffer | undefined;
}

/** What is to be scanned, and for whom. */
export interface ScanOptions {
  /** The batches are `bytes[start .. end)`; the last one may be cut off. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where the reader is. */
  readonly position: number;
  /** Transactions that were aborted; undefined for read_uncommitted: nothing is left out but markers. */
  readonly aborted: readonly AbortedTransaction[] | undefined;
  /** Where the records that may be read end, as the broker says; -1 for not known. */
  readonly stableEnd: number;
  /** Whether the checksum of each batch is compared with its bytes. */
  readonly checkCrcs: boolean;
}

/** What lies in the bytes of a fetch. */
export interface Scan {
  readonly batches: readonly ScannedBatch[];
  /** The offset after the last complete batch; the position where there is none. */
  readonly nextOffset: number;
  /** The batch at which the scan has ended, if that is not to be read. */
  readonly unreadable: UnreadableBatch | undefined;
}

/** Offset, length and magic: what every batch begins with. */
const headBytes = batchLayout.magic + 1;
/** Bytes that the shortest message of magic 0 has behind its length. */
const leastLength = 14;
/** Bytes of uncompressed records beyond which the rest is left to the next fetch: so much is held at once. */
const mostUncompressed = 64 * 2 ** 20;

/** Why a batch is not to be read. */
class Unreadable extends Error {
  readonly kind: UnreadableBatch['kind'];
  /** Where, if that is not what the batch says. */
  readonly offset: number | undefined;

  constructor(kind: UnreadableBatch['kind'], reason: string, offset?: number) {
    super(reason);
    this.kind = kind;
    this.offset = offset;
  }
}

/**
 * Goes over batches and picks those with records for a reader at a position: control markers and records of aborted transactions are left out, a
 * batch that is cut off at the end is ignored. Ends at the first batch that is damaged or cannot be read: nothing behind it is looked at.
 */
export function scanBatches(options: ScanOptions): Scan {
  const scan = new BatchScan(options);
  const { bytes, start, end } = options;
  for (let at = start; at + headBytes <= end; ) {
    try {
      const next = endOf(bytes, at);
      if (next > end || !scan.take(at, next)) break;
      at = next;
    } catch (error) {
      return scan.result(unreadable(error, scan.offsetAt(at)));
    }
  }
  return scan.result(undefined);
}

class BatchScan {
  readonly #options: ScanOptions;
  readonly #batches: ScannedBatch[] = [];
  readonly #aborting: AbortedProducers | undefined;
  #nextOffset: number;
  /** Where the last batch has ended, and how it was before it. */
  #behind = Number.NEGATIVE_INFINITY;
  #before: { readonly batches: number; readonly nextOffset: number };
  #uncompressed = 0;

  constructor(options: ScanOptions) {
    const { aborted, position } = options;
    this.#options = options;
    this.#aborting = aborted === undefined || aborted.length === 0 ? undefined : new AbortedProducers(aborted);
    this.#nextOffset = position;
    this.#before = { batches: 0, nextOffset: position };
  }

  /** Takes the batch in `bytes[at .. next)`; false where it is left to the next fetch. */
  take(at: number, next: number): boolean {
    const { bytes, position, stableEnd, checkCrcs } = this.#options;
    checkBatch(bytes, at, next, checkCrcs);
    const baseOffset = readInt64(bytes, at);
    this.#checkOffset(baseOffset);
    const lastOffset = baseOffset + bytes.readInt32BE(at + batchLayout.lastOffsetDelta);
    // Written after the broker has looked for the end. What stays so has a damaged offset, which no checksum covers.
    if (stableEnd >= 0 && lastOffset >= stableEnd) return false;
    const attributes = bytes.readInt16BE(at + batchLayout.attributes);
    const before = { batches: this.#batches.length, nextOffset: this.#nextOffset };
    const isAborted = this.#aborting?.contains(bytes, at, next, lastOffset, attributes) ?? false;
    if (lastOffset >= position && (attributes & batchAttributes.control) === 0 && !isAborted) {
      if (this.#uncompressed > mostUncompressed) return false;
      const batch = scanned(bytes, at, next, baseOffset, attributes);
      this.#uncompressed += batch.uncompressed?.length ?? 0;
      this.#batches.push(batch);
    }
    this.#before = before;
    this.#behind = lastOffset + 1;
    this.#nextOffset = Math.max(this.#nextOffset, this.#behind);
    return true;
  }

  /** The offset of a batch that is not to be read: what it says, where that can be. */
  offsetAt(at: number): number {
    const { bytes, stableEnd } = this.#options;
    const said = readInt64(bytes, at);
    return said >= this.#nextOffset && (stableEnd < 0 || said < stableEnd) ? said : this.#nextOffset;
  }

  result(found: UnreadableBatch | undefined): Scan {
    return { batches: this.#batches, nextOffset: this.#nextOffset, unreadable: found };
  }

  #checkOffset(baseOffset: number): void {
    if (baseOffset < 0) throw new Unreadable('damaged', `is damaged: its offset is ${baseOffset}`);
    if (baseOffset >= this.#behind) return;
    // No checksum covers an offset: it may be that of the batch before which is wrong.
    const reason = `is damaged: it ends at ${this.#behind - 1}, and the next one begins at ${baseOffset}`;
    this.#batches.length = this.#before.batches;
    this.#nextOffset = this.#before.nextOffset;
    throw new Unreadable('damaged', reason, this.#nextOffset);
  }
}

function unreadable(error: unknown, offset: number): UnreadableBatch {
  if (error instanceof Unreadable) return { kind: error.kind, offset: error.offset ?? offset, reason: error.message };
  return { kind: error instanceof UnsupportedData ? 'unsupported' : 'damaged', offset, reason: messageOf(error) };
}

function endOf(bytes: Buffer, at: number): number {
  const length = bytes.readInt32BE(at + batchLayout.length);
  if (length < leastLength) throw new Unreadable('damaged', `is damaged: it says it has ${length} bytes`);
  return at + lengthOverhead + length;
}

/** What is known of a batch before anything in it is believed. */
function checkBatch(bytes: Buffer, at: number, next: number, checkCrc: boolean): void {
  const magic = bytes[at + batchLayout.magic]!;
  if (magic < 2)
    throw new Unreadable(
      'unsupported',
      `has message format v${magic}, of before Kafka 0.11. Write its records again with a client of today: into this topic, or another`,
    );
  if (magic > 2)
    throw new Unreadable(
      'unsupported',
      `has message format v${magic}, which this version does not know. Take a newer version; or see whether the log is damaged (kafka-dump-log.sh)`,
    );
  if (next - at < batchLayout.records)
    throw new Unreadable('damaged', `is damaged: it says it has ${next - at - lengthOverhead} bytes`);
  if (!checkCrc) return;
  const said = bytes.readUInt32BE(at + batchLayout.crc);
  const found = crc32c(bytes, at + batchLayout.attributes, next);
  if (said !== found)
    throw new Unreadable('damaged', `is damaged: its CRC-32C is ${hex(found)}, and it says ${hex(said)}`);
}

function scanned(bytes: Buffer, start: number, end: number, baseOffset: number, attributes: number): ScannedBatch {
  const codec = attributes & batchAttributes.codec;
  const uncompressed = codec === 0 ? undefined : decompress(codec, bytes.subarray(start + batchLayout.records, end));
  const count = bytes.readInt32BE(start + batchLayout.count);
  // A record takes 7 bytes at least.
  const most = (uncompressed?.length ?? end - start - batchLayout.records) / 7;
  const offsets = bytes.readInt32BE(start + batchLayout.lastOffsetDelta) + 1;
  if (count < 0 || count > most || count > offsets)
    throw new Unreadable('damaged', `is damaged: it says it has ${count} records`);
  const appendTime = (attributes & batchAttributes.appendTime) !== 0;
  return { start, end, baseOffset, count, appendTime, uncompressed };
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
