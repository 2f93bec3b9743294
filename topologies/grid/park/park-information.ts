import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { csvField } from '../events/csv-field.ts';
import { compareParkIds, departementKey, type Installations, type Park, type ParkId, stillThere } from './park.ts';

/** Columns of the park table. */
export const parkInformationColumns: readonly string[] = [
  'meter',
  'meter_manufacturer',
  'meter_from',
  'meter_to',
  'delivery_point',
  ...placeColumns('meter'),
  'substation',
  ...placeColumns('substation'),
  'concentrator',
  'concentrator_manufacturer',
  'concentrator_from',
  'concentrator_to',
];

function placeColumns(of: string): string[] {
  return ['commune', 'commune_name', 'departement', 'departement_name', 'region', 'region_name'].map(
    (column) => `${of}_${column}`,
  );
}

/**
 * The park table as lines of CSV with their line ends, the header first: one row per meter installation x concentrator installation of the
 * same substation that overlap in time, with both places. Sorted by meter as a number, meter_from, concentrator_from, then by delivery point and concentrator.
 *
 * The substation is the one of the meter's delivery point: a meter installation at an unknown delivery point has none and no row. Any other
 * reference row that is not there leaves its columns empty. An installation that ends before it starts never holds and has no row.
 *
 * Rows are made as they are taken, so a park of millions of meters can be written to a file as it comes.
 *
 * @param at - If given, only rows both of whose installations hold on that day. Days count from 1970-01-01.
 */
export function* parkInformation(park: Park, at?: number): Iterable<string> {
  yield `${parkInformationColumns.join(',')}\n`;
  const meters = park.meterInstallations;
  const bySubstation = concentratorsBySubstation(park, at);
  const places = new PlaceCells(park);
  const order = sortedBy(heldRows(meters, at), meters, (i) => meters.equipment[i]!);
  for (let from = 0; from < order.length; ) {
    const to = endOfTies(order, from, meters);
    const pairs: Pair[] = [];
    for (let at = from; at < to; at++) addPairs(park, order[at]!, bySubstation, pairs);
    // A meter with two installations from the same day on is rare: only then do its pairs mix.
    if (to - from > 1) pairs.sort((a, b) => comparePairs(park, a, b));
    for (const pair of pairs) yield lineOf(park, places, pair);
    from = to;
  }
}

/** Row of installation_c and row of installation_k. */
interface Pair {
  readonly meter: number;
  readonly concentrator: number;
}

function heldRows(installations: Installations, at: number | undefined): number[] {
  const rows: number[] = [];
  for (let i = 0; i < installations.equipment.length; i++) {
    const first = installations.firstDay[i]!;
    const last = installations.lastDay[i]!;
    if (first <= last && (at === undefined || (first <= at && at <= last))) rows.push(i);
  }
  return rows;
}

function sortedBy(rows: number[], installations: Installations, id: (row: number) => ParkId): number[] {
  const { firstDay, place } = installations;
  return rows.sort(
    (a, b) =>
      compareParkIds(id(a), id(b)) || firstDay[a]! - firstDay[b]! || compareParkIds(place[a]!, place[b]!) || a - b,
  );
}

/** Installations of concentrators by substation, each list by first day, then by concentrator. */
function concentratorsBySubstation(park: Park, at: number | undefined): ReadonlyMap<ParkId, readonly number[]> {
  const { concentratorInstallations: installations } = park;
  const bySubstation = new Map<ParkId, number[]>();
  for (const row of heldRows(installations, at)) {
    const substation = installations.place[row]!;
    const rows = bySubstation.get(substation);
    if (rows === undefined) bySubstation.set(substation, [row]);
    else rows.push(row);
  }
  for (const rows of bySubstation.values()) rows.sort((a, b) => compareConcentrators(installations, a, b));
  return bySubstation;
}

function compareConcentrators(installations: Installations, a: number, b: number): number {
  const { firstDay, equipment } = installations;
  return firstDay[a]! - firstDay[b]! || compareParkIds(equipment[a]!, equipment[b]!) || a - b;
}

function comparePairs(park: Park, a: Pair, b: Pair): number {
  const { concentratorInstallations: concentrators, meterInstallations: meters } = park;
  return (
    concentrators.firstDay[a.concentrator]! - concentrators.firstDay[b.concentrator]! ||
    compareParkIds(meters.place[a.meter]!, meters.place[b.meter]!) ||
    compareConcentrators(concentrators, a.concentrator, b.concentrator) ||
    a.meter - b.meter
  );
}

/** End of the run of rows of one meter that start on the same day. */
function endOfTies(order: readonly number[], from: number, meters: Installations): number {
  const first = order[from]!;
  let to = from + 1;
  while (
    to < order.length &&
    meters.equipment[order[to]!] === meters.equipment[first] &&
    meters.firstDay[order[to]!] === meters.firstDay[first]
  ) {
    to++;
  }
  return to;
}

function addPairs(
  park: Park,
  meter: number,
  bySubstation: ReadonlyMap<ParkId, readonly number[]>,
  pairs: Pair[],
): void {
  const { meterInstallations: meters, concentratorInstallations: concentrators } = park;
  const point = park.deliveryPoints.get(meters.place[meter]!);
  if (point === undefined) return;
  for (const concentrator of bySubstation.get(point.pdk) ?? []) {
    const from = Math.max(meters.firstDay[meter]!, concentrators.firstDay[concentrator]!);
    const to = Math.min(meters.lastDay[meter]!, concentrators.lastDay[concentrator]!);
    if (from <= to) pairs.push({ meter, concentrator });
  }
}

function lineOf(park: Park, places: PlaceCells, { meter, concentrator }: Pair): string {
  const { meterInstallations: meters, concentratorInstallations: concentrators } = park;
  const pdc = meters.place[meter]!;
  const point = park.deliveryPoints.get(pdc)!;
  const meterId = meters.equipment[meter]!;
  const concentratorId = concentrators.equipment[concentrator]!;
  return `${idCell(meterId)},${csvField(park.meterManufacturers.get(meterId) ?? '')},${datesOf(meters, meter)},${idCell(pdc)},${places.of(point.commune)},${idCell(point.pdk)},${places.of(park.substations.get(point.pdk))},${idCell(concentratorId)},${csvField(park.concentratorManufacturers.get(concentratorId) ?? '')},${datesOf(concentrators, concentrator)}\n`;
}

function idCell(id: ParkId): string {
  return typeof id === 'number' ? String(id) : csvField(id);
}

function datesOf(installations: Installations, row: number): string {
  const last = installations.lastDay[row]!;
  return `${dateCell(installations.firstDay[row]!)},${last === stillThere ? '' : dateCell(last)}`;
}

const dateCells: Map<number, string> = new Map();

function dateCell(day: number): string {
  let text = dateCells.get(day);
  if (text === undefined) {
    text = formatCivilDate(day);
    dateCells.set(day, text);
  }
  return text;
}

/** The six cells of a commune, made once. */
class PlaceCells {
  readonly #park: Park;
  readonly #cells: Map<string | undefined, string> = new Map();

  constructor(park: Park) {
    this.#park = park;
  }

  of(code: string | undefined): string {
    let cells = this.#cells.get(code);
    if (cells === undefined) {
      cells = this.#make(code).map(csvField).join(',');
      this.#cells.set(code, cells);
    }
    return cells;
  }

  #make(code: string | undefined): string[] {
    const park = this.#park;
    const commune = code === undefined ? undefined : park.communes.get(code);
    if (commune === undefined) return [code ?? '', '', '', '', '', ''];
    const { name, departement, region } = commune;
    const departementName = park.departementNames.get(departementKey(departement, region)) ?? '';
    return [code ?? '', name, departement, departementName, region, park.regionNames.get(region) ?? ''];
  }
}
