import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import type { AbortedTransaction } from '../../../src/clients/record-batch/aborted-producers.ts';
import { type DecodedRecords, decodeRecords } from '../../../src/clients/record-batch/decode-records.ts';

/** A fetched record as text. */
export interface TextRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | undefined;
  readonly value: string | undefined;
}

/** How batches are decoded. */
export interface DecodeOptions {
  readonly position?: number;
  readonly aborted?: readonly AbortedTransaction[] | undefined;
  readonly stableEnd?: number;
  readonly checkCrcs?: boolean;
}

/** Decodes batches that were fetched at a position; all can be read. */
export function decode(batches: readonly Buffer[], options: DecodeOptions = {}): FetchedRecords {
  const { records, failure } = decodeAll(batches, options);
  if (failure !== undefined) throw failure;
  return records;
}

/** Decodes batches that were fetched at a position. Something lies before and behind them, as in a whole answer. */
export function decodeAll(batches: readonly Buffer[], options: DecodeOptions = {}): DecodedRecords {
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
    stableEnd: options.stableEnd ?? 1000,
    checkCrcs: options.checkCrcs ?? true,
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
export function headers(records: FetchedRecords, i: number): [string, string | null][] {
  return records.headers(i).map(({ key, value }) => [key, value && Buffer.from(value).toString()]);
}
