import type { Header } from '../../processor/record.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import { fetchedOf } from './fetched-view.ts';
import { ColumnsBuilder } from './record-columns.ts';

/** A record to make {@link FetchedRecords} of, or to write to a topic of a `MemoryCluster`. Texts stand for their UTF-8 bytes. */
export interface SimpleRecord {
  /** @defaultValue none */
  readonly key?: Uint8Array | string | undefined;
  /** @defaultValue none */
  readonly value?: Uint8Array | string | undefined;
  /** ms. @defaultValue 0 */
  readonly timestamp?: number;
  readonly headers?: readonly Header[];
  /** @defaultValue the one after the record before, the first 0 */
  readonly offset?: number;
}

/**
 * Fetched records made by hand, for tests of what reads them.
 *
 * @param nextOffset - @defaultValue the one after the last record
 * @param stableEnd - @defaultValue `nextOffset`
 * @example
 * ```ts
 * receive(recordsOf('events', 0, [{ key: 'C:8', value: '1' }, { key: 'C:9', value: '2' }]));
 * ```
 */
export function recordsOf(
  topic: string,
  partition: number,
  records: readonly SimpleRecord[],
  nextOffset?: number,
  stableEnd?: number,
): FetchedRecords {
  const offsets = new Float64Array(records.length);
  let offset = 0;
  records.forEach((record, i) => {
    offset = record.offset ?? offset;
    offsets[i] = offset++;
  });
  const next = nextOffset ?? offset;
  const frame = { topic, partition, appendTime: false, nextOffset: next, stableEnd: stableEnd ?? next };
  return fetchedOf(frame, [{ columns: columnsOf(records).build(), offsets, from: 0 }]);
}

/** Simple records in columns. */
export function columnsOf(records: readonly SimpleRecord[]): ColumnsBuilder {
  const builder = new ColumnsBuilder(Math.max(1, records.length));
  for (const { key, value, timestamp = 0, headers } of records) {
    builder.append(timestamp, bytesOf(key), bytesOf(value), headers);
  }
  return builder;
}

function bytesOf(value: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
