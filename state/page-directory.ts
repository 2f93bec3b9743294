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

/** The pages of a window: where each begins, as latin1 text, ascending, the first ''; and in which of its two places it stands, 0 or 1. */
export interface PageDirectory {
  readonly separators: string[];
  readonly places: number[];
}

/** That of a window that has none: one page, in its first place. */
export function onePage(): PageDirectory {
  return { separators: [''], places: [0] };
}

/**
 * First keys of a window's pages as bytes: count, then for each its length and bytes; numbers as in varint.ts. `['', 'C:8']` is `02 00 03 43 3a 38`.
 *
 * If pages stand in their second place, a bit for each page follows, the first page's lowest: with the second of them there, `02 00 03 43 3a 38 02`.
 */
export function encodeDirectory({ separators, places }: PageDirectory): Uint8Array {
  const moved = places.includes(1);
  let length = varintLength(separators.length) + (moved ? Math.ceil(places.length / 8) : 0);
  for (const separator of separators) length += varintLength(separator.length) + separator.length;
  const bytes = Buffer.alloc(length);
  let at = writeVarint(bytes, 0, separators.length);
  for (const separator of separators) {
    at = writeVarint(bytes, at, separator.length);
    at += bytes.write(separator, at, 'latin1');
  }
  if (moved) for (const [i, place] of places.entries()) bytes[at + (i >> 3)]! |= place << (i & 7);
  return bytes;
}

/** Reads what {@link encodeDirectory} wrote. @throws StreamsError `STREAMS_STATE_STORE_CORRUPT` */
export function decodeDirectory(bytes: Uint8Array): PageDirectory {
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
  const bits = bytes.length - reader.at;
  if (separators.length !== count || separators[0] !== '' || (bits !== 0 && bits !== Math.ceil(count / 8)))
    throw damagedPage(`a row of ${bytes.length} bytes is no directory of pages`);
  const placeOf = (i: number): number => (bits === 0 ? 0 : (bytes[reader.at + (i >> 3)]! >> (i & 7)) & 1);
  return { separators, places: separators.map((_, i) => placeOf(i)) };
}
