import type { Serde } from '../../../src/serde/serde.ts';
import type { GridEvent } from '../events/grid-event.ts';
import type { Counts } from './statistic.ts';

const two7 = 128;

/** Writes a whole number in groups of 7 bits, lowest first; returns the position after it. */
function writeVarint(value: number, target: Uint8Array, at: number): number {
  let rest = value;
  let position = at;
  while (rest >= two7) {
    target[position++] = (rest % two7) | 0x80;
    rest = Math.floor(rest / two7);
  }
  target[position++] = rest;
  return position;
}

/** Longest number: 53 bits in groups of 7. */
const longest = 8;

/** Reads the numbers of a row; remembers where it stands. */
class VarintReader {
  at = 0;

  next(bytes: Uint8Array): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < longest; i++) {
      const byte = bytes[this.at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= two7;
    }
    throw new Error(`${bytes.length} bytes are no counts`);
  }
}

const reader = new VarintReader();

/** Writes the three counts; returns the position after them, or -1 if they do not fit. */
export function writeCounts(counts: Counts, target: Uint8Array, at: number): number {
  if (at + 3 * longest > target.length) return -1;
  return writeVarint(counts.ev_N, target, writeVarint(counts.ev_K, target, writeVarint(counts.ev_C, target, at)));
}

/** Reads three counts from the start of `bytes`; returns them and the position after them. */
export function readCounts(bytes: Uint8Array): { readonly counts: Counts; readonly end: number } {
  reader.at = 0;
  const counts = { ev_C: reader.next(bytes), ev_K: reader.next(bytes), ev_N: reader.next(bytes) };
  return { counts, end: reader.at };
}

/**
 * Counts as bytes: ev_C, ev_K, ev_N, each a whole number in groups of 7 bits, lowest first, the high bit set in all but its last byte.
 *
 * `{ ev_C: 300, ev_K: 0, ev_N: 7 }` is `ac 02 00 07`.
 */
export const countsSerde: Serde<Counts> = {
  name: 'counts',
  serialize(counts) {
    const bytes = new Uint8Array(3 * longest);
    return bytes.slice(0, writeCounts(counts, bytes, 0));
  },
  deserialize(bytes) {
    const { counts, end } = readCounts(bytes);
    if (end !== bytes.length) throw new Error(`${bytes.length} bytes are too many for counts`);
    return counts;
  },
  read(bytes, start, end) {
    reader.at = start;
    const counts = { ev_C: reader.next(bytes), ev_K: reader.next(bytes), ev_N: reader.next(bytes) };
    if (reader.at !== end) throw new Error(`${end - start} bytes are no counts`);
    return counts;
  },
  write: writeCounts,
  clone: ({ ev_C, ev_K, ev_N }) => ({ ev_C, ev_K, ev_N }),
};

/** No events. */
export function noEvents(): Counts {
  return { ev_C: 0, ev_K: 0, ev_N: 0 };
}

/** One event more. Changes and returns `counts`. */
export function countEvent(_key: string, event: GridEvent, counts: Counts): Counts {
  if (event.type === 'ev_C') counts.ev_C++;
  else if (event.type === 'ev_K') counts.ev_K++;
  else counts.ev_N++;
  return counts;
}

/** Adds `more` to `counts`, and returns it. */
export function addCounts(_key: unknown, more: Counts, counts: Counts): Counts | undefined {
  counts.ev_C += more.ev_C;
  counts.ev_K += more.ev_K;
  counts.ev_N += more.ev_N;
  return orNone(counts);
}

/** Takes `less` from `counts`, and returns it; undefined where nothing is left, so that the row is deleted. */
export function subtractCounts(_key: unknown, less: Counts, counts: Counts): Counts | undefined {
  counts.ev_C -= less.ev_C;
  counts.ev_K -= less.ev_K;
  counts.ev_N -= less.ev_N;
  return orNone(counts);
}

function orNone(counts: Counts): Counts | undefined {
  return counts.ev_C === 0 && counts.ev_K === 0 && counts.ev_N === 0 ? undefined : counts;
}
