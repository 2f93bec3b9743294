import { isAbsent } from '../../common/absent.ts';
import type { Header } from '../../processor/record.ts';
import { batchLayout, lengthOverhead, writeInt64 } from './layout.ts';
import { varintSize, writeVarint, zigzag } from './varint.ts';

const smallest = 4096;
const nothing = zigzag(-1);

/**
 * Records written one after the other straight into the bytes of a batch (magic 2, not compressed). No object is made for a record.
 *
 * `seal` fills in the fields of the header that depend on the records; `stampBatch` those that depend on the producer.
 */
export class BatchWriter {
  readonly #limit: number;
  #bytes: Buffer;
  #end: number = batchLayout.records;
  #count = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;

  /**
   * @param limit - bytes that the batch is not to exceed; one record alone may.
   * @param expected - bytes that it will probably have.
   */
  constructor(limit: number, expected: number = smallest) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafe(Math.max(smallest, Math.min(expected, limit)));
  }

  /** Records so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes so far, header included. */
  get size(): number {
    return this.#end;
  }

  /** Appends a record; false, and nothing is done, where it does not fit under the limit. */
  append(
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers: readonly Header[] | undefined,
  ): boolean {
    const first = this.#count === 0;
    const timestampDelta = first ? 0 : zigzag(timestamp - this.#baseTimestamp);
    const offsetDelta = this.#count * 2;
    const keyLength = key === undefined ? nothing : key.length * 2;
    const valueLength = value === undefined ? nothing : value.length * 2;
    const encoded = headers === undefined || headers.length === 0 ? undefined : encodeHeaders(headers);
    const size =
      1 +
      varintSize(timestampDelta) +
      varintSize(offsetDelta) +
      varintSize(keyLength) +
      (key === undefined ? 0 : key.length) +
      varintSize(valueLength) +
      (value === undefined ? 0 : value.length) +
      (encoded === undefined ? 1 : encoded.length);
    const end = this.#end + varintSize(size * 2) + size;
    if (end > this.#limit && !first) return false;
    if (end > this.#bytes.length) this.#grow(end);

    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#end, size * 2);
    bytes[at++] = 0;
    at = writeVarint(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, offsetDelta);
    at = writeVarint(bytes, at, keyLength);
    if (key !== undefined) at = copy(key, bytes, at);
    at = writeVarint(bytes, at, valueLength);
    if (value !== undefined) at = copy(value, bytes, at);
    if (encoded === undefined) bytes[at++] = 0;
    else at = copy(encoded, bytes, at);

    this.#end = at;
    this.#count++;
    if (first) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    return true;
  }

  /** The batch, but for its producer, its attributes and its checksum. Nothing may be appended after. */
  seal(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#end);
    bytes.fill(0, 0, batchLayout.records);
    bytes.writeInt32BE(this.#end - lengthOverhead, batchLayout.length);
    bytes.writeInt32BE(-1, batchLayout.leaderEpoch);
    bytes[batchLayout.magic] = 2;
    bytes.writeInt32BE(this.#count - 1, batchLayout.lastOffsetDelta);
    writeInt64(bytes, batchLayout.baseTimestamp, this.#baseTimestamp);
    writeInt64(bytes, batchLayout.maxTimestamp, this.#maxTimestamp);
    bytes.writeInt32BE(this.#count, batchLayout.count);
    return bytes;
  }

  #grow(end: number): void {
    const wanted = Math.min(Math.max(this.#bytes.length * 2, smallest), this.#limit);
    const grown = Buffer.allocUnsafe(Math.max(wanted, end));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}

/** Keys and values are short: a loop is faster than a call into the engine for each. */
function copy(from: Uint8Array, to: Uint8Array, at: number): number {
  const { length } = from;
  if (length > 48) to.set(from, at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
  return at + length;
}

function encodeHeaders(headers: readonly Header[]): Buffer {
  let size = varintSize(headers.length * 2);
  const keys: Buffer[] = [];
  for (const { key, value } of headers) {
    const bytes = Buffer.from(key);
    keys.push(bytes);
    size += varintSize(bytes.length * 2) + bytes.length + varintSize(lengthOf(value)) + (value?.length ?? 0);
  }
  const encoded = Buffer.allocUnsafe(size);
  let at = writeVarint(encoded, 0, headers.length * 2);
  headers.forEach(({ value }, i) => {
    const key = keys[i]!;
    at = copy(key, encoded, writeVarint(encoded, at, key.length * 2));
    at = writeVarint(encoded, at, lengthOf(value));
    if (!isAbsent(value)) at = copy(value, encoded, at);
  });
  return encoded;
}

/** The length of a header's value, zigzagged. */
function lengthOf(value: Uint8Array | null): number {
  return isAbsent(value) ? nothing : value.length * 2;
}
