import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { NaivePark, naiveStatistics, readEvents } from '../topologies/grid/generator/naive-statistics.ts';
import { digestOf, exported, filesOf, tryWeir, weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const folder = await mkdtemp(join(tmpdir(), 'weir-golden-'));
const calm = join(folder, 'calm');

if (existsSync(golden)) {
  test.before('replay the golden events', async () => {
    await weir(['replay', '--events', `${golden}/events`, '--park', `${golden}/park`, '--state', calm]);
  });

  test.serial('the 24 statistics of the golden events are the golden files, byte for byte', async (t) => {
    t.deepEqual(await exported(calm, join(folder, 'out')), await filesOf(`${golden}/statistics`));
  });

  test.serial('a plain count of the golden events gives the golden statistics', async (t) => {
    const events = readEvents(`${golden}/events`, (_, bytes) => bytes);
    const statistics = naiveStatistics(events, new NaivePark(`${golden}/park`));
    t.deepEqual(Object.fromEntries(statistics), await filesOf(`${golden}/statistics`));
  });

  test.serial('the park table is the golden one, byte for byte', async (t) => {
    const out = join(folder, 'park.csv');
    await weir(['park', 'show', '--park', `${golden}/park`, '--out', out]);
    t.is(await readFile(out, 'utf8'), await readFile(`${golden}/park_information.csv`, 'utf8'));
  });

  test.serial('the golden files delivered one by one in 48 runs give the same digest', async (t) => {
    const inbox = join(folder, 'inbox');
    await mkdir(inbox);
    const state = join(folder, 'one-by-one');
    for (const file of (await readdir(`${golden}/events`)).sort()) {
      await cp(join(golden, 'events', file), join(inbox, file));
      await weir(['replay', '--events', inbox, '--park', `${golden}/park`, '--state', state]);
    }
    t.is(await digestOf(state), await digestOf(calm));
  });

  test.serial('gzip files give the same digest', async (t) => {
    const zipped = join(folder, 'zipped');
    await mkdir(zipped);
    for (const file of await readdir(`${golden}/events`))
      await writeFile(join(zipped, `${file}.gz`), gzipSync(await readFile(join(golden, 'events', file))));
    const state = join(folder, 'gzip');
    await weir(['replay', '--events', zipped, '--park', `${golden}/park`, '--state', state]);
    t.is(await digestOf(state), await digestOf(calm));
  });

  test.serial('several partitions give the same digest', async (t) => {
    const state = join(folder, 'partitions');
    await weir([
      'replay',
      '--events',
      `${golden}/events`,
      '--park',
      `${golden}/park`,
      '--state',
      state,
      '--partitions',
      '5',
    ]);
    t.is(await digestOf(state), await digestOf(calm));
  });

  test.serial('the park loaded after the events gives the same digest', async (t) => {
    const state = join(folder, 'park-after');
    await weir(['replay', '--events', `${golden}/events`, '--state', state]);
    t.not(await digestOf(state), await digestOf(calm));
    await weir(['replay', '--park', `${golden}/park`, '--state', state]);
    t.is(await digestOf(state), await digestOf(calm));
  });

  test.serial('a park corrected half-way and put right gives the same digest, and totals never change', async (t) => {
    const wrong = join(folder, 'wrong-park');
    await cp(`${golden}/park`, wrong, { recursive: true });
    const table = await readFile(join(wrong, 'installation_c.csv'), 'utf8');
    // Meter 3 moves in January, meter 5 ended early, meter 8 was never installed.
    const corrected = table
      .replace('3,3,20170101,', '3,3,20170101,20180110\n11,3,20180111,')
      .replace('5,5,20170101,', '5,5,20170101,20171224')
      .replace('8,8,20170101,\n', '');
    await writeFile(join(wrong, 'installation_c.csv'), corrected);
    const state = join(folder, 'corrected');
    const half = join(folder, 'half');
    await mkdir(half);
    const files = (await readdir(`${golden}/events`)).sort();
    for (const file of files.slice(0, 24)) await cp(join(golden, 'events', file), join(half, file));
    await weir(['replay', '--events', half, '--park', `${golden}/park`, '--state', state]);
    await weir(['replay', '--park', wrong, '--state', state]);
    for (const file of files.slice(24)) await cp(join(golden, 'events', file), join(half, file));
    await weir(['replay', '--events', half, '--state', state]);

    const fresh = join(folder, 'fresh-wrong');
    await weir(['replay', '--events', `${golden}/events`, '--park', wrong, '--state', fresh]);
    t.is(await digestOf(state), await digestOf(fresh), 'a correction leads where a fresh replay with it leads');
    const moved = await exported(state, join(folder, 'moved'));
    const right = await exported(calm, join(folder, 'right'));
    t.not(moved['day_commune.csv'], right['day_commune.csv']);
    t.is(moved['day_type.csv'], right['day_type.csv']);
    t.is(moved['year_equipment.csv'], right['year_equipment.csv']);
    for (const [name, text] of Object.entries(moved)) t.false(/,-\d+\n/.test(text), `${name} has no negative count`);
    await weir(['replay', '--park', `${golden}/park`, '--state', state]);
    t.is(await digestOf(state), await digestOf(calm));
  });

  test.serial('a second replay on a state folder is refused at once and the first is unharmed', async (t) => {
    const state = join(folder, 'shared');
    const input = ['--events', `${golden}/events`, '--park', `${golden}/park`, '--state', state];
    const options = ['replay', ...input, '--follow', '--set', 'commit.interval.ms=20'];
    const first = spawn(process.execPath, ['dist/topologies/grid/main.js', ...options], { stdio: 'ignore' });
    const exit = once(first, 'exit');
    // The letters are opened behind the lock.
    while (!existsSync(join(state, 'dead.jsonl'))) await delay(5);
    for (let i = 0; i < 3; i++) {
      const second = await tryWeir(['replay', ...input]);
      t.is(second.code, 3);
      t.true(second.stderr.startsWith('STREAMS_STATE_STORE_LOCKED: '), second.stderr);
      t.true(second.stderr.includes(state));
    }
    first.kill('SIGTERM');
    t.deepEqual(await exit, [0, null]);
    await weir(['replay', ...input]);
    t.is(await digestOf(state), await digestOf(calm));
  });
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}
