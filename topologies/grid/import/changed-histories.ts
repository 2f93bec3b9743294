import type { Histories } from '../../../src/runtime/histories.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import type { Place } from '../park/place.ts';
import type { ParkDifference } from './park-difference.ts';

/** An equipment of the park that is in force, and its places. */
export interface KnownHistory {
  readonly key: string;
  readonly versions: readonly Version<Place>[];
}

/** A park that is not there. */
export async function* absent(): AsyncIterable<KnownHistory> {}

/** The equipments whose places differ, with those that they have now; none: they are not in the park any more. All equipments are added to the difference. */
export async function* changedHistories(
  before: AsyncIterable<KnownHistory>,
  after: Histories<string, Place>,
  difference: ParkDifference,
): AsyncIterable<readonly [key: string, versions: readonly Version<Place>[]]> {
  const known = new Uint8Array(after.size);
  for await (const { key, versions } of before) {
    const index = after.find(key);
    if (index >= 0) known[index] = 1;
    const now = index < 0 ? [] : after.versions(index);
    if (difference.add(key, versions, now)) yield [key, now];
  }
  for (let index = 0; index < after.size; index++) {
    if (known[index] === 1) continue;
    const now = after.versions(index);
    if (now.length === 0) continue;
    const key = after.key(index);
    if (difference.add(key, [], now)) yield [key, now];
  }
}
