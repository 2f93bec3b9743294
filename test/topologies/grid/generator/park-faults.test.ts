import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { silentLogger } from '../../../../src/common/logger.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import { faultNames } from '../../../../topologies/grid/generator/park-faults.ts';
import { Faults } from '../../../../topologies/grid/import/faults.ts';
import { importPark } from '../../../../topologies/grid/import/import-park.ts';
import type { ImportRow, ImportSource } from '../../../../topologies/grid/import/import-source.ts';
import { importTables } from '../../../../topologies/grid/import/import-tables.ts';
import { ParkDifference } from '../../../../topologies/grid/import/park-difference.ts';
import type { ParkTarget } from '../../../../topologies/grid/import/park-target.ts';
import { made, newFolder } from './generated-set.ts';

/** The files of a park as tables of a database. */
function sourceOf(folder: string): ImportSource {
  const rowsOf = (table: string): string[][] => parse(readFileSync(join(folder, `${table}.csv`)), { bom: true });
  return {
    name: folder,
    open: async () => {},
    tables: async () =>
      importTables.map(({ name }) => ({
        schema: 'park',
        table: name,
        columns: rowsOf(name)[0]!.map((column) => ({ name: column, type: 'varchar' })),
      })),
    async *rows({ table }, columns): AsyncIterable<readonly ImportRow[]> {
      const [header, ...rows] = rowsOf(table);
      yield rows.map((row) => columns.map((name) => row[header!.indexOf(name)]!));
    },
    close: async () => {},
  };
}

const nowhere: ParkTarget = {
  name: 'nowhere',
  last: async () => undefined,
  apply: async () => new ParkDifference(Zone.of('UTC')),
};

/** What an import finds in a park: the lines of its list. */
async function found(t: ExecutionContext, park: string): Promise<readonly string[]> {
  const faults = new Faults(join(newFolder(t), 'faults.csv'));
  await importPark({
    ...{ sources: [sourceOf(park)], target: nowhere, map: new Map(), faults, quarantine: true, maxShrink: 20 },
    ...{ dryRun: false, logger: silentLogger, signal: new AbortController().signal },
  });
  return existsSync(faults.file) ? linesOf(faults.file) : [];
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').sort();
}

const park = { days: 1, eventsPerDay: 10, meters: 100, concentrators: 20 };

test('an import finds exactly the faults that a park was made with', async (t) => {
  const out = await made(t, { ...park, faults: faultNames });
  const listed = linesOf(join(out, 'truth/park-faults.csv'));
  t.is(listed.length, faultNames.length + 1);
  t.deepEqual(await found(t, join(out, 'park')), listed);
});

for (const name of faultNames) {
  test(`a park with the fault ${name} has that one alone`, async (t) => {
    const out = await made(t, { ...park, faults: [name] });
    const listed = linesOf(join(out, 'truth/park-faults.csv'));
    t.is(listed.length, 2);
    t.deepEqual(await found(t, join(out, 'park')), listed);
  });
}

test('a park without faults has none, and one of the usual kind has those that parks grow', async (t) => {
  const sound = await made(t, { ...park, faults: [] });
  t.deepEqual(await found(t, join(sound, 'park')), []);
  t.is(readFileSync(join(sound, 'truth/park-faults.csv'), 'utf8'), 'table,key,what\n');
  const usual = await made(t, park);
  t.true((await found(t, join(usual, 'park'))).length > 0);
});
