import { join } from 'node:path';
import { lastCivilDay, parseCompactCivilDate } from '../../../src/common/time/civil.ts';
import { type RowHandler, readTable, tableError } from './csv-table.ts';
import {
  type Commune,
  type DeliveryPoint,
  departementKey,
  type Park,
  type ParkId,
  parkId,
  stillThere,
} from './park.ts';

/** What of the park is loaded. */
export interface LoadParkOptions {
  /**
   * Whether the manufacturers of meters and concentrators are kept. Statistics don't need them, and a large park is smaller without. Their
   * files must be there in any case. @defaultValue true
   */
  readonly manufacturers?: boolean;
  /** Called for each file that was read: its name, and its rows; undefined: nothing but its header is needed. */
  readonly told?: ((file: string, rows: number | undefined) => void) | undefined;
}

/** Reads a file of the folder, as {@link readTable}. */
type ReadFile = (file: string, columns: readonly string[], onRow?: RowHandler) => Promise<void>;

function fileReader(folder: string, told: LoadParkOptions['told']): ReadFile {
  return async (file, columns, onRow) => {
    let rows = 0;
    const counted: RowHandler = (values, line) => {
      rows++;
      onRow?.(values, line);
    };
    await readTable(join(folder, file), columns, onRow && counted);
    told?.(file, onRow && rows);
  };
}

/**
 * Loads the nine CSV files of a park: `communes compteurs concentrateurs departements installation_c installation_k pdc pdk region`.
 *
 * Of two rows with the same id the last one counts (of installations every row counts). A row that refers to a row which is not there is no error.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` with file, line and column for a missing file or column and for a date that is none.
 */
export async function loadPark(folder: string, options: LoadParkOptions = {}): Promise<Park> {
  const manufacturers = options.manufacturers ?? true;
  const read = fileReader(folder, options.told);
  const places = await loadPlaces(read);
  const meterManufacturers = await loadManufacturers(read, 'compteurs.csv', 'id_compteur', manufacturers);
  const concentratorManufacturers = await loadManufacturers(
    read,
    'concentrateurs.csv',
    // The data's spelling, here and in installation_k.csv.
    'id_consentrateur',
    manufacturers,
  );
  const meters = await loadInstallations(folder, read, 'installation_c.csv', 'id_compteur', 'id_pdc');
  const concentrators = await loadInstallations(folder, read, 'installation_k.csv', 'id_concentrateurs', 'id_pdk');
  return {
    ...places,
    meterInstallations: meters,
    concentratorInstallations: concentrators,
    meterManufacturers,
    concentratorManufacturers,
  };
}

type Places = Pick<Park, 'deliveryPoints' | 'substations' | 'communes' | 'departementNames' | 'regionNames'>;

async function loadPlaces(read: ReadFile): Promise<Places> {
  const communes = new Map<string, Commune>();
  const communeColumns = ['Code INSEE', 'libelle_commune', 'id_departement', 'id_region'];
  await read('communes.csv', communeColumns, ([code, name, departement, region]) => {
    communes.set(code!, { name: name!, departement: departement!, region: region! });
  });
  const departementNames = new Map<string, string>();
  const departementColumns = ['id_departement', 'id_region', 'libelle_departement'];
  await read('departements.csv', departementColumns, ([departement, region, name]) => {
    departementNames.set(departementKey(departement!, region!), name!);
  });
  const regionNames = new Map<string, string>();
  await read('region.csv', ['id_region', 'libelle_region'], ([region, name]) => {
    regionNames.set(region!, name!);
  });
  const substations = new Map<ParkId, string>();
  await read('pdk.csv', ['id_pdk', 'code_insee_commune'], ([pdk, commune]) => {
    substations.set(parkId(pdk!), commune!);
  });
  const deliveryPoints = await loadDeliveryPoints(read);
  return { communes, departementNames, regionNames, substations, deliveryPoints };
}

async function loadDeliveryPoints(read: ReadFile): Promise<ReadonlyMap<ParkId, DeliveryPoint>> {
  const shared = new Map<string, DeliveryPoint>();
  const deliveryPoints = new Map<ParkId, DeliveryPoint>();
  await read('pdc.csv', ['id_pdc', 'id_pdk', 'code_insee_commune'], ([pdc, pdk, commune]) => {
    const key = `${pdk}\n${commune}`;
    let deliveryPoint = shared.get(key);
    if (deliveryPoint === undefined) {
      deliveryPoint = { pdk: parkId(pdk!), commune: commune! };
      shared.set(key, deliveryPoint);
    }
    deliveryPoints.set(parkId(pdc!), deliveryPoint);
  });
  return deliveryPoints;
}

async function loadManufacturers(
  read: ReadFile,
  file: string,
  idColumn: string,
  keep: boolean,
): Promise<ReadonlyMap<ParkId, string>> {
  const manufacturers = new Map<ParkId, string>();
  const names = new Map<string, string>();
  const onRow = ([id, manufacturer]: readonly string[]): void => {
    // A short text cut out of a file keeps its own memory: a few hundred manufacturers are shared by millions of meters.
    let name = names.get(manufacturer!);
    if (name === undefined) {
      name = manufacturer!;
      names.set(name, name);
    }
    manufacturers.set(parkId(id!), name);
  };
  await read(file, [idColumn, 'constructeur_id'], keep ? onRow : undefined);
  return manufacturers;
}

async function loadInstallations(
  folder: string,
  read: ReadFile,
  file: string,
  equipmentColumn: string,
  placeColumn: string,
): Promise<Park['meterInstallations']> {
  const equipment: ParkId[] = [];
  const place: ParkId[] = [];
  const firstDay: number[] = [];
  const lastDay: number[] = [];
  const days = new Map<string, number>();
  const dayOf = (text: string, column: string, line: number): number => {
    let day = days.get(text);
    if (day === undefined) {
      day = parseCompactCivilDate(text);
      if (day === undefined) {
        const remedy = 'Write an existing day as YYYYMMDD; only date_fin may be empty.';
        throw tableError(join(folder, file), line, `column "${column}": "${text}" is no date`, remedy);
      }
      days.set(text, day);
    }
    return day;
  };
  await read(file, [equipmentColumn, placeColumn, 'date_deb', 'date_fin'], ([id, at, first, last], line) => {
    equipment.push(parkId(id!));
    place.push(parkId(at!));
    firstDay.push(dayOf(first!, 'date_deb', line));
    const end = last === '' ? stillThere : dayOf(last!, 'date_fin', line);
    // The last day that there is says that there is no end; the day after it is none.
    lastDay.push(end === lastCivilDay ? stillThere : end);
  });
  return { equipment, place, firstDay, lastDay };
}
