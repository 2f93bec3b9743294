import type { Header } from '../../processor/record.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import { VarintReader } from './varint.ts';

/** What a fetch brought of a partition. See `FetchedRecords`. */
export class FetchedColumns implements FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly stableEnd: number;
  readonly bytes: Buffer;
  length = 0;
  offsets: Float64Array;
  timestamps: Float64Array;
  keyStarts: Int32Array;
  keyEnds: Int32Array;
  valueStarts: Int32Array;
  /** Where the value ends, or would end: the headers begin there. */
  valueEnds: Int32Array;
  appendTime = false;

  constructor(
    topic: string,
    partition: number,
    bytes: Buffer,
    capacity: number,
    nextOffset: number,
    stableEnd: number,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = bytes;
    this.nextOffset = nextOffset;
    this.stableEnd = stableEnd;
    this.offsets = new Float64Array(capacity);
    this.timestamps = new Float64Array(capacity);
    this.keyStarts = new Int32Array(capacity);
    this.keyEnds = new Int32Array(capacity);
    this.valueStarts = new Int32Array(capacity);
    this.valueEnds = new Int32Array(capacity);
  }

  headers(i: number): readonly Header[] {
    if (i < 0 || i >= this.length) throw new RangeError(`no record ${i} among ${this.length}`);
    const reader = new VarintReader(this.bytes, this.valueEnds[i]!);
    const headers: Header[] = [];
    for (let left = reader.next(); left > 0; left--) {
      const keyLength = reader.next();
      const key = this.bytes.toString('utf8', reader.at, reader.at + keyLength);
      reader.at += keyLength;
      const valueLength = reader.next();
      headers.push({ key, value: valueLength < 0 ? null : this.bytes.subarray(reader.at, reader.at + valueLength) });
      reader.at += Math.max(0, valueLength);
    }
    return headers;
  }

  /** Appends the records of a batch from `position` on. Returns why it cannot be read, and appends nothing then. */
  appendBatch(
    start: number,
    end: number,
    count: number,
    baseOffset: number,
    baseTimestamp: number,
    appendTimestamp: number | undefined,
    position: number,
  ): string | undefined {
    const { bytes, offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds } = this;
    let i = this.length;
    let at = start;
    for (let left = count; left > 0; left--) {
      let byte = bytes[at++]!;
      let n = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        n |= (byte & 127) << shift;
      }
      const next = at + ((n >>> 1) ^ -(n & 1));
      at++; // attributes
      byte = bytes[at++]!;
      let delta = byte & 127;
      for (let scale = 128; byte > 127; scale *= 128) {
        byte = bytes[at++]!;
        delta += (byte & 127) * scale;
      }
      byte = bytes[at++]!;
      n = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        n |= (byte & 127) << shift;
      }
      const offset = baseOffset + (n >>> 1);
      byte = bytes[at++]!;
      n = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        n |= (byte & 127) << shift;
      }
      const hasKey = (n & 1) === 0;
      const keyEnd = hasKey ? at + (n >>> 1) : at;
      const keyStart = hasKey ? at : -1;
      at = keyEnd;
      byte = bytes[at++]!;
      n = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        n |= (byte & 127) << shift;
      }
      const hasValue = (n & 1) === 0;
      const valueStart = hasValue ? at : -1;
      const valueEnd = hasValue ? at + (n >>> 1) : at;
      // Also false for what was read beyond the end.
      if (!(valueEnd < next && next <= end)) return `record ${offset} does not fit it`;
      if ((valueEnd + 1 !== next || bytes[valueEnd] !== 0) && !headersFit(bytes, valueEnd, next))
        return `the headers of record ${offset} do not fit`;
      at = next;
      if (offset < position) continue;
      offsets[i] = offset;
      timestamps[i] = appendTimestamp ?? baseTimestamp + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
      keyStarts[i] = keyStart;
      keyEnds[i] = keyEnd;
      valueStarts[i] = valueStart;
      valueEnds[i] = valueEnd;
      i++;
    }
    if (at !== end) return `there is more behind its ${count} records`;
    this.length = i;
    return undefined;
  }

  /** Cuts the columns to the number of records. */
  trim(): this {
    const { length } = this;
    if (length < this.offsets.length) {
      this.offsets = this.offsets.subarray(0, length);
      this.timestamps = this.timestamps.subarray(0, length);
      this.keyStarts = this.keyStarts.subarray(0, length);
      this.keyEnds = this.keyEnds.subarray(0, length);
      this.valueStarts = this.valueStarts.subarray(0, length);
      this.valueEnds = this.valueEnds.subarray(0, length);
    }
    return this;
  }
}

/** Whether headers lie in `bytes[start .. end)` and nothing else. */
function headersFit(bytes: Buffer, start: number, end: number): boolean {
  const reader = new VarintReader(bytes, start);
  for (let left = reader.next(); left > 0; left--) {
    const keyLength = reader.next();
    if (keyLength < 0) return false;
    reader.at += keyLength;
    const valueLength = reader.next();
    reader.at += Math.max(0, valueLength);
    if (reader.at > end) return false;
  }
  return reader.at === end;
}
