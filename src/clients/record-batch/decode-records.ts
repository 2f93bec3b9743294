import type { StreamsError } from '../../common/errors.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import { type Scan, type ScannedBatch, type ScanOptions, scanBatches } from './batch-scan.ts';
import { FetchedColumns } from './fetched-columns.ts';
import { batchLayout, readInt64 } from './layout.ts';
import { type UnreadableBatch, unreadableError } from './unreadable-batch.ts';

/** Batches of a partition as a broker sends them. */
export interface FetchedBytes extends ScanOptions {
  readonly topic: string;
  readonly partition: number;
}

/** What was taken out of batches. */
export interface DecodedRecords {
  /** Records before the end of the bytes, or before the batch that has failed. */
  readonly records: FetchedRecords;
  /** Why the batch at `records.nextOffset` or behind it cannot be read: `STREAMS_BATCH_CORRUPT` or `STREAMS_BATCH_UNSUPPORTED`. */
  readonly failure: StreamsError | undefined;
}

/** Takes batches apart. Control markers and records of aborted transactions are left out, and passed by `nextOffset`; a batch that cannot be read is not passed. */
export function decodeRecords(fetched: FetchedBytes): DecodedRecords {
  const { topic, partition } = fetched;
  let scan = scanBatches(fetched);
  for (;;) {
    const taken = take(fetched, scan);
    if (taken instanceof FetchedColumns) {
      const failure = scan.unreadable === undefined ? undefined : unreadableError(topic, partition, scan.unreadable);
      return { records: taken.trim(), failure };
    }
    // Its header is sound and its records are not: what lies before it is given out.
    scan = taken;
  }
}

/** The records of a scan; or, where those of a batch do not fit it, what remains of the scan before that batch. */
function take(fetched: FetchedBytes, { batches, nextOffset }: Scan): FetchedColumns | Scan {
  const { topic, partition, position, stableEnd } = fetched;
  let capacity = 0;
  let compressed = false;
  for (const batch of batches) {
    capacity += batch.count;
    compressed ||= batch.uncompressed !== undefined;
  }
  // Records of all batches lie in one buffer: the one that came, or else copies of what is in the batches.
  const bytes = compressed ? Buffer.concat(batches.map((batch) => content(fetched.bytes, batch))) : fetched.bytes;
  const columns = new FetchedColumns(topic, partition, bytes, capacity, nextOffset, stableEnd);
  let copied = 0;
  for (const [i, batch] of batches.entries()) {
    const length = contentLength(batch);
    const from = compressed ? copied : batch.start + batchLayout.records;
    copied += length;
    const reason = append(columns, fetched.bytes, batch, from, from + length, position);
    if (reason === undefined) continue;
    const offset = Math.max(batch.baseOffset, position);
    const unreadable: UnreadableBatch = { kind: 'damaged', offset, reason: `is damaged: ${reason}` };
    return { batches: batches.slice(0, i), nextOffset: offset, unreadable };
  }
  return columns;
}

function append(
  columns: FetchedColumns,
  source: Buffer,
  { start, baseOffset, count, appendTime }: ScannedBatch,
  from: number,
  to: number,
  position: number,
): string | undefined {
  const baseTimestamp = readInt64(source, start + batchLayout.baseTimestamp);
  const appended = appendTime ? readInt64(source, start + batchLayout.maxTimestamp) : undefined;
  columns.appendTime ||= appendTime;
  return columns.appendBatch(from, to, count, baseOffset, baseTimestamp, appended, position);
}

function contentLength(batch: ScannedBatch): number {
  return batch.uncompressed?.length ?? batch.end - batch.start - batchLayout.records;
}

function content(source: Buffer, batch: ScannedBatch): Buffer {
  return batch.uncompressed ?? source.subarray(batch.start + batchLayout.records, batch.end);
}
