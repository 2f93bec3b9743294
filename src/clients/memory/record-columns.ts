import { isAbsent } from '../../common/absent.ts';
import type { Header } from '../../processor/record.ts';

/** Records in columns, as `FetchedRecords` has them, without a place in a log. */
export interface RecordColumns {
  readonly length: number;
  readonly timestamps: Float64Array;
  readonly bytes: Buffer;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** Undefined where no record has any. */
  readonly headers: readonly (readonly Header[] | undefined)[] | undefined;
}

/** What a record without key and value takes in a batch, about. */
const overheadBytes = 12;

/** Takes records one by one into columns; bytes are copied. */
export class ColumnsBuilder {
  #length = 0;
  #used = 0;
  #headerBytes = 0;
  #bytes: Buffer;
  #timestamps: Float64Array;
  // Key start, key end, value start, value end of each record.
  #bounds: Int32Array;
  #headers: (readonly Header[] | undefined)[] | undefined;

  constructor(records = 16, bytes = 1024) {
    this.#timestamps = new Float64Array(records);
    this.#bounds = new Int32Array(records * 4);
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  get length(): number {
    return this.#length;
  }

  /** About the bytes of a batch of these records. */
  get byteLength(): number {
    return this.#used + this.#headerBytes + this.#length * overheadBytes;
  }

  append(
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers?: readonly Header[],
  ): void {
    const i = this.#length;
    if (i === this.#timestamps.length) this.#growRecords();
    const needed = (key?.length ?? 0) + (value?.length ?? 0);
    if (this.#used + needed > this.#bytes.length) this.#growBytes(this.#used + needed);
    this.#timestamps[i] = timestamp;
    this.#put(i * 4, key);
    this.#put(i * 4 + 2, value);
    this.#length++;
    if (headers !== undefined && headers.length > 0) this.#putHeaders(i, headers);
  }

  /** The records; the builder is of no use after it. */
  build(): RecordColumns {
    const n = this.#length;
    const columns = [0, 1, 2, 3].map((column) => {
      const values = new Int32Array(n);
      for (let i = 0, at = column; i < n; i++, at += 4) values[i] = this.#bounds[at]!;
      return values;
    });
    return {
      length: n,
      timestamps: this.#timestamps.subarray(0, n),
      bytes: this.#bytes.subarray(0, this.#used),
      keyStarts: columns[0]!,
      keyEnds: columns[1]!,
      valueStarts: columns[2]!,
      valueEnds: columns[3]!,
      headers: this.#headers,
    };
  }

  #put(at: number, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      this.#bounds[at] = -1;
      this.#bounds[at + 1] = -1;
      return;
    }
    this.#bounds[at] = this.#used;
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#bounds[at + 1] = this.#used;
  }

  #putHeaders(i: number, headers: readonly Header[]): void {
    this.#headers ??= [];
    this.#headers[i] = headers.map(({ key, value }) => ({
      key,
      value: isAbsent(value) ? null : new Uint8Array(value),
    }));
    for (const { key, value } of headers) this.#headerBytes += key.length + (value?.length ?? 0) + 2;
  }

  #growRecords(): void {
    const records = this.#timestamps.length * 2;
    const timestamps = new Float64Array(records);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const bounds = new Int32Array(records * 4);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
  }

  #growBytes(atLeast: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(atLeast, this.#bytes.length * 2));
    this.#bytes.copy(bytes, 0, 0, this.#used);
    this.#bytes = bytes;
  }
}

/** The key of a record, as a view. */
export function keyAt(columns: RecordColumns, i: number): Buffer | undefined {
  return columns.keyStarts[i]! < 0 ? undefined : columns.bytes.subarray(columns.keyStarts[i], columns.keyEnds[i]);
}

/** The value of a record, as a view. */
export function valueAt(columns: RecordColumns, i: number): Buffer | undefined {
  return columns.valueStarts[i]! < 0 ? undefined : columns.bytes.subarray(columns.valueStarts[i], columns.valueEnds[i]);
}

/** About the bytes that a record takes in a batch. */
export function bytesOfRecord(columns: RecordColumns, i: number): number {
  let bytes = columns.keyEnds[i]! - columns.keyStarts[i]! + columns.valueEnds[i]! - columns.valueStarts[i]!;
  for (const { key, value } of columns.headers?.[i] ?? []) bytes += key.length + (value?.length ?? 0) + 2;
  return bytes + overheadBytes;
}

/** Some of the records, in the order of `indexes`; the bytes are shared. */
export function pick(columns: RecordColumns, indexes: readonly number[]): RecordColumns {
  return {
    length: indexes.length,
    timestamps: Float64Array.from(indexes, (i) => columns.timestamps[i]!),
    bytes: columns.bytes,
    keyStarts: Int32Array.from(indexes, (i) => columns.keyStarts[i]!),
    keyEnds: Int32Array.from(indexes, (i) => columns.keyEnds[i]!),
    valueStarts: Int32Array.from(indexes, (i) => columns.valueStarts[i]!),
    valueEnds: Int32Array.from(indexes, (i) => columns.valueEnds[i]!),
    headers: columns.headers && indexes.map((i) => columns.headers![i]),
  };
}
