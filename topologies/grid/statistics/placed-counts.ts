import type { Serde } from '../../../src/serde/serde.ts';
import { type Place, placeSerde } from '../park/place.ts';
import { readCounts, writeCounts } from './counts.ts';
import type { Counts } from './statistic.ts';

/** A day's counts of an equipment and where it stood on that day; undefined: nowhere. Immutable. */
export interface PlacedCounts {
  readonly counts: Counts;
  readonly place: Place | undefined;
}

/** Bytes of places: a place is written with each of its rows. */
const known = new WeakMap<Place, Uint8Array>();
const nowhere = new Uint8Array(0);

function placeBytes(place: Place | undefined): Uint8Array {
  if (place === undefined) return nowhere;
  let bytes = known.get(place);
  if (bytes === undefined) {
    bytes = placeSerde.serialize(place);
    known.set(place, bytes);
  }
  return bytes;
}

function write({ counts, place }: PlacedCounts, target: Uint8Array, at: number): number {
  const bytes = placeBytes(place);
  const end = writeCounts(counts, target, at);
  if (end < 0 || end + bytes.length > target.length) return -1;
  target.set(bytes, end);
  return end + bytes.length;
}

/** Counts, then the place; no bytes after the counts for none. */
export const placedCountsSerde: Serde<PlacedCounts> = {
  name: 'placed-counts',
  serialize(value) {
    const bytes = new Uint8Array(24 + placeBytes(value.place).length);
    return bytes.subarray(0, write(value, bytes, 0));
  },
  deserialize(bytes) {
    const { counts, end } = readCounts(bytes);
    return { counts, place: end === bytes.length ? undefined : placeSerde.deserialize(bytes.subarray(end)) };
  },
  write,
  clone: (value) => value,
};
