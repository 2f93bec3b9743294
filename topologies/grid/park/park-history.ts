import { Zone } from '../../../src/common/time/zone.ts';
import type { Histories } from '../../../src/runtime/histories.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import { compareParkIds, type Installations, type Park, type ParkId, parkId } from './park.ts';
import type { Place } from './place.ts';
import { PlaceFinder } from './place-finder.ts';
import { namesOfPark, type ParkTable, withNames } from './place-names.ts';
import { dayStarts, Timeline } from './timeline.ts';

/** An equipment's key, 'C:8' for meter 8, and where it was from when on. */
export type ParkHistory = readonly [key: string, versions: readonly Version<Place>[]];

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
export function parkHistories(park: Park, zone: string): Iterable<ParkHistory> {
  return entriesOf(new ParkHistories(park, zone));
}

/** The rows of the table of the park: the places of all equipment as {@link parkHistories}, and the names of the places that it uses. */
export function parkRows(park: Park, zone: string): Iterable<ParkHistory> {
  return entriesOf(parkTableHistories(park, zone));
}

/** As {@link parkRows}, made when they are asked for. */
export function parkTableHistories(park: Park, zone: string): ParkTable {
  return withNames(new ParkHistories(park, zone), namesOfPark(park));
}

function* entriesOf(histories: Histories<string, Place>): Iterable<ParkHistory> {
  for (let index = 0; index < histories.size; index++) {
    const versions = histories.versions(index);
    if (versions.length > 0) yield [histories.key(index), versions];
  }
}

/** The histories of {@link parkHistories}, made when they are asked for. The number of an equipment is that of its first row; further rows have no versions. */
export class ParkHistories implements Histories<string, Place> {
  readonly size: number;
  readonly #kinds: readonly EquipmentKind[];
  readonly #startOfDay: (day: number) => number;

  constructor(park: Park, zone: string) {
    const finder = new PlaceFinder(park);
    const { meterInstallations: meters, concentratorInstallations: concentrators } = park;
    const first = meters.equipment.length;
    this.#kinds = [
      {
        prefix: 'C:',
        from: 0,
        all: meters,
        placeOf: (pdc) => finder.ofDeliveryPoint(pdc),
        ...chainsByEquipment(meters),
      },
      {
        prefix: 'K:',
        from: first,
        all: concentrators,
        placeOf: (pdk) => finder.ofSubstation(pdk),
        ...chainsByEquipment(concentrators),
      },
    ];
    this.#startOfDay = dayStarts(Zone.of(zone));
    this.size = first + concentrators.equipment.length;
  }

  find(key: string): number {
    const kind = this.#kinds.find(({ prefix }) => key.startsWith(prefix));
    const row = kind?.heads.get(parkId(key.slice(2)));
    return row === undefined ? -1 : kind!.from + row;
  }

  key(index: number): string {
    const { prefix, all, from } = this.#kindOf(index);
    return prefix + all.equipment[index - from]!;
  }

  versions(index: number): Version<Place>[] {
    const { all, from, placeOf, heads, next } = this.#kindOf(index);
    const row = index - from;
    const timeline = new Timeline(this.#startOfDay);
    if (heads.get(all.equipment[row]!) !== row) return [];
    if (next[row]! < 0) addAlone(timeline, all, row, placeOf);
    else addWinners(timeline, all, rowsOf(next, row), placeOf);
    return timeline.versions;
  }

  #kindOf(index: number): EquipmentKind {
    const [meters, concentrators] = this.#kinds;
    return index < concentrators!.from ? meters! : concentrators!;
  }
}

/** Meters or concentrators. */
interface EquipmentKind extends EquipmentChains {
  readonly prefix: string;
  /** The number of the first row. */
  readonly from: number;
  readonly all: Installations;
  readonly placeOf: PlaceLookup;
}

/** Looks up the place that an installation's place id names; undefined if its chain is broken. */
type PlaceLookup = (id: ParkId) => Place | undefined;

interface EquipmentChains {
  readonly heads: ReadonlyMap<ParkId, number>;
  readonly next: Int32Array;
}

/**
 * The rows of each equipment as a chain: `heads` has the first, `next` the one after each, -1 at the end. Nearly every equipment has one row,
 * and a list for each would cost ten times the memory.
 */
function chainsByEquipment(all: Installations): EquipmentChains {
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
