import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type MadeData, madeData } from './helpers/made-data.ts';
import { exported, filesOf, weir } from './helpers/weir.ts';

const seed = Number(process.env['TRUTH_SEED'] ?? Date.now() % 1_000_000);

async function replayed(data: string, options: readonly string[] = []): Promise<Record<string, string>> {
  const state = join(data, 'state');
  await weir(['replay', '--events', `${data}/events`, '--park', `${data}/park`, '--state', state, ...options]);
  return exported(state, join(data, 'out'));
}

const base: MadeData = { days: 60, eventsPerDay: 8640, damage: 0, late: false, seed };

const sets: readonly (readonly [string, MadeData, readonly string[]])[] = [
  ['12 hours late', { ...base, late: true }, []],
  ['12 hours late, in four partitions', { ...base, late: true }, ['--partitions', '4']],
  ['of three years', { ...base, from: '2018-12-20', days: 1096, eventsPerDay: 1440, late: true }, []],
  ['with more events than seconds', { ...base, days: 3, eventsPerDay: 200_000, late: true }, []],
  ...['America/Sao_Paulo', 'Africa/Cairo', 'Asia/Kathmandu'].map(
    (zone) =>
      [
        `in ${zone}`,
        // 2014 to 2018: Cairo and Sao Paulo had days without a midnight.
        { ...base, from: '2014-01-01', days: 1500, eventsPerDay: 480, late: true },
        ['--zone', zone],
      ] as const,
  ),
];

for (const [name, data, options] of sets)
  test.serial(`a generated set ${name} gives its own truth`, async (t) => {
    t.log(`seed ${seed} (TRUTH_SEED)`);
    const folder = await madeData(data);
    t.deepEqual(await replayed(folder, options), await filesOf(join(folder, 'truth', 'statistics')));
  });

test.serial('every damaged row is in the dead letters with its place and reason, and no other row', async (t) => {
  const folder = await madeData({ ...base, damage: 0.01, late: true });
  t.deepEqual(await replayed(folder), await filesOf(join(folder, 'truth', 'statistics')));
  const letters = (await readFile(join(folder, 'state', 'dead.jsonl'), 'utf8')).trim().split('\n');
  const found = letters.map((line) => {
    const {
      file,
      line: number,
      offset,
      reason,
    } = JSON.parse(line) as { file: string; line: number; offset: number; reason: string };
    return `${file},${number},${offset},${reason}`;
  });
  const [header, ...damaged] = (await readFile(join(folder, 'truth', 'damaged.csv'), 'utf8')).trim().split('\n');
  t.is(header, 'file,line,offset,reason');
  t.true(damaged.length > 1000);
  t.deepEqual(found.sort(), damaged.sort());
});
