import { loadPark } from '../park/load-park.ts';
import { compareParkIds, type Installations, type Park, type ParkId } from '../park/park.ts';
import { addTo, type Move, nowhere } from './made-equipments.ts';
import type { Spot } from './made-park.ts';
import { InstalledSenders, type Senders } from './senders.ts';

/** The equipments of one type as the truth needs them: where each is on the first day, and what changes on which day. */
export interface PlacedEquipments {
  readonly count: number;
  /** Spot of each on the first day, by its number - 1; {@link nowhere}. */
  readonly spots: Int32Array;
  readonly moves: ReadonlyMap<number, readonly Move[]>;
  /** The id of a number, which is what rows bear. @defaultValue the number itself */
  readonly ids?: Float64Array;
}

/** A park as the truth needs it. */
export interface PlacedPark {
  readonly spots: readonly Spot[];
  readonly meters: PlacedEquipments;
  readonly concentrators: PlacedEquipments;
}

/** A park that is there already, and what sends in it. */
export interface KnownPark {
  readonly park: PlacedPark;
  readonly meters: Senders;
  readonly concentrators: Senders;
}

/**
 * Reads the park of a folder to make events for it. What is installed on a day sends on it. Only equipments whose ids events may bear, whole numbers, send.
 *
 * Where each is on each day is searched for in the rows: of those that hold the one that began last, of several the one at the greater place; a chain that is broken leads nowhere.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` as `loadPark`.
 */
export async function knownPark(folder: string, firstDay: number, days: number): Promise<KnownPark> {
  const park = await loadPark(folder, { manufacturers: false });
  const spots = new Spots(park);
  const range = { firstDay, lastDay: firstDay + days - 1 };
  const meters = placed(park.meterInstallations, range, (pdc) => spots.ofDeliveryPoint(pdc));
  const concentrators = placed(park.concentratorInstallations, range, (pdk) => spots.ofSubstation(pdk));
  return {
    park: { spots: spots.all, meters: meters.equipments, concentrators: concentrators.equipments },
    meters: meters.senders,
    concentrators: concentrators.senders,
  };
}

/** Pairs of substation and commune, numbered. */
class Spots {
  readonly all: Spot[] = [];
  readonly #park: Park;
  readonly #numbers: Map<string, number> = new Map();

  constructor(park: Park) {
    this.#park = park;
  }

  ofDeliveryPoint(pdc: ParkId): number {
    const point = this.#park.deliveryPoints.get(pdc);
    if (point === undefined || !this.#park.substations.has(point.pdk)) return nowhere;
    return this.#of(point.pdk, point.commune);
  }

  ofSubstation(pdk: ParkId): number {
    const commune = this.#park.substations.get(pdk);
    return commune === undefined ? nowhere : this.#of(pdk, commune);
  }

  #of(pdk: ParkId, code: string): number {
    const commune = this.#park.communes.get(code);
    if (commune === undefined) return nowhere;
    const key = `${pdk}\n${code}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const { name, departement, region } = commune;
      number = this.all.push({ pdk, commune: { code, name, departement, region } }) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}

interface Range {
  readonly firstDay: number;
  readonly lastDay: number;
}

function placed(
  installations: Installations,
  { firstDay, lastDay }: Range,
  spotOf: (place: ParkId) => number,
): { readonly equipments: PlacedEquipments; readonly senders: Senders } {
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < installations.equipment.length; row++) {
    const id = installations.equipment[row]!;
    if (typeof id !== 'number') continue;
    const rows = rowsOf.get(id);
    if (rows === undefined) rowsOf.set(id, [row]);
    else rows.push(row);
  }
  const ids = Float64Array.from(rowsOf.keys()).sort();
  const spots = new Int32Array(ids.length).fill(nowhere);
  const moves = new Map<number, Move[]>();
  const changes: [day: number, equipment: number, installed: boolean][] = [];
  ids.forEach((id, i) => {
    const rows = rowsOf.get(id)!;
    let spot: number = nowhere;
    let installed = false;
    for (const day of daysOfChange(installations, rows, firstDay, lastDay)) {
      const row = winnerOn(installations, rows, day);
      const now = row === undefined ? nowhere : spotOf(installations.place[row]!);
      if (now !== spot && day === firstDay) spots[i] = now;
      else if (now !== spot) addTo(moves, day, { equipment: i + 1, spot: now });
      if (installed !== (row !== undefined)) changes.push([day, i + 1, row !== undefined]);
      spot = now;
      installed = row !== undefined;
    }
  });
  return { equipments: { count: ids.length, spots, moves, ids }, senders: new InstalledSenders(changes) };
}

/** The first day, and all later days on which a row begins to hold or no longer holds. */
function daysOfChange(
  { firstDay, lastDay }: Installations,
  rows: readonly number[],
  from: number,
  to: number,
): readonly number[] {
  const days = new Set([from]);
  for (const row of rows)
    for (const day of [firstDay[row]!, lastDay[row]! + 1]) if (day > from && day <= to) days.add(day);
  return [...days].sort((a, b) => a - b);
}

function winnerOn(
  { firstDay, lastDay, place }: Installations,
  rows: readonly number[],
  day: number,
): number | undefined {
  let winner: number | undefined;
  for (const row of rows) {
    if (firstDay[row]! > day || lastDay[row]! < day) continue;
    if (
      winner === undefined ||
      firstDay[row]! > firstDay[winner]! ||
      (firstDay[row] === firstDay[winner] && compareParkIds(place[row]!, place[winner]!) >= 0)
    )
      winner = row;
  }
  return winner;
}
