import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { dataSet, digestOf, eventFile, good, startWeir, temporary, until, weir } from './weir.ts';

const plan = '--from 2018-03-20 --days 10 --meters 20 --concentrators 4 --seed 5 --events-per-day 600';

test('generate makes a data set by its options', async (t) => {
  const folder = await temporary(t);
  await dataSet(join(folder, 'a'), { late: true, damage: 0.01, zone: 'America/Sao_Paulo' });
  const line = `generate --out ${folder}/b ${plan} --late --damage 1% --zone America/Sao_Paulo --json`;
  const { code, stdout, stderr } = await weir(line);
  t.is(code, 0, stderr);
  const summary = JSON.parse(stdout);
  t.like(summary, { days: 10, rows: 6000 });
  t.regex(stderr, /^generate: 10\/10 files, 6,000 rows, .* dead \d+/m);
  for (const part of ['events', 'park', 'truth', 'truth/statistics']) {
    const names = await readdir(join(folder, 'a', part));
    t.deepEqual(await readdir(join(folder, 'b', part)), names);
    for (const name of names.filter((each) => each.endsWith('.csv'))) {
      const [a, b] = await Promise.all(['a', 'b'].map((set) => readFile(join(folder, set, part, name))));
      t.true(a!.equals(b!), `${part}/${name}`);
    }
  }
});

test('generate needs its options, and refuses those that make no sense', async (t) => {
  const folder = await temporary(t);
  for (const [line, message] of [
    [`generate ${plan}`, /STREAMS_USAGE: --out is missing\./],
    [`generate --out ${folder}/x ${plan} --damage 2`, /STREAMS_USAGE: --damage "2": expected a number from 0 to 1/],
    [
      `generate --out ${folder}/x ${plan.replace('--days 10', '--days 0')}`,
      /STREAMS_USAGE: --days "0": expected a whole number of at least 1/,
    ],
    [
      `generate --out ${folder}/x ${plan.replace('2018-03-20', '2018-3-1')}`,
      /STREAMS_USAGE: --from "2018-3-1": expected a date/,
    ],
  ] as const) {
    const { code, stderr } = await weir(line);
    t.is(code, 2, line);
    t.regex(stderr, message);
  }
  t.false(existsSync(join(folder, 'x')));
});

test('generate stopped by a signal ends with its code', async (t) => {
  const folder = await temporary(t);
  const running = startWeir(
    `generate --out ${folder} --from 2018-01-01 --days 3000 --meters 9 --concentrators 2 --seed 1`,
  );
  await until(() => existsSync(join(folder, 'events/event_20180103.csv')));
  running.signal('SIGINT');
  t.is((await running.ended).code, 130);
});

test('dead letters become files that can be mended and replayed', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  const rows = eventFile('2018-01-01', ['10:00:00,ev_C,1', '11:00:00,ev_X,1', '12:00:00,ev_C,2']);
  await writeFile(join(folder, 'events/1.csv'), rows);
  const replay = `replay --events ${folder}/events --state ${folder}/state --json`;
  t.is(JSON.parse(await good(t, replay)).dead, 1);
  const printed = await good(t, `repair --dead ${folder}/state/dead.jsonl --out ${folder}/mended`);
  t.regex(printed, /\/mended\/1-repaired-[0-9a-f]{8}-1-1\.csv\n$/);
  const mended = await readFile(printed.trimEnd(), 'utf8');
  t.is(mended, eventFile('2018-01-01', ['11:00:00,ev_X,1']).replaceAll(',C,', ',K,'));
  const good2 = mended.replace('ev_X,K', 'ev_K,K');
  await writeFile(join(folder, 'events/1-repaired-1.csv'), good2);
  t.like(JSON.parse(await good(t, replay)), { rows: 1, dead: 0, late: 0 });

  await mkdir(join(folder, 'right'));
  await writeFile(join(folder, 'right/1.csv'), rows.replace('ev_X', 'ev_K'));
  await good(t, `replay --events ${folder}/right --state ${folder}/other`);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/other`));
  t.is((await weir(`repair --dead ${folder}/none --out ${folder}/mended`)).code, 1);
});

test('park show picks the installations of a day, and says what is missing', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { days: 400, eventsPerDay: 1 });
  const all = await good(t, `park show --park ${folder}/park`);
  const day = await good(t, `park show --park ${folder}/park --at 2018-06-01`);
  t.regex(all, /^meter,meter_manufacturer,/);
  t.true(day.length < all.length && all.startsWith(day.split('\n')[0]!));
  const { code, stderr } = await weir(`park show --park ${folder}/events`);
  t.is(code, 1);
  t.regex(stderr, /^STREAMS_FILE: park file .*\.csv is not there/m);
});
