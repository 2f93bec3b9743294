import type { Serde } from '../../../src/serde/serde.ts';
import { type Place, placeSerde } from '../park/place.ts';
import { readCounts, writeCounts } from './counts.ts';
import type { Counts } from './statistic.ts';

/** A day's counts of an equipment and where it stood on that day; undefined: nowhere. Immutable. */
export interface PlacedCounts {
  readonly counts: Counts;
  readonly place: Place | undefined;
}

/** Counts, then the place; no bytes after the counts for none. */
export const placedCountsSerde: Serde<PlacedCounts> = {
  name: 'placed-counts',
  serialize({ counts, place }) {
    const placeBytes = place === undefined ? new Uint8Array(0) : placeSerde.serialize(place);
    const bytes = new Uint8Array(24 + placeBytes.length);
    const end = writeCounts(counts, bytes, 0);
    bytes.set(placeBytes, end);
    return bytes.subarray(0, end + placeBytes.length);
  },
  deserialize(bytes) {
    const { counts, end } = readCounts(bytes);
    return { counts, place: end === bytes.length ? undefined : placeSerde.deserialize(bytes.subarray(end)) };
  },
  clone: (value) => value,
};
