import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseCivilDate } from '../../../../src/common/time/civil.ts';
import { generate } from '../../../../topologies/grid/generator/generate.ts';
import { goldenPath, goldenTest } from '../park/golden-data.ts';
import { parkFolder } from '../park/park-folder.ts';
import { made, newFolder, small } from './generated-set.ts';
import { NaivePark, naiveStatistics, readEvents, rowsOf } from './naive-statistics.ts';

/** Makes events for a park, and compares the truth with a plain count. */
async function compared(t: ExecutionContext, park: string, days: number): Promise<string> {
  const out = newFolder(t);
  await generate({ out, park, from: small.from, days, seed: 3, eventsPerDay: 400, late: true });
  const events = readEvents(join(out, 'events'), (_, bytes) => bytes);
  for (const [file, text] of naiveStatistics(events, new NaivePark(park)))
    t.is(readFileSync(join(out, 'truth/statistics', file), 'utf8'), text, file);
  t.deepEqual(readdirSync(out).sort(), ['events', 'truth'], 'no park is written');
  return out;
}

test('events for a park that was generated have the truth that a plain count gives', async (t) => {
  const set = await made(t, { meters: 400, concentrators: 30 });
  await compared(t, join(set, 'park'), 25);
});

goldenTest('events for the golden park have the truth that a plain count gives', async (t) => {
  await compared(t, goldenPath('park'), 10);
});

test('only what is installed on a day sends, under its id, and may be at an unknown place', async (t) => {
  const park = parkFolder(t, {
    compteurs: ['8,1', '10000000000009,1', 'x7,1', '12,1', '13,1'],
    installation_c: [
      '1,8,20171201,20171222',
      '2,8,20171224,',
      '1,10000000000009,20170101,',
      '2,x7,20170101,',
      '99,12,20171221,20171221',
      '1,13,20190101,',
    ],
    installation_k: ['1,1,20171222,'],
  });
  const out = await compared(t, park, 6);
  const senders = (date: string): string[] => {
    const rows = rowsOf(readFileSync(join(out, `events/event_${date}.csv`)));
    return [...new Set(rows.map((row) => `${row.type_equipement}:${row.id_equipement}`))].sort();
  };
  t.deepEqual(senders('20171220'), ['C:10000000000009', 'C:8']);
  const region = readFileSync(join(out, 'truth/statistics/day_region.csv'), 'utf8');
  t.regex(region, /^2017-12-21,unknown,ev_C,/m);
  t.notRegex(region, /^2017-12-22,unknown,/m);
  const equipment = readFileSync(join(out, 'truth/statistics/day_equipment.csv'), 'utf8');
  t.notRegex(equipment, /^2017-12-23,C,8,/m);
  t.regex(equipment, /^2017-12-24,C,8,/m);
  t.notRegex(equipment, /^2017-12-21,K,/m);
  t.notRegex(equipment, /,C,(13|x7),/);
});

test('a day on which nothing is installed has a file without events', async (t) => {
  const out = newFolder(t);
  const park = parkFolder(t, { installation_c: ['1,8,20171221,'] });
  await generate({ out, park, from: parseCivilDate('2017-12-20')!, days: 2, seed: 1, eventsPerDay: 50 });
  t.is(readFileSync(join(out, 'events/event_20171220.csv'), 'utf8').split('\n').length, 2);
  t.is(readFileSync(join(out, 'events/event_20171221.csv'), 'utf8').split('\n').length, 52);
});

test('a folder that is not a park is refused', async (t) => {
  const out = newFolder(t);
  writeFileSync(join(out, 'communes.csv'), 'Code INSEE\n');
  await t.throwsAsync(generate({ out, park: out, from: small.from, days: 1, seed: 1 }), { code: 'STREAMS_FILE' });
});
