import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type DatabaseServer, databasePassword, startMariaDb, startPostgres } from '../../helpers/databases.ts';
import { parcTables, parkTables, reseauxTables, writeTables } from '../../helpers/park-tables.ts';
import { PartMissing, skipWithout } from '../../helpers/parts.ts';

/** Where the golden data are. */
export const golden: string = process.env['GOLDEN_DATA'] ?? '../shared/data';

// The programs that the tests start inherit it.
process.env['WEIR_IMPORT_PASSWORD'] = databasePassword;

/** The databases that imports are tested with. */
export const engines: Readonly<Record<string, typeof startMariaDb>> = {
  MariaDB: startMariaDb,
  PostgreSQL: startPostgres,
};

/** A database server that holds a park in its databases `parc` and `reseaux`. */
export interface ImportWorld {
  readonly server: DatabaseServer;
  /** A folder that is removed at the end. */
  readonly folder: string;
  /** The words that name both databases. */
  readonly from: readonly string[];
  /** Writes the tables of a park folder into the databases. */
  write(park: string): void;
}

/** Starts a server with the golden park. It ends with the test. Undefined: the part is missing, and the test has said so. */
export async function importWorld(t: ExecutionContext, start: typeof startMariaDb): Promise<ImportWorld | undefined> {
  const server = await start().catch((error: unknown) => {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  });
  if (server === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'weir-import-'));
  t.teardown(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const database of ['parc', 'reseaux']) server.run(`create database ${database}`);
  const world = {
    ...{ server, folder, from: ['--from', server.url('parc'), '--from', server.url('reseaux')] },
    write(park: string): void {
      const tables = parkTables(park);
      writeTables(server, 'parc', tables, parcTables);
      writeTables(server, 'reseaux', tables, reseauxTables);
    },
  };
  world.write(`${golden}/park`);
  return world;
}

/** A copy of the golden park in which some lines of tables are replaced: `{ installation_c: [['3,3,20170101,', '3,3,20170101,20180110']] }`. */
export function changedPark(
  folder: string,
  changes: Readonly<Record<string, readonly (readonly [string, string])[]>>,
): string {
  cpSync(`${golden}/park`, folder, { recursive: true });
  for (const [table, replacements] of Object.entries(changes)) {
    const file = join(folder, `${table}.csv`);
    let text = readFileSync(file, 'utf8');
    for (const [line, by] of replacements) {
      if (!text.includes(`\n${line}\n`)) throw new Error(`${table} has no line ${line}`);
      text = text.replace(`\n${line}\n`, `\n${by}\n`);
    }
    writeFileSync(file, text);
  }
  return folder;
}
