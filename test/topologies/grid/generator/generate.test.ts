import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'csv-parse/sync';
import { parseCivilDate } from '../../../../src/common/time/civil.ts';
import { generate } from '../../../../topologies/grid/generator/generate.ts';
import type { GenerateOptions, GenerateProgress } from '../../../../topologies/grid/generator/generate-plan.ts';
import { goldenPath, goldenTest } from '../park/golden-data.ts';
import { contents, hashes, lateRows, made, newFolder, small } from './generated-set.ts';
import { rowsOf } from './naive-statistics.ts';

test('in bursts nine of ten events of an hour come within its first minute', async (t) => {
  const out = await made(t, { days: 1, eventsPerDay: 2400, bursty: true });
  const times = rowsOf(readFileSync(join(out, 'events/event_20171220.csv'))).map((row) =>
    row.date_occur_evt!.slice(11),
  );
  t.deepEqual(times, [...times].sort());
  for (let hour = 0; hour < 24; hour++) {
    const prefix = String(hour).padStart(2, '0');
    t.is(times.filter((time) => time.startsWith(prefix)).length, 100);
    t.is(times.filter((time) => time.startsWith(`${prefix}:00:`)).length, 90);
  }
});

test('the clock of an equipment is always wrong by the same, and none is an hour ahead', async (t) => {
  const out = await made(t, { days: 3, eventsPerDay: 2880, skewSeconds: 7200 });
  const rows = [0, 1, 2].flatMap((i) => rowsOf(readFileSync(join(out, `events/event_2017122${i}.csv`))));
  t.is(rows.length, 3 * 2880);
  const last = new Map<string, string>();
  const day = (text: string): string => text.slice(0, 10);
  let crossed = 0;
  for (const row of rows) {
    if (day(row.date_occur_evt!) > day(row.date_system_evt!)) crossed++;
    const late = Date.parse(`${row.date_occur_evt}Z`) - Date.parse(`${row.date_system_evt}Z`);
    t.true(late <= 3_600_000, JSON.stringify(row));
    // By a clock that is wrong by the same all the time its own rows are in order.
    const key = row.type_equipement! + row.id_equipement!;
    t.true((last.get(key) ?? '') <= row.date_occur_evt!, key);
    last.set(key, row.date_occur_evt!);
  }
  const occurred = rows.map((row) => row.date_occur_evt!);
  t.notDeepEqual(occurred, [...occurred].sort(), 'clocks differ');
  t.true(crossed > 0, 'a clock that is ahead has rows of tomorrow in the file of today');
});

test('rows that come twice are in the files twice, and those that come too late are listed', async (t) => {
  const plain = await made(t, { days: 6 });
  const out = await made(t, { days: 6, duplicates: 0.1, tooLate: 0.1 });
  const lines = (folder: string): string[] =>
    [0, 1, 2, 3, 4, 5].flatMap((i) =>
      rowsOf(readFileSync(join(folder, `events/event_2017122${i}.csv`))).map(
        ({ id_evt, type_evt, id_equipement }) => `${id_evt} ${type_evt} ${id_equipement}`,
      ),
    );
  const [before, after] = [lines(plain), lines(out)];
  t.deepEqual([...new Set(after)].sort(), [...new Set(before)].sort(), 'the same events');
  const twice = after.length - before.length;
  t.true(twice > 200 && twice < 400, `${twice} of 3000`);
  const late = lateRows(out);
  // Of the last three days nothing can come too late.
  t.true(late.length > 90 && late.length < 210, `${late.length} of 1500`);
  for (const { file, line } of late) {
    const occurred = readFileSync(join(out, 'events', file), 'utf8')
      .split('\n')
      [line - 1]!.slice(0, 8);
    t.is(Number(file.slice(6, 14)) - Number(occurred), 3);
  }
});

test('a park may be made in the communes of a file', async (t) => {
  const folder = newFolder(t);
  const file = join(folder, 'communes.csv');
  writeFileSync(
    file,
    'id_commune,id_departement,id_region,Code INSEE,libelle_commune\n26,01,4,01026,"BÂGÉ, LE CHÂTEL"\n1,97,23,97105,ISLE\n2,97,22,97305,WOOD\n',
  );
  const out = await made(t, { days: 2, communes: file });
  const communes = rowsOf(readFileSync(join(out, 'park/communes.csv')));
  t.deepEqual(
    communes.map((row) => [row['Code INSEE'], row['libelle_commune'], row['id_departement'], row['id_region']]),
    [
      ['01026', 'BÂGÉ, LE CHÂTEL', '01', '4'],
      ['97105', 'ISLE', '97', '23'],
      ['97305', 'WOOD', '97', '22'],
    ],
  );
  t.deepEqual(
    rowsOf(readFileSync(join(out, 'park/departements.csv'))).map((row) => Object.values(row).join()),
    ['01,4,DEPARTEMENT 01', '97,23,DEPARTEMENT 97', '97,22,DEPARTEMENT 97'],
  );
  for (const { code_insee_commune } of rowsOf(readFileSync(join(out, 'park/pdk.csv'))))
    t.true(communes.some((row) => row['Code INSEE'] === code_insee_commune));
});

test('options that do not go together are refused', async (t) => {
  const out = newFolder(t);
  const { meters, ...rest } = small;
  for (const [options, message] of [
    [{ ...small, park: 'park' }, /--park is a park that is there, and --meters says how to make one/],
    [rest, /give --meters and --concentrators to make a park, or --park DIR/],
    [{ ...small, tooLate: 0.1, eventsPerDay: 10 }, /--events-per-day is 10: give at least 100 with --too-late/],
    [{ ...small, duplicates: 2 }, /--duplicates is 2: give a share/],
    [{ ...small, skewSeconds: 50_000 }, /--skew is 50000: give a whole number from 0 to 43200/],
  ] as const)
    await t.throwsAsync(generate({ ...options, out }), { message });
});

test('the same options with the same seed give the same bytes, another seed gives others', async (t) => {
  const options = { late: true, damage: 0.05 };
  const [first, second, other] = [
    await made(t, options),
    await made(t, options),
    await made(t, { ...options, seed: 2 }),
  ];
  t.deepEqual(hashes(first), hashes(second));
  const [one, two] = [hashes(first), hashes(other)];
  t.deepEqual([...one.keys()], [...two.keys()]);
  for (const file of ['events/event_20171220.csv', 'park/pdc.csv', 'park/communes.csv', 'truth/damaged.csv']) {
    t.not(one.get(file), two.get(file), file);
  }
});

test('a set has a file a day, the nine files of the park and the truth', async (t) => {
  const out = await made(t, { days: 3 });
  const park = 'communes compteurs concentrateurs departements installation_c installation_k pdc pdk region'.split(' ');
  const statistics = ['day', 'month', 'week', 'year'].flatMap((period) =>
    ['commune', 'departement', 'equipment', 'pdk', 'region', 'type'].map((grouping) => `${period}_${grouping}`),
  );
  t.deepEqual(
    [...contents(out).keys()],
    [
      ...['20171220', '20171221', '20171222'].map((day) => `events/event_${day}.csv`),
      ...park.map((name) => `park/${name}.csv`),
      'truth/damaged.csv',
      ...statistics.map((name) => `truth/statistics/${name}.csv`),
    ],
  );
  t.is(readFileSync(join(out, 'truth/damaged.csv'), 'utf8'), 'file,line,offset,reason\n');
});

test('a day has one event per interval, which arrives at noon or at the end of the day', async (t) => {
  const out = await made(t, { days: 1, eventsPerDay: 8640 });
  const text = readFileSync(join(out, 'events/event_20171220.csv'), 'utf8');
  t.false(text.includes('"'));
  const rows = rowsOf(text);
  t.is(rows.length, 8640);
  rows.forEach((row, i) => {
    const occurred = new Date(Date.UTC(2017, 11, 20) + i * 10_000).toISOString().slice(0, 19).replace('T', ' ');
    t.is(row.date_occur_evt, occurred);
    t.is(row.id_evt, occurred.replace(/\D/g, ''));
    t.is(row.date_system_evt, `2017-12-20 ${i < 4320 ? '12:00:00' : '23:59:59'}`);
    t.is(row.type_equipement, row.type_evt === 'ev_C' ? 'C' : 'K');
    t.is(row.info_div, '');
  });
  const shares = ['ev_C', 'ev_K', 'ev_N'].map((type) => rows.filter((row) => row.type_evt === type).length / 8640);
  for (const [i, expected] of [30 / 41, 8 / 41, 3 / 41].entries()) t.true(Math.abs(shares[i]! - expected) < 0.02);
});

test('above 86,400 events a day several share a second and an id', async (t) => {
  const out = await made(t, { days: 1, eventsPerDay: 172_800 });
  const lines = readFileSync(join(out, 'events/event_20171220.csv'), 'utf8').trimEnd().split('\n').slice(1);
  t.is(lines.length, 172_800);
  t.is(new Set(lines.map((line) => line.slice(0, 14))).size, 86_400);
});

test('late rows stand up to 12 h behind, also in the next file, and no row is missing', async (t) => {
  const [sorted, late] = [await made(t), await made(t, { late: true })];
  const events = (out: string): string[] =>
    readdirSync(join(out, 'events')).flatMap((file) =>
      rowsOf(readFileSync(join(out, 'events', file))).map(
        (row) => `${row.date_occur_evt} ${row.type_evt} ${row.id_equipement} ${file}`,
      ),
    );
  const withoutFile = (event: string): string => event.slice(0, event.lastIndexOf(' '));
  const [before, after] = [events(sorted), events(late)];
  t.notDeepEqual(after.map(withoutFile), before.map(withoutFile));
  t.deepEqual(after.map(withoutFile).sort(), before.map(withoutFile).sort());
  let newest = 0;
  let latest = 0;
  for (const event of after) {
    const time = Date.parse(`${event.slice(0, 10)}T${event.slice(11, 19)}Z`);
    newest = Math.max(newest, time);
    latest = Math.max(latest, newest - time);
  }
  t.true(latest > 11 * 3_600_000 && latest <= 12 * 3_600_000);
  t.true(after.some((event) => !event.endsWith(`event_${event.slice(0, 10).replaceAll('-', '')}.csv`)));
  for (const { date_occur_evt, date_system_evt } of rowsOf(readFileSync(join(late, 'events/event_20171225.csv')))) {
    t.true(date_system_evt! >= date_occur_evt!);
    t.is(date_system_evt!.slice(0, 10), '2017-12-25');
  }
});

test('the park has keys that are no numbers, five departements 97, and installations that end, move and overlap', async (t) => {
  const out = await made(t, { meters: 400, concentrators: 60 });
  const read = (name: string): Record<string, string>[] =>
    parse(readFileSync(join(out, 'park', `${name}.csv`)), { columns: true });
  const departements = read('departements');
  t.is(departements.filter((row) => row.id_departement === '97').length, 5);
  t.is(new Set(departements.filter((row) => row.id_departement === '97').map((row) => row.id_region)).size, 5);
  t.true(departements.some((row) => row.id_departement === '2A'));
  const communes = read('communes').map((row) => row['Code INSEE']!);
  t.true(communes.length > 300 && new Set(communes).size === communes.length);
  t.true(communes.every((code) => /^(2[AB]|\d\d)\d{3}$/.test(code)) && communes.some((code) => code.startsWith('01')));
  t.is(read('compteurs').length, 400);
  t.is(read('concentrateurs').length, 60);
  const installations = read('installation_c');
  const ended = installations.filter((row) => row.date_fin !== '');
  const replaced = ended.filter((row) =>
    installations.some((next) => next.id_pdc === row.id_pdc && next.id_compteur !== row.id_compteur),
  );
  t.is(replaced.length, 20);
  const moved = ended.filter((row) =>
    installations.some((next) => next.id_compteur === row.id_compteur && next !== row),
  );
  t.true(moved.length > 0);
  const open = new Map<string, number>();
  for (const row of installations)
    if (row.date_fin === '') open.set(row.id_compteur!, (open.get(row.id_compteur!) ?? 0) + 1);
  t.true([...open.values()].some((count) => count === 2));
  t.true(read('pdc').some((row) => !communes.includes(row.code_insee_commune!)));
  t.true(read('installation_k').some((row) => row.date_fin !== ''));
});

test('a set of one meter, one concentrator and one event is possible', async (t) => {
  const out = await made(t, { meters: 1, concentrators: 1, days: 1, eventsPerDay: 1 });
  t.is(readFileSync(join(out, 'truth/statistics/day_type.csv'), 'utf8').split('\n').length, 3);
});

test('a day that the zone left out gets no file', async (t) => {
  const out = await made(t, { from: parseCivilDate('2011-12-29')!, days: 3, zone: 'Pacific/Apia' });
  t.deepEqual(readdirSync(join(out, 'events')), ['event_20111229.csv', 'event_20111231.csv']);
});

test('progress is told after each day, and its last is the result', async (t) => {
  const seen: GenerateProgress[] = [];
  const out = newFolder(t);
  const result = await generate({ ...small, out, days: 4, onProgress: (progress) => seen.push(progress) });
  t.deepEqual(
    seen.map(({ daysDone, rows }) => [daysDone, rows]),
    [
      [1, 500],
      [2, 1000],
      [3, 1500],
      [4, 2000],
    ],
  );
  t.deepEqual(seen.at(-1), result);
  const bytes = [...contents(join(out, 'events')).values()].reduce((sum, file) => sum + file.length, 0);
  t.deepEqual([result.bytes, result.damaged, result.days], [bytes, 0, 4]);
});

test('options out of range are refused with their names', async (t) => {
  const cases: [Partial<GenerateOptions>, RegExp][] = [
    [{ days: 0 }, /^--days is 0: give a whole number from 1/],
    [{ meters: 1.5 }, /--meters/],
    [{ concentrators: Number.NaN }, /--concentrators/],
    [{ seed: -1 }, /--seed/],
    [{ eventsPerDay: 0 }, /--events-per-day/],
    [{ damage: 1.01 }, /--damage is 1\.01: give a share/],
    [{ from: parseCivilDate('2198-12-31')!, days: 2 }, /--from and --days leave the years/],
  ];
  for (const [options, message] of cases) await t.throwsAsync(made(t, options), { code: 'STREAMS_USAGE', message });
  await t.throwsAsync(made(t, { zone: 'Nowhere/City' }), { code: 'STREAMS_CONFIG' });
});

test('a folder with the same set is written again, one with other event files is refused', async (t) => {
  const out = newFolder(t);
  await generate({ ...small, out });
  await generate({ ...small, out });
  await t.throwsAsync(generate({ ...small, days: 5, out }), {
    code: 'STREAMS_USAGE',
    message: /holds event_20171225\.csv/,
  });
  const mixed = newFolder(t);
  mkdirSync(join(mixed, 'events'));
  writeFileSync(join(mixed, 'events/event_20010101.csv'), '');
  await t.throwsAsync(generate({ ...small, out: mixed }), { code: 'STREAMS_USAGE' });
});

test('what the disk refuses is told with the folder', async (t) => {
  const out = newFolder(t);
  writeFileSync(join(out, 'park'), 'in the way');
  const message = /^cannot write the data set in .*EEXIST/;
  await t.throwsAsync(generate({ ...small, out }), { code: 'STREAMS_FILE', message });
});

goldenTest('files have the golden headers', async (t) => {
  const out = await made(t, { days: 1 });
  const header = (path: string): string => readFileSync(path, 'utf8').split('\n')[0]!;
  for (const name of readdirSync(goldenPath('park')))
    t.is(header(join(out, 'park', name)), header(goldenPath('park', name)), name);
  for (const name of readdirSync(goldenPath('statistics'))) {
    t.is(header(join(out, 'truth/statistics', name)), header(goldenPath('statistics', name)), name);
  }
  t.is(header(join(out, 'events/event_20171220.csv')), header(goldenPath('events/event_20171220.csv')));
});
