import { Zone } from '../../../src/common/time/zone.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import { compareParkIds, type Installations, type Park, type ParkId } from './park.ts';
import type { Place } from './place.ts';
import { PlaceFinder } from './place-finder.ts';
import { dayStarts, Timeline } from './timeline.ts';

/** An equipment's key, 'C:8' for meter 8, and where it was from when on. */
export type ParkHistory = readonly [key: string, versions: Version<Place>[]];

/**
 * The place of every equipment of the park as versions over time: what the versioned table of the park holds.
 *
 * - An installation holds from the start of its date_deb to the end of its date_fin, civil days of the zone. Before, after and in gaps the
 *   equipment is nowhere: a version without a value. Nowhere before the first version is not written down.
 * - If several hold on a day, the one with the latest date_deb wins, then the one at the greater place id (id_pdc, id_pdk), as a number.
 * - Only then the winner's chain to the commune is followed; if it is broken anywhere the equipment is nowhere. An older installation
 *   that still holds does not come back in its place: it is the outdated one, whatever became of the newer one's reference data.
 * - An installation that ends before it starts never holds. Neighbouring versions differ.
 *
 * Meter 8 at pdc 3 from 20170101 to 20171231 in 'Europe/Paris': `['C:8', [{ validFromMs: 1483225200000, value: … }, { validFromMs: 1514761200000, value: undefined }]]`.
 *
 * Equipments that are never anywhere are left out.
 */
export function* parkHistories(park: Park, zone: string): Iterable<ParkHistory> {
  const finder = new PlaceFinder(park);
  const startOfDay = dayStarts(Zone.of(zone));
  yield* histories('C:', park.meterInstallations, (pdc) => finder.ofDeliveryPoint(pdc), startOfDay);
  yield* histories('K:', park.concentratorInstallations, (pdk) => finder.ofSubstation(pdk), startOfDay);
}

/** Looks up the place that an installation's place id names; undefined if its chain is broken. */
type PlaceLookup = (id: ParkId) => Place | undefined;

function* histories(
  prefix: string,
  all: Installations,
  placeOf: PlaceLookup,
  startOfDay: (day: number) => number,
): Iterable<ParkHistory> {
  const count = all.equipment.length;
  const { heads, next } = chainsByEquipment(all);
  for (let i = 0; i < count; i++) {
    const equipment = all.equipment[i]!;
    if (heads.get(equipment) !== i) continue;
    const timeline = new Timeline(startOfDay);
    if (next[i]! < 0) addAlone(timeline, all, i, placeOf);
    else addWinners(timeline, all, rowsOf(next, i), placeOf);
    if (timeline.versions.length > 0) yield [prefix + equipment, timeline.versions];
  }
}

/**
 * The rows of each equipment as a chain: `heads` has the first, `next` the one after each, -1 at the end. Nearly every equipment has one row,
 * and a list for each would cost ten times the memory.
 */
function chainsByEquipment(all: Installations): { heads: ReadonlyMap<ParkId, number>; next: Int32Array } {
  const count = all.equipment.length;
  const heads = new Map<ParkId, number>();
  const next = new Int32Array(count);
  for (let i = count - 1; i >= 0; i--) {
    const equipment = all.equipment[i]!;
    next[i] = heads.get(equipment) ?? -1;
    heads.set(equipment, i);
  }
  return { heads, next };
}

function rowsOf(next: Int32Array, head: number): number[] {
  const rows: number[] = [];
  for (let i = head; i >= 0; i = next[i]!) rows.push(i);
  return rows;
}

function addAlone(timeline: Timeline, all: Installations, i: number, placeOf: PlaceLookup): void {
  const from = all.firstDay[i]!;
  const to = all.lastDay[i]! + 1;
  if (from < to) timeline.add(from, to, placeOf(all.place[i]!));
}

/** Adds, in ascending order, the spans of days on which each installation wins over the others. */
function addWinners(timeline: Timeline, all: Installations, rows: readonly number[], placeOf: PlaceLookup): void {
  const { firstDay, lastDay, place } = all;
  const held = rows.filter((i) => firstDay[i]! <= lastDay[i]!);
  held.sort((a, b) => firstDay[a]! - firstDay[b]! || compareParkIds(place[a]!, place[b]!));
  // A later one in this order beats all before it, so the winner is the last one begun that has not ended: the top of a stack.
  const open: number[] = [];
  let from = 0;
  const addUntil = (day: number): void => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const end = lastDay[top]! + 1;
      const to = Math.min(end, day);
      if (from < to) {
        timeline.add(from, to, placeOf(place[top]!));
        from = to;
      }
      if (end > day) return;
      open.pop();
    }
  };
  for (const i of held) {
    addUntil(firstDay[i]!);
    from = firstDay[i]!;
    open.push(i);
  }
  addUntil(Number.POSITIVE_INFINITY);
}
