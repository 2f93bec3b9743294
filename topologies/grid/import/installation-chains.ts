import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { compareParkIds, parkId, stillThere } from '../park/park.ts';
import type { Faults } from './faults.ts';
import type { IdIndex } from './id-index.ts';
import type { InstallationColumns } from './imported-park.ts';

/** The rows of each equipment as a chain in the order of their first days. */
export interface InstallationChains {
  /** First row of an equipment, by its number; -1: it has none. */
  readonly heads: Int32Array;
  /** The row after each; -1: it is the last. */
  readonly next: Int32Array;
}

/** Whose installations are chained, for the list of faults. */
export interface ChainedTable {
  readonly table: 'installation_c' | 'installation_k';
  readonly equipments: IdIndex;
  readonly places: IdIndex;
  readonly rows: InstallationColumns;
}

const columnNames = {
  installation_c: ['id_compteur', 'id_pdc'],
  installation_k: ['id_concentrateurs', 'id_pdk'],
} as const;

/**
 * Chains the installations of each equipment. One that begins before an earlier one has ended is named among the faults, and left out of the chain: the equipment stays where it is
 * known to be. Of two that begin on the same day the one at the lesser place id stays.
 */
export function chainInstallations(chained: ChainedTable, faults: Faults): InstallationChains {
  const { equipments, rows } = chained;
  const heads = new Int32Array(equipments.size).fill(-1);
  const next = new Int32Array(rows.equipment.length).fill(-1);
  let several = false;
  for (let row = rows.equipment.length - 1; row >= 0; row--) {
    const equipment = rows.equipment.at(row);
    if (heads[equipment]! >= 0) several = true;
    next[row] = heads[equipment]!;
    heads[equipment] = row;
  }
  if (several)
    for (let equipment = 0; equipment < heads.length; equipment++)
      if (heads[equipment]! >= 0 && next[heads[equipment]!]! >= 0)
        orderChain(chained, { heads, next }, equipment, faults);
  return { heads, next };
}

function orderChain(
  chained: ChainedTable,
  { heads, next }: InstallationChains,
  equipment: number,
  faults: Faults,
): void {
  const { rows, places } = chained;
  const order: number[] = [];
  for (let row = heads[equipment]!; row >= 0; row = next[row]!) order.push(row);
  order.sort(
    (a, b) =>
      rows.firstDay.at(a) - rows.firstDay.at(b) ||
      compareParkIds(parkId(places.text(rows.place.at(a))), parkId(places.text(rows.place.at(b)))) ||
      rows.lastDay.at(a) - rows.lastDay.at(b),
  );
  let last = order[0]!;
  heads[equipment] = last;
  for (const row of order.slice(1)) {
    if (rows.firstDay.at(row) <= rows.lastDay.at(last)) faults.add(overlap(chained, row, last));
    else {
      next[last] = row;
      last = row;
    }
  }
  next[last] = -1;
}

function overlap(
  { table, equipments, places, rows }: ChainedTable,
  row: number,
  other: number,
): Parameters<Faults['add']>[0] {
  const [equipmentColumn, placeColumn] = columnNames[table];
  const place = (of: number): string => `${placeColumn}=${places.text(rows.place.at(of))}`;
  const begin = formatCivilDate(rows.firstDay.at(row)).replaceAll('-', '');
  const lastDay = rows.lastDay.at(other);
  const until = lastDay === stillThere ? 'has no end' : `lasts to ${formatCivilDate(lastDay)}`;
  const since = formatCivilDate(rows.firstDay.at(other));
  return {
    table,
    key: `${equipmentColumn}=${equipments.text(rows.equipment.at(row))} ${place(row)} date_deb=${begin}`,
    what: `it overlaps the one at ${place(other)}, which begins on ${since} and ${until}`,
  };
}
