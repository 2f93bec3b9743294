import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import type { AbortedTransaction } from '../../../src/clients/record-batch/batch-scan.ts';
import { decodeRecords } from '../../../src/clients/record-batch/decode-records.ts';

/** A fetched record as text. */
export interface TextRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
}

/** Decodes batches that were fetched at a position. Something lies before and behind them, as in a whole answer. */
export function decode(
  batches: readonly Buffer[],
  options: { position?: number; aborted?: readonly AbortedTransaction[] | undefined } = {},
): FetchedRecords {
  const before = Buffer.alloc(7, 0xee);
  const bytes = Buffer.concat([before, ...batches, Buffer.alloc(80, 0xee)]);
  return decodeRecords({
    topic: 't',
    partition: 3,
    bytes,
    start: before.length,
    end: bytes.length - 80,
    position: options.position ?? 0,
    aborted: 'aborted' in options ? options.aborted : [],
    stableEnd: 1000,
  });
}

/** The records, as text. */
export function texts(records: FetchedRecords): TextRecord[] {
  const cut = (from: number, to: number): string | undefined =>
    from < 0 ? undefined : records.bytes.toString('utf8', from, to);
  return Array.from({ length: records.length }, (_, i) => ({
    offset: records.offsets[i]!,
    timestamp: records.timestamps[i]!,
    key: cut(records.keyStarts[i]!, records.keyEnds[i]!),
    value: cut(records.valueStarts[i]!, records.valueEnds[i]!),
  }));
}

/** The values, as text. */
export function values(records: FetchedRecords): (string | undefined)[] {
  return texts(records).map(({ value }) => value);
}

/** Headers as text. */
export function headers(records: FetchedRecords, i: number): [string, string][] {
  return records.headers(i).map(({ key, value }) => [key, Buffer.from(value).toString()]);
}
