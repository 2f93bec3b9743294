import type { FetchedRecords } from '../fetched-records.ts';
import { BatchWriter } from './batch-writer.ts';
import { decodeRecords } from './decode-records.ts';

/** The records of a sealed batch that is not compressed. */
function recordsOf(batch: Buffer): FetchedRecords {
  return decodeRecords({
    topic: '',
    partition: 0,
    bytes: batch,
    start: 0,
    end: batch.length,
    position: 0,
    aborted: undefined,
    stableEnd: -1,
    checkCrcs: false,
  }).records;
}

function part(bytes: Buffer, starts: Int32Array, ends: Int32Array, i: number): Buffer | undefined {
  return starts[i]! < 0 ? undefined : bytes.subarray(starts[i], ends[i]);
}

/** Two sealed batches with the records of one, which has at least two. */
export function splitBatch(batch: Buffer): [Buffer, Buffer] {
  const records = recordsOf(batch);
  const half = records.length >>> 1;
  const write = (from: number, to: number): Buffer => {
    const writer = new BatchWriter(Number.POSITIVE_INFINITY, 4096);
    for (let i = from; i < to; i++) {
      const key = part(records.bytes, records.keyStarts, records.keyEnds, i);
      const value = part(records.bytes, records.valueStarts, records.valueEnds, i);
      writer.append(records.timestamps[i]!, key, value, records.headers(i));
    }
    return writer.seal();
  };
  return [write(0, half), write(half, records.length)];
}

/** The record of a sealed batch that has one. Bytes are copied. */
export function onlyRecord(batch: Buffer): {
  key: Uint8Array | undefined;
  value: Uint8Array | undefined;
  timestamp: number;
} {
  const records = recordsOf(batch);
  const key = part(records.bytes, records.keyStarts, records.keyEnds, 0);
  const value = part(records.bytes, records.valueStarts, records.valueEnds, 0);
  return { key: key && new Uint8Array(key), value: value && new Uint8Array(value), timestamp: records.timestamps[0]! };
}
