import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EventType, eventTypes, type Grouping, groupings, type Period, periods } from '../statistics/statistic.ts';
import { ByteWriter } from './byte-writer.ts';
import type { CivilWalk } from './civil-walk.ts';
import type { PlacedEquipments, PlacedPark } from './known-park.ts';
import type { Move } from './made-equipments.ts';
import { fate, type MadeEvents } from './made-events.ts';
import { type GroupIds, groupIds, levels, type ParkGroups, parkGroups, Tally, typeCount } from './tally.ts';

const bufferBytes = 128 * 1024;

/** How often an event of each fate counts. */
const timesCounted: Readonly<Record<number, number>> = {
  [fate.good]: 1,
  [fate.damaged]: 0,
  [fate.tooLate]: 0,
  [fate.twice]: 2,
};

/** Columns between window_start and type_evt. */
const groupColumns: Readonly<Record<Grouping, string>> = {
  type: '',
  equipment: 'type_equipement,id_equipement,',
  commune: 'commune,',
  departement: 'departement,',
  pdk: 'pdk,',
  region: 'region,',
};

/** A period whose counts are being gathered. */
interface OpenPeriod {
  readonly period: Period;
  readonly tally: Tally;
  /** First day of the window at hand; undefined before the first event. */
  start: string | undefined;
}

/**
 * The 24 statistics, counted in the plainest way beside the events that are made, day by day, with nothing of the engine. Memory does not
 * grow with the days: the windows end one after the other, and a window that has ended is written and forgotten.
 */
export class Truth {
  readonly #groups: ParkGroups;
  readonly #meters: Whereabouts;
  readonly #concentrators: Whereabouts;
  readonly #day: Tally;
  readonly #open: readonly OpenPeriod[];
  readonly #files: ReadonlyMap<string, ByteWriter>;
  readonly #meterIds: GroupIds;
  readonly #concentratorIds: GroupIds;

  constructor(park: PlacedPark, folder: string) {
    this.#groups = parkGroups(park);
    this.#meters = new Whereabouts(park.meters);
    this.#concentrators = new Whereabouts(park.concentrators);
    this.#day = new Tally(park, this.#groups);
    this.#open = periods.map((period) => ({ period, tally: new Tally(park, this.#groups), start: undefined }));
    this.#meterIds = idsOf(park.meters);
    this.#concentratorIds = idsOf(park.concentrators);
    mkdirSync(folder, { recursive: true });
    this.#files = openFiles(folder);
  }

  /** Counts the events of a day. Days come in ascending order. */
  count(date: CivilWalk, events: MadeEvents): void {
    const day = this.#day;
    day.clear();
    for (let i = 0; i < events.length; i++) {
      const times = timesCounted[events.fate[i]!]!;
      const index = events.equipment[i]! - 1;
      const type = events.type[i]!;
      if (type === 0) day.meters[index]! += times;
      else day.concentrators[2 * index + type - 1]! += times;
    }
    this.#addPlaces(date.day);
    for (const open of this.#open) {
      const start = startOf(open.period, date);
      if (open.start !== start) this.#write(open);
      open.start = start;
      open.tally.add(day);
    }
  }

  /** Writes what is still open. */
  close(): void {
    for (const open of this.#open) this.#write(open);
    for (const file of this.#files.values()) file.close();
  }

  /** Gives the day's counts of each equipment to where it is on that day. */
  #addPlaces(day: number): void {
    const meterSpots = this.#meters.on(day);
    const concentratorSpots = this.#concentrators.on(day);
    const { meters, concentrators, places } = this.#day;
    for (const level of levels) {
      const counts = places[level];
      const groups = this.#groups.spots[level];
      const unknown = this.#groups[level].ids.length - 1;
      for (let i = 0; i < meters.length; i++) {
        if (meters[i] !== 0) counts[typeCount * (groups[meterSpots[i]!] ?? unknown)]! += meters[i]!;
      }
      for (let i = 0; i < concentratorSpots.length; i++) {
        const at = typeCount * (groups[concentratorSpots[i]!] ?? unknown);
        counts[at + 1]! += concentrators[2 * i]!;
        counts[at + 2]! += concentrators[2 * i + 1]!;
      }
    }
  }

  #write(open: OpenPeriod): void {
    const { period, tally, start } = open;
    if (start === undefined) return;
    writeTypesOf(this.#file(period, 'type'), `${start},`, '', totals(tally), 0, eventTypes);
    const equipment = this.#file(period, 'equipment');
    writeGroups(equipment, `${start},C,`, this.#meterIds, tally.meters, ['ev_C']);
    writeGroups(equipment, `${start},K,`, this.#concentratorIds, tally.concentrators, ['ev_K', 'ev_N']);
    for (const level of levels) {
      writeGroups(this.#file(period, level), `${start},`, this.#groups[level], tally.places[level], eventTypes);
    }
    tally.clear();
  }

  #file(period: Period, grouping: Grouping): ByteWriter {
    return this.#files.get(`${period}_${grouping}`)!;
  }
}

/** Where the equipments of one type are on the day at hand. */
class Whereabouts {
  readonly #spots: Int32Array;
  readonly #moves: (readonly [day: number, moves: readonly Move[]])[];

  constructor(equipments: PlacedEquipments) {
    this.#spots = equipments.spots.slice();
    this.#moves = [...equipments.moves].sort((a, b) => a[0] - b[0]);
  }

  /** Spot of each equipment, at index id - 1. */
  on(day: number): Int32Array {
    while (this.#moves.length > 0 && this.#moves[0]![0] <= day) {
      for (const { equipment, spot } of this.#moves.shift()![1]) this.#spots[equipment - 1] = spot;
    }
    return this.#spots;
  }
}

/** Counts of all events: every event has a region, be it unknown. */
function totals(tally: Tally): Float64Array {
  const sums = new Float64Array(typeCount);
  tally.places.region.forEach((count, i) => {
    sums[i % typeCount]! += count;
  });
  return sums;
}

function openFiles(folder: string): Map<string, ByteWriter> {
  const files = new Map<string, ByteWriter>();
  for (const period of periods) {
    for (const grouping of groupings) {
      const file = new ByteWriter(join(folder, `${period}_${grouping}.csv`), bufferBytes);
      file.text(`window_start,${groupColumns[grouping]}type_evt,n\n`);
      files.set(`${period}_${grouping}`, file);
    }
  }
  return files;
}

function startOf(period: Period, date: CivilWalk): string {
  if (period === 'day') return date.text;
  if (period === 'week') return date.weekText;
  return period === 'month' ? date.monthText : date.yearText;
}

/** The ids of equipments as texts, by their number. */
function idsOf({ count, ids }: PlacedEquipments): GroupIds {
  return groupIds(Array.from({ length: count }, (_, i) => String(ids?.[i] ?? i + 1)));
}

/** Rows of all groups in their order. `counts` has one number for each of `types`, group by group. */
function writeGroups(
  out: ByteWriter,
  prefix: string,
  groups: GroupIds,
  counts: Float64Array,
  types: readonly EventType[],
): void {
  const { ids, order } = groups;
  for (let i = 0; i < order.length; i++) {
    const group = order[i]!;
    writeTypesOf(out, prefix, ids[group]!, counts, group * types.length, types);
  }
}

/** Rows of the types that occurred in one group. */
function writeTypesOf(
  out: ByteWriter,
  prefix: string,
  id: string,
  counts: Float64Array,
  from: number,
  types: readonly EventType[],
): void {
  for (let i = 0; i < types.length; i++) {
    const count = counts[from + i]!;
    if (count === 0) continue;
    // Piece by piece: a joined text would be made only to be taken apart again, millions of times in a large park.
    out.text(prefix);
    out.text(id);
    out.text(id === '' ? '' : ',');
    out.text(types[i]!);
    out.text(',');
    out.number(count);
    out.text('\n');
  }
}
