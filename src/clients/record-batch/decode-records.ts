import type { FetchedRecords } from '../fetched-records.ts';
import { type AbortedTransaction, type ScannedBatch, scanBatches } from './batch-scan.ts';
import { FetchedColumns } from './fetched-columns.ts';
import { batchLayout, readInt64 } from './layout.ts';

/** Batches of a partition as a broker sends them. */
export interface FetchedBytes {
  readonly topic: string;
  readonly partition: number;
  /** The batches are `bytes[start .. end)`; the last one may be cut off. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where the reader is: records before it are left out. */
  readonly position: number;
  /** Transactions that were aborted; undefined for read_uncommitted. */
  readonly aborted: readonly AbortedTransaction[] | undefined;
  readonly stableEnd: number;
}

/**
 * Takes batches apart. Control markers and records of aborted transactions are left out, and passed by `nextOffset`; a batch that cannot be read becomes one
 * record with a problem.
 */
export function decodeRecords(fetched: FetchedBytes): FetchedRecords {
  const { topic, partition, start, end, position, stableEnd } = fetched;
  const scan = scanBatches(fetched.bytes, start, end, position, fetched.aborted);
  let capacity = 0;
  let compressed = false;
  for (const batch of scan.batches) {
    capacity += batch.count;
    compressed ||= batch.uncompressed !== undefined;
  }
  // Records of all batches lie in one buffer: the one that came, or else copies of what is in the batches.
  const bytes = compressed ? Buffer.concat(scan.batches.map((batch) => content(fetched.bytes, batch))) : fetched.bytes;
  const columns = new FetchedColumns(topic, partition, bytes, capacity, scan.nextOffset, stableEnd);
  let copied = 0;
  for (const batch of scan.batches) {
    const length = contentLength(batch);
    const from = compressed ? copied : contentStart(batch);
    copied += length;
    appendTo(columns, fetched.bytes, batch, from, from + length, position);
  }
  return columns.trim();
}

function appendTo(
  columns: FetchedColumns,
  source: Buffer,
  batch: ScannedBatch,
  from: number,
  to: number,
  position: number,
): void {
  const { start, baseOffset, count } = batch;
  let { problem } = batch;
  if (problem === undefined) {
    const baseTimestamp = readInt64(source, start + batchLayout.baseTimestamp);
    const appended = batch.appendTime ? readInt64(source, start + batchLayout.maxTimestamp) : undefined;
    problem = columns.appendBatch(from, to, count, baseOffset, baseTimestamp, appended, position);
    columns.appendTime ||= batch.appendTime;
  }
  if (problem !== undefined) columns.appendProblem(problem, Math.max(baseOffset, position), from, to);
}

function contentStart(batch: ScannedBatch): number {
  return batch.problem === undefined ? batch.start + batchLayout.records : batch.start;
}

function contentLength(batch: ScannedBatch): number {
  return batch.uncompressed?.length ?? batch.end - contentStart(batch);
}

function content(source: Buffer, batch: ScannedBatch): Buffer {
  return batch.uncompressed ?? source.subarray(contentStart(batch), batch.end);
}
