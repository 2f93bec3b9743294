import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { StreamsError } from '../../../../src/common/errors.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import type { Version } from '../../../../src/runtime/read-only-stores.ts';
import { changedHistories } from '../../../../topologies/grid/import/changed-histories.ts';
import { Faults } from '../../../../topologies/grid/import/faults.ts';
import { importDate } from '../../../../topologies/grid/import/import-date.ts';
import { type ImportParkOptions, importPark } from '../../../../topologies/grid/import/import-park.ts';
import type { ImportRow, ImportSource } from '../../../../topologies/grid/import/import-source.ts';
import { ParkDifference } from '../../../../topologies/grid/import/park-difference.ts';
import type { LastImport, ParkTarget } from '../../../../topologies/grid/import/park-target.ts';
import { sourceAddresses } from '../../../../topologies/grid/import/source-url.ts';
import { stillThere } from '../../../../topologies/grid/park/park.ts';
import type { Place } from '../../../../topologies/grid/park/place.ts';

type Tables = Record<string, { columns: string[]; rows: ImportRow[]; types?: Record<string, string> }>;

/** A park of two meters and a concentrator. */
const sound = (): Tables => ({
  region: { columns: ['id_region'], rows: [['4']] },
  departements: { columns: ['id_departement', 'id_region'], rows: [['01', '4']] },
  communes: {
    columns: ['code_insee', 'id_departement', 'id_region'],
    rows: [
      ['01026', '01', '4'],
      ['01027', '01', '4'],
    ],
  },
  pdk: { columns: ['id_pdk', 'code_insee_commune'], rows: [['1', '01026']] },
  pdc: {
    columns: ['id_pdc', 'id_pdk', 'code_insee_commune'],
    rows: [
      ['1', '1', '01026'],
      ['2', '1', '01027'],
    ],
  },
  compteurs: { columns: ['id_compteur'], rows: [['8'], ['9']] },
  installation_c: {
    columns: ['id_compteur', 'id_pdc', 'date_deb', 'date_fin'],
    rows: [
      ['8', '1', '2017-01-01', null],
      ['9', '2', '20170101', '2017-12-31'],
    ],
  },
  concentrateurs: { columns: ['id_concentrateur'], rows: [['1']] },
  installation_k: {
    columns: ['id_concentrateur', 'id_pdk', 'date_deb', 'date_fin'],
    rows: [['1', '1', '2017-01-01', '']],
  },
});

/** The same park with names of places. */
const named = (region: string): Tables => ({
  ...sound(),
  region: { columns: ['id_region', 'libelle_region'], rows: [['4', region]] },
  departements: { columns: ['id_departement', 'id_region', 'libelle_departement'], rows: [['01', '4', 'AIN']] },
});

class FakeSource implements ImportSource {
  readonly name = 'fake';
  readonly #tables: Tables;
  constructor(tables: Tables) {
    this.#tables = tables;
  }
  async open(): Promise<void> {}
  async tables(): ReturnType<ImportSource['tables']> {
    return Object.entries(this.#tables).map(([table, { columns, types = {} }]) => ({
      ...{ schema: 'park', table },
      columns: columns.map((name) => ({ name, type: types[name] ?? 'varchar' })),
    }));
  }
  async *rows({ table }: { table: string }, columns: readonly string[]): AsyncIterable<readonly ImportRow[]> {
    const found = this.#tables[table]!;
    yield found.rows.map((row) => columns.map((name) => row[found.columns.indexOf(name)] ?? null));
  }
  async close(): Promise<void> {}
}

/** A target in memory. */
class FakeTarget implements ParkTarget {
  readonly name = 'memory';
  park = new Map<string, readonly Version<Place>[]>();
  record: LastImport | undefined;
  async last(): Promise<LastImport | undefined> {
    return this.record;
  }
  async apply(...[histories, { record, dryRun }]: Parameters<ParkTarget['apply']>): Promise<ParkDifference> {
    const difference = new ParkDifference(Zone.of('UTC'));
    const known = [...this.park].map(([key, versions]) => ({ key, versions }));
    const before = (async function* () {
      yield* known;
    })();
    for await (const [key, versions] of changedHistories(before, histories('UTC'), difference))
      if (!dryRun) this.park.set(key, versions);
    if (!dryRun) this.record = record;
    return difference;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'weir-faults-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
let imports = 0;

function options(tables: Tables, target: ParkTarget, more: Partial<ImportParkOptions> = {}): ImportParkOptions {
  const faults = new Faults(join(folder, `faults-${++imports}.csv`));
  return {
    ...{
      sources: [new FakeSource(tables)],
      target,
      map: new Map(),
      faults,
      quarantine: false,
      maxShrink: 20,
      dryRun: false,
    },
    ...{ logger: silentLogger, signal: new AbortController().signal },
    ...more,
  };
}

test('a sound park is installed, and a second import of it changes nothing', async (t) => {
  const target = new FakeTarget();
  t.like(await importPark(options(sound(), target)), { difference: { installed: 3, unchanged: 0 }, quarantine: null });
  const from = Date.UTC(2017, 0, 1);
  t.deepEqual(target.park.get('C:9'), [
    { validFromMs: from, value: { commune: '01027', departement: '01', pdk: '1', region: '4' } },
    { validFromMs: Date.UTC(2018, 0, 1), value: undefined },
  ]);
  const { difference, windows } = await importPark(options(sound(), target));
  t.deepEqual(difference, { installed: 0, ended: 0, moved: 0, corrected: 0, unchanged: 3 });
  t.deepEqual(windows.day, []);
});

const faulty: readonly (readonly [what: string, table: string, row: ImportRow, fault: RegExp])[] = [
  ['an empty key', 'compteurs', [null], /compteurs,id_compteur=,id_compteur is empty/],
  ['a key that is there twice', 'pdk', ['1', '01027'], /pdk,id_pdk=1,the key is there twice/],
  ['a meter that is not there', 'installation_c', ['7', '1', '20170101', ''], /id_compteur 7 is not in compteurs/],
  [
    'a delivery point that is not there',
    'installation_c',
    ['8', '7', '20160101', '20161231'],
    /id_pdc 7 is not in pdc/,
  ],
  ['a substation that is not there', 'installation_k', ['1', '7', '20160101', '20161231'], /id_pdk 7 is not in pdk/],
  ['a commune that is not there', 'pdc', ['3', '1', '1026'], /code_insee_commune 1026 is not in communes/],
  ['a region that is not there', 'communes', ['01028', '01', '5'], /id_region 5 is not in region/],
  ['an impossible date', 'installation_c', ['8', '2', '20160230', '20161231'], /date_deb 20160230 is not a day/],
  ['a zero date', 'installation_c', ['8', '2', '20160101', '0000-00-00'], /date_fin 0000-00-00 is not a day/],
  [
    'an end before the begin',
    'installation_c',
    ['8', '2', '20160102', '20160101'],
    /ends on 2016-01-01, before it begins on 2016-01-02/,
  ],
  [
    'an overlap',
    'installation_c',
    ['8', '2', '20170601', ''],
    /date_deb=20170601,"?it overlaps the one at id_pdc=1, which begins on 2017-01-01 and has no end/,
  ],
];

for (const [what, table, row, fault] of faulty)
  test(`${what} refuses the whole, or is left out and named with quarantine`, async (t) => {
    const tables = sound();
    tables[table]!.rows.push(row);
    const target = new FakeTarget();
    const whole = options(tables, target);
    const error = await t.throwsAsync(importPark(whole), { instanceOf: StreamsError });
    t.is((error as StreamsError).code, 'STREAMS_INPUT_REFUSED');
    t.is(target.park.size, 0);
    t.is(target.record, undefined);
    t.regex(readFileSync(whole.faults.file, 'utf8'), fault);
    const apart = options(tables, target, { quarantine: true });
    t.is((await importPark(apart)).quarantined, 1);
    t.regex(readFileSync(apart.faults.file, 'utf8'), fault);
    const clean = new FakeTarget();
    await importPark(options(sound(), clean));
    t.deepEqual(target.park, clean.park);
  });

test('an empty table, and one that lost more than a fifth of its rows, are refused even with quarantine', async (t) => {
  const target = new FakeTarget();
  await importPark(options(sound(), target));
  const tables = sound();
  tables['installation_c']!.rows.pop();
  await t.throwsAsync(importPark(options(tables, target, { quarantine: true })), {
    message: /had 2: it lost 50 %, more than --max-shrink 20/,
  });
  tables['installation_c']!.rows = [];
  await t.throwsAsync(importPark(options(tables, target, { maxShrink: 100 })), {
    message: /installation_c: the table is empty/,
  });
  t.is(target.park.size, 3);
});

test('equipment is installed, ended, moved or corrected, and the windows that move are told', async (t) => {
  const target = new FakeTarget();
  await importPark(options(sound(), target));
  const tables = sound();
  tables['installation_c']!.rows = [
    ['8', '1', '2017-01-01', '2018-01-10'],
    ['8', '2', '2018-01-11', null],
    ['9', '2', '20170101', '2017-12-31'],
  ];
  tables['installation_k']!.rows[0] = ['1', '1', '2017-01-01', '2018-06-30'];
  const { difference, windows } = await importPark(options(tables, target));
  t.deepEqual(difference, { installed: 0, ended: 1, moved: 1, corrected: 0, unchanged: 1 });
  t.deepEqual(windows.week, [{ from: '2018-01-08', to: null }]);
  tables['installation_c']!.rows[2] = ['9', '2', '20170101', '2017-12-30'];
  const corrected = await importPark(options(tables, target));
  t.is(corrected.difference.corrected, 1);
  t.deepEqual(corrected.windows.day, [{ from: '2017-12-31', to: '2017-12-31' }]);
});

test('a missing table, a missing column and a type that loses zeros are told together', async (t) => {
  const tables = sound();
  delete tables['pdk'];
  tables['pdc']!.columns[1] = 'substation';
  tables['communes']!.types = { code_insee: 'int' };
  const error = await t.throwsAsync(importPark(options(tables, new FakeTarget())));
  for (const word of [
    /table pdk is missing/,
    /column id_pdk is missing in park.pdc/,
    /code_insee of park.communes is int/,
  ])
    t.regex(error.message, word);
});

test('dates are days in four spellings, and the last day there is means no end', (t) => {
  for (const text of ['20180131', '2018-01-31', '2018-01-31 00:00:00', '2018-01-31T00:00:00.000'])
    t.is(importDate(text), 17_562);
  for (const text of ['2018-02-30', '2018-01-31 12:00:00', '31/01/2018', '0000-00-00'])
    t.is(importDate(text), undefined);
  t.is(importDate('9999-12-31'), stillThere);
});

test('a password in a URL is refused without being repeated; databases of one MySQL server are one source', (t) => {
  const none = { password: undefined, file: undefined, env: {} };
  const error = t.throws(() => sourceAddresses(['mysql://grid:hushed@db/parc'], none));
  t.false(error.message.includes('hushed'));
  const [first, ...others] = sourceAddresses(
    ['mysql://g@db/parc', 'mariadb://g@db/reseaux', 'postgres://g@db/a', 'postgres://g@db/b'],
    { ...none, password: 'p' },
  );
  t.deepEqual(first!.databases, ['parc', 'reseaux']);
  t.deepEqual(
    others.map(({ kind, databases, port }) => [kind, databases, port]),
    [
      ['postgres', ['a'], 5432],
      ['postgres', ['b'], 5432],
    ],
  );
});

test('names of places are imported beside the equipment, and a new name moves nothing', async (t) => {
  const target = new FakeTarget();
  const nameOf = (key: string): string | undefined => target.park.get(key)?.at(-1)?.value?.name;
  t.is((await importPark(options(sound(), target))).names, 0);
  const first = await importPark(options(named('RHONE'), target));
  t.like(first, { names: 2, difference: { installed: 0, unchanged: 3 }, windows: { day: [] } });
  t.deepEqual([nameOf('region:4'), nameOf('departement:01'), nameOf('commune:01026')], ['RHONE', 'AIN', undefined]);
  const second = await importPark(options(named('ALPES'), target));
  t.like(second, { names: 1, difference: { corrected: 0, unchanged: 3 }, windows: { day: [], year: [] } });
  t.is(nameOf('region:4'), 'ALPES');
});

test('a table that several databases have is read from the first, in whatever case each writes its name, and the log says so', async (t) => {
  const { compteurs, ...others } = sound();
  const first = { ...others, Compteurs: compteurs! };
  const second = { compteurs: { columns: ['id_compteur'], rows: [['8']] } };
  const told: unknown[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => told.push(fields) };
  const sources = [new FakeSource(first), new FakeSource(second)];
  const target = new FakeTarget();
  const { rows } = await importPark(options(sound(), target, { sources, logger }));
  t.is(rows.compteurs, 2);
  t.is(told.length, 1);
});

test('an id with decimals is refused: no event has 8.00 as its meter', async (t) => {
  const tables = sound();
  for (const table of ['compteurs', 'installation_c']) {
    tables[table]!.types = { id_compteur: 'decimal' };
    tables[table]!.rows = tables[table]!.rows.map(([id, ...more]) => [`${id}.00`, ...more]);
  }
  const target = new FakeTarget();
  await t.throwsAsync(importPark(options(tables, target)), {
    message: /compteurs id_compteur=8\.00: id_compteur 8\.00 is not a whole number/,
  });
  t.is(target.park.size, 0);
});
