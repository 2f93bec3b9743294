import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { DateTime } from 'luxon';
import { formatCivilDate, parseCivilDate } from '../../../../src/common/time/civil.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import { eventFormat } from '../../../../topologies/grid/events/event-format.ts';
import type { GenerateOptions } from '../../../../topologies/grid/generator/generate-plan.ts';
import { loadPark } from '../../../../topologies/grid/park/load-park.ts';
import { parkHistories } from '../../../../topologies/grid/park/park-history.ts';
import { decode } from '../events/row-view.ts';
import { damagedRows, made, small, withoutDamaged, withoutUncounted } from './generated-set.ts';
import { NaivePark, naiveStatistics, readEvents } from './naive-statistics.ts';

function compare(t: ExecutionContext, statistics: Map<string, string>, folder: string): void {
  t.deepEqual([...statistics.keys()].sort(), readdirSync(folder).sort());
  for (const [file, text] of statistics) t.is(readFileSync(join(folder, file), 'utf8'), text, file);
}

const sets: Readonly<Record<string, Partial<GenerateOptions>>> = {
  'in order': {},
  late: { late: true },
  'over the years': { from: parseCivilDate('2015-12-01')!, days: 400, eventsPerDay: 12 },
  'damaged and late': { damage: 0.2, late: true },
  'all damaged but a few': { damage: 0.99 },
  'in bursts': { bursty: true },
  'with wrong clocks': { skewSeconds: 7200 },
  'late, with wrong clocks, twice and too late': {
    ...{ late: true, skewSeconds: 40_000, duplicates: 0.1, tooLate: 0.1, damage: 0.05 },
  },
  'without faults': { faults: [], meters: 300 },
  'larger than its events': { meters: 3000, concentrators: 300, days: 40 },
};

for (const [name, options] of Object.entries(sets)) {
  test(`the truth of a set ${name} is what a plain count gives`, async (t) => {
    const out = await made(t, { eventsPerDay: 200, ...options });
    const events = readEvents(join(out, 'events'), withoutUncounted(out));
    compare(t, naiveStatistics(events, new NaivePark(join(out, 'park'))), join(out, 'truth/statistics'));
  });
}

test('some events of a set are of equipments that are nowhere, most are not', async (t) => {
  const out = await made(t, { meters: 400, days: 60, eventsPerDay: 100 });
  const sum = (text: string): number =>
    text
      .split('\n')
      .filter((line) => line.includes('unknown'))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(',') + 1)), 0);
  const unknown = sum(readFileSync(join(out, 'truth/statistics/year_region.csv'), 'utf8'));
  t.true(unknown > 6 && unknown < 600, `${unknown} of 6,000`);
});

const hour = 3_600_000;
const ms = (civil: string): number => DateTime.fromFormat(civil, 'yyyy-MM-dd HH:mm:ss', { zone: 'utc' }).toMillis();

/** Why a row must be refused, as far as it can be told without the scanner. */
function judge(row: Buffer): string | undefined {
  if (row.length > 1024 * 1024) return 'too-long';
  let fields: string[];
  try {
    fields = (parse(row, { relax_column_count: true }) as string[][])[0]!;
  } catch {
    return 'quote';
  }
  if (!isUtf8(row)) return 'utf8';
  if (fields.length !== 7) return 'columns';
  const decoded = decode(eventFormat('UTC'), fields);
  if (typeof decoded === 'string') return decoded;
  return ms(fields[1]!) - ms(fields[2]!) > hour ? 'future' : undefined;
}

test('damaged.csv has the line, the offset and the reason of every damaged row, and there are no others', async (t) => {
  const out = await made(t, { days: 2, eventsPerDay: 4000, damage: 0.5, late: true });
  const entries = damagedRows(out);
  const files = new Map(
    readdirSync(join(out, 'events')).map((file) => [file, readFileSync(join(out, 'events', file))]),
  );
  const reasons = new Set<string>();
  for (const { file, line, offset, reason } of entries) {
    const bytes = files.get(file)!;
    if (bytes[offset - 1] !== 0x0a) t.fail(`${file}: no row starts at ${offset}`);
    if (reasons.has(reason) && line % 16 !== 0) continue;
    t.is(bytes.toString('latin1', 0, offset).split('\n').length, line);
    t.is(judge(bytes.subarray(offset, bytes.indexOf('\n', offset))), reason);
    reasons.add(reason);
  }
  t.deepEqual([...reasons].sort(), [
    'columns',
    'date',
    'equipment-type',
    'event-type',
    'future',
    'id',
    'quote',
    'too-long',
    'utf8',
  ]);
  t.true(entries.filter(({ reason }) => reason === 'too-long').length <= 3);
  const clean = withoutDamaged(out);
  for (const [file, bytes] of files) {
    const rows: string[][] = parse(clean(file, bytes), { from: 2 });
    t.deepEqual(
      rows.filter((fields) => typeof decode(eventFormat('UTC'), fields) === 'string'),
      [],
    );
    t.true(rows.some((fields) => fields[6]!.includes('\n')) && rows.some((fields) => fields[6]!.includes('"')));
  }
});

test('damage changes no other row', async (t) => {
  const [whole, damaged] = [await made(t), await made(t, { damage: 0.3 })];
  const rows = (out: string): string[] =>
    [...readEvents(join(out, 'events'), withoutDamaged(out))].map((event) => JSON.stringify(event));
  const good = new Map<string, number>();
  for (const row of rows(whole)) good.set(row, (good.get(row) ?? 0) + 1);
  const left = rows(damaged);
  t.is(left.length + damagedRows(damaged).length, 10_000);
  for (const row of left) good.set(row, (good.get(row) ?? 0) - 1);
  t.true([...good.values()].every((count) => count >= 0));
});

test('the histories of a generated park have the place that a plain search finds, every day', async (t) => {
  const out = await made(t, { meters: 300, concentrators: 40 });
  const park = new NaivePark(join(out, 'park'));
  const histories = new Map(parkHistories(await loadPark(join(out, 'park')), 'Europe/Paris'));
  const paris = Zone.of('Europe/Paris');
  const equipments = [...Array(300).keys()]
    .map((i) => ['C', `${i + 1}`])
    .concat([...Array(40).keys()].map((i) => ['K', `${i + 1}`]));
  for (let day = small.from - 1; day <= small.from + small.days + 5; day++) {
    for (const [type, id] of equipments) {
      const versions = histories.get(`${type}:${id}`) ?? [];
      const found = versions.findLast(({ validFromMs }) => validFromMs <= paris.startOfDay(day))?.value;
      const { commune, pdk } = park.placeOn(type!, id!, formatCivilDate(day));
      if ((found?.commune ?? 'unknown') !== commune || (found?.pdk ?? 'unknown') !== pdk) {
        return t.fail(`${type}:${id} on ${formatCivilDate(day)}: ${found?.commune}, not ${commune}`);
      }
    }
  }
  return t.pass();
});
