import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { stillThere } from '../park/park.ts';
import type { Faults } from './faults.ts';
import type { IdIndex } from './id-index.ts';
import { importDate } from './import-date.ts';
import type { ImportRow } from './import-source.ts';
import type { ImportTable, TableName } from './import-tables.ts';
import type { ImportedPark, InstallationColumns } from './imported-park.ts';

/** Takes a row of a table into the park. Undefined: what is wrong with it, and it is not taken. */
type TakeRow = (park: ImportedPark, cells: readonly string[]) => string | undefined;

/** How many of a table's columns make its key; of an installation all but the end. */
const keyColumns: Readonly<Record<TableName, number>> = {
  region: 1,
  departements: 2,
  communes: 1,
  pdk: 1,
  pdc: 1,
  compteurs: 1,
  installation_c: 3,
  concentrateurs: 1,
  installation_k: 3,
};

/**
 * What takes rows of a table into the park. A row with an empty key, an id with decimals, a reference to a row that is not in the park, or an impossible date is not taken but named among the faults, and
 * so are then those that refer to it.
 *
 * Tables must come in the order of `importTables`.
 *
 * @param decimals - Of each column: whether the database may write a whole number with decimals.
 */
export function rowJudge(
  table: ImportTable,
  decimals: readonly boolean[],
  park: ImportedPark,
  faults: Faults,
): (row: ImportRow) => void {
  const take = takers[table.name];
  const { columns } = table;
  const cells: string[] = columns.map(() => '');
  return (row) => {
    let wrong: string | undefined;
    for (let i = 0; i < columns.length; i++) {
      const cell = row[i] ?? '';
      cells[i] = cell;
      const { kind, open } = columns[i]!;
      if (cell.trim() === '' && kind !== 'text' && open !== true) wrong ??= `${columns[i]!.name} is empty`;
      // No event and no other table would name it so.
      if (kind === 'id' && decimals[i] && cell.includes('.'))
        wrong ??= `${columns[i]!.name} ${cell} is not a whole number`;
    }
    const what = wrong ?? take(park, cells);
    if (what !== undefined) faults.add({ table: table.name, key: keyOf(table, cells), what });
  };
}

/** A row's key as faults name it: `id_pdc=7`. */
function keyOf({ name, columns }: ImportTable, cells: readonly string[]): string {
  return columns
    .slice(0, keyColumns[name])
    .map((column, i) => `${column.name}=${cells[i]}`)
    .join(' ');
}

const twice = 'the key is there twice';

const takers: Readonly<Record<TableName, TakeRow>> = {
  region: (park, [region, name]) => addNamed(park.regions, region!, park.regionNames, name!),
  departements: (park, [departement, region, name]) => {
    if (park.regions.find(region!) < 0) return dangling('id_region', region!, 'region');
    return addNamed(park.departements, `${departement}\n${region}`, park.departementNames, name!);
  },
  communes: (park, [code, departement, region, name]) => {
    const regionNumber = park.regions.find(region!);
    if (regionNumber < 0) return dangling('id_region', region!, 'region');
    const departementNumber = park.departements.find(`${departement}\n${region}`);
    if (departementNumber < 0) return `id_departement ${departement} with id_region ${region} is not in departements`;
    const fault = addNamed(park.communes, code!, park.communeNames, name!);
    if (fault !== undefined) return fault;
    park.communeDepartement.push(departementNumber);
    park.communeRegion.push(regionNumber);
    return undefined;
  },
  pdk: (park, [pdk, commune]) => {
    const communeNumber = park.communes.find(commune!);
    if (communeNumber < 0) return dangling('code_insee_commune', commune!, 'communes');
    const fault = addNew(park.substations, pdk!);
    if (fault === undefined) park.substationCommune.push(communeNumber);
    return fault;
  },
  pdc: (park, [pdc, pdk, commune]) => {
    const substation = park.substations.find(pdk!);
    if (substation < 0) return dangling('id_pdk', pdk!, 'pdk');
    const communeNumber = park.communes.find(commune!);
    if (communeNumber < 0) return dangling('code_insee_commune', commune!, 'communes');
    const fault = addNew(park.deliveryPoints, pdc!);
    if (fault !== undefined) return fault;
    park.deliveryPointSubstation.push(substation);
    park.deliveryPointCommune.push(communeNumber);
    return undefined;
  },
  compteurs: (park, [meter]) => addNew(park.meters, meter!),
  concentrateurs: (park, [concentrator]) => addNew(park.concentrators, concentrator!),
  installation_c: (park, [meter, pdc, first, last]) => {
    const equipment = park.meters.find(meter!);
    if (equipment < 0) return dangling('id_compteur', meter!, 'compteurs');
    const place = park.deliveryPoints.find(pdc!);
    if (place < 0) return dangling('id_pdc', pdc!, 'pdc');
    return addInstallation(park.meterInstallations, equipment, place, first!, last!);
  },
  installation_k: (park, [concentrator, pdk, first, last]) => {
    const equipment = park.concentrators.find(concentrator!);
    if (equipment < 0) return dangling('id_concentrateurs', concentrator!, 'concentrateurs');
    const place = park.substations.find(pdk!);
    if (place < 0) return dangling('id_pdk', pdk!, 'pdk');
    return addInstallation(park.concentratorInstallations, equipment, place, first!, last!);
  },
};

function addNew(ids: IdIndex, id: string): string | undefined {
  const before = ids.size;
  return ids.add(id) < before ? twice : undefined;
}

function addNamed(ids: IdIndex, id: string, names: string[], name: string): string | undefined {
  const fault = addNew(ids, id);
  if (fault === undefined) names.push(name);
  return fault;
}

function dangling(column: string, id: string, table: TableName): string {
  return `${column} ${id} is not in ${table}`;
}

function addInstallation(
  rows: InstallationColumns,
  equipment: number,
  place: number,
  first: string,
  last: string,
): string | undefined {
  const firstDay = importDate(first);
  if (firstDay === undefined || firstDay === stillThere) return `date_deb ${first} is not a day`;
  const lastDay = last.trim() === '' ? stillThere : importDate(last);
  if (lastDay === undefined) return `date_fin ${last} is not a day`;
  if (lastDay < firstDay)
    return `it ends on ${formatCivilDate(lastDay)}, before it begins on ${formatCivilDate(firstDay)}`;
  rows.equipment.push(equipment);
  rows.place.push(place);
  rows.firstDay.push(firstDay);
  rows.lastDay.push(lastDay);
  return undefined;
}
