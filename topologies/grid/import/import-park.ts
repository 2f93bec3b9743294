import type { Logger } from '../../../src/common/logger.ts';
import { withNames } from '../park/place-names.ts';
import type { Faults } from './faults.ts';
import type { ImportSource } from './import-source.ts';
import { importTables, type TableName } from './import-tables.ts';
import { ImportedHistories, type ParkChains } from './imported-histories.ts';
import type { ImportedPark } from './imported-park.ts';
import { chainInstallations } from './installation-chains.ts';
import type { ChangeCounts, MovedWindows } from './park-difference.ts';
import type { LastImport, ParkOfZone, ParkTarget } from './park-target.ts';
import { readPark, refusedPark } from './read-park.ts';
import type { TableCopies } from './table-copies.ts';
import type { TableMap } from './table-map.ts';

/** What is imported, and how. */
export interface ImportParkOptions {
  readonly sources: readonly ImportSource[];
  readonly target: ParkTarget;
  readonly map: TableMap;
  readonly faults: Faults;
  /** True: faulty rows are left out. False: one refuses the whole. */
  readonly quarantine: boolean;
  /** The greatest part of its rows that a table may have lost since the last import, percent. Rows that are left out are lost. */
  readonly maxShrink: number;
  readonly dryRun: boolean;
  readonly copies?: TableCopies;
  readonly logger: Logger;
  /** Aborted: the import ends, and nothing has changed. */
  readonly signal: AbortSignal;
}

/** What an import has done. */
export interface ImportReport {
  readonly target: string;
  readonly dryRun: boolean;
  /** Rows of each table as they were read. */
  readonly rows: Readonly<Record<TableName, number>>;
  readonly difference: ChangeCounts;
  readonly windows: MovedWindows;
  /** Names of places that are new or other than before, or gone. */
  readonly names: number;
  /** Rows that were left out, and the file that names them. */
  readonly quarantined: number;
  readonly quarantine: string | null;
  /** Where the tables are kept as they were read. */
  readonly copy: string | null;
  readonly seconds: number;
}

/**
 * Imports a park: reads it, judges it, and only then applies its difference to the target.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` for faults, with nothing changed; `STREAMS_DATABASE`, and what the target throws.
 */
export async function importPark(options: ImportParkOptions): Promise<ImportReport> {
  const { target, faults, dryRun, signal, copies } = options;
  const startedAt = performance.now();
  try {
    const last = await target.last();
    const { park, rows } = await readPark(options);
    // What was read is kept whatever is thought of it.
    const copy = (await copies?.commit()) ?? null;
    const chains = judgePark(park, rows, last, options);
    const record = { at: new Date().toISOString(), rows: keptRows(rows, faults) };
    const names = park.names();
    const histories: ParkOfZone = (zone) => withNames(new ImportedHistories(park, chains, zone), names);
    const difference = await target.apply(histories, { record, dryRun, signal });
    return {
      ...{ target: target.name, dryRun, rows, difference: difference.counts, windows: difference.windows() },
      names: difference.names,
      ...{ quarantined: faults.count, quarantine: faults.count === 0 ? null : faults.file, copy },
      seconds: Math.round(performance.now() - startedAt) / 1000,
    };
  } finally {
    faults.discard();
    await copies?.abort();
  }
}

function judgePark(
  park: ImportedPark,
  rows: Readonly<Record<TableName, number>>,
  last: LastImport | undefined,
  { faults, quarantine, maxShrink }: ImportParkOptions,
): ParkChains {
  const { meters, deliveryPoints, concentrators, substations } = park;
  const chains = {
    meters: chainInstallations(
      { table: 'installation_c', equipments: meters, places: deliveryPoints, rows: park.meterInstallations },
      faults,
    ),
    concentrators: chainInstallations(
      { table: 'installation_k', equipments: concentrators, places: substations, rows: park.concentratorInstallations },
      faults,
    ),
  };
  const kept = keptRows(rows, faults);
  const whole = importTables.flatMap(({ name }) =>
    tableFault(name, quarantine ? kept[name] : rows[name], last?.rows[name], maxShrink),
  );
  for (const [table, what] of whole) faults.add({ table, key: '', what });
  faults.finish();
  if (whole.length > 0) throw refusedPark(faults, 'Mend the tables; where they are right, give a greater --max-shrink');
  if (faults.count > 0 && !quarantine) throw refusedPark(faults, 'Mend the rows, or leave them out with --quarantine');
  park.forgetDeliveryPoints();
  return chains;
}

/** Rows of each table without the faulty ones. */
function keptRows(rows: ImportReport['rows'], faults: Faults): ImportReport['rows'] {
  const kept = importTables.map(({ name }) => [name, rows[name] - faults.ofTable(name)]);
  return Object.fromEntries(kept) as ImportReport['rows'];
}

/** What is wrong with a table as a whole. */
function tableFault(
  table: TableName,
  count: number,
  before: number | undefined,
  maxShrink: number,
): readonly (readonly [TableName, string])[] {
  if (count === 0) return [[table, 'the table is empty']];
  if (before === undefined || (before - count) * 100 <= maxShrink * before) return [];
  const percent = Math.round(((before - count) / before) * 1000) / 10;
  return [
    [table, `the table has ${count} rows and had ${before}: it lost ${percent} %, more than --max-shrink ${maxShrink}`],
  ];
}
