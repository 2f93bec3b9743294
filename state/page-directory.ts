import { latin1 } from './latin1.ts';
import { damagedPage } from './paged-errors.ts';
import { VarintReader, varintLength, writeVarint } from './varint.ts';

/** Which page has a key: the last that begins at or before it. Separators ascend, and the first is ''. */
export function findPage(separators: readonly string[], key: string): number {
  let low = 0;
  let high = separators.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (separators[middle]! <= key) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Whether a page is the one that has a key. */
export function isOfPage(separators: readonly string[], page: number, key: string): boolean {
  const end = separators[page + 1];
  return separators[page]! <= key && (end === undefined || key < end);
}

/**
 * First keys of a window's pages as bytes: count, then for each its length and bytes; numbers as in varint.ts. `['', 'C:8']` is `02 00 03 43 3a 38`.
 */
export function encodeDirectory(separators: readonly string[]): Uint8Array {
  let length = varintLength(separators.length);
  for (const separator of separators) length += varintLength(separator.length) + separator.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = writeVarint(bytes, 0, separators.length);
  for (const separator of separators) {
    at = writeVarint(bytes, at, separator.length);
    at += bytes.write(separator, at, 'latin1');
  }
  return bytes;
}

/** Reads what {@link encodeDirectory} wrote. @throws StreamsError `STREAMS_STATE_STORE_CORRUPT` */
export function decodeDirectory(bytes: Uint8Array): string[] {
  const reader = new VarintReader();
  const count = reader.next(bytes);
  const separators: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.next(bytes);
    const end = reader.at + length;
    if (!(end <= bytes.length)) break;
    separators.push(latin1(bytes, reader.at, end));
    reader.at = end;
  }
  if (separators.length !== count || separators[0] !== '' || reader.at !== bytes.length)
    throw damagedPage(`a row of ${bytes.length} bytes is no directory of pages`);
  return separators;
}
