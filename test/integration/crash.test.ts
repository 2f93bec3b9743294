import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { StateFolder } from '../../src/runtime/state-folder.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { digestOf, exported, weir } from './helpers/weir.ts';

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const kills = Number(process.env['CRASH_KILLS'] ?? 50);

/** Records that the tasks of a state had processed at its last commit; undefined before the first. */
async function committedRecords(state: string): Promise<number | undefined> {
  const folder = await StateFolder.open(state, { create: false }).catch(() => undefined);
  if (folder === undefined) return undefined;
  try {
    return folder.savedTask('0_0')?.processed ?? 0;
  } finally {
    await folder.close();
  }
}

/** Sizes of the files that a database writes its batches to. */
async function logs(state: string): Promise<string> {
  const folder = join(state, 'db');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.log')).sort();
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => `${name} ${size}`,
        () => '',
      ),
    ),
  );
  return sizes.filter((text) => !text.endsWith(' 0')).join();
}

/** Resolves when the process has committed something: then it is at work, however slow its start was. */
async function committing(state: string, ended: () => boolean): Promise<void> {
  const before = await logs(state);
  while (!ended() && (await logs(state)) === before) await delay(2);
}

async function died(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

test.serial('a replay killed again and again ends in the state of one that was not', async (t) => {
  t.timeout(15 * 60_000);
  const random = seededRandom(seed);
  t.log(`seed ${seed} (CRASH_SEED), ${kills} kills (CRASH_KILLS)`);
  // Damaged rows, and rows that come too late for a grace of one hour: their letters must stand exactly once, whatever was killed before them.
  const data = await madeData({ days: 40, eventsPerDay: 20_000, damage: 0.01, late: true, seed });
  const calm = join(data, 'calm');
  const input = ['--events', `${data}/events`, '--park', `${data}/park`, '--grace', '1h'];
  await weir(['replay', ...input, '--state', calm]);
  const expected = await digestOf(calm);
  const expectedFiles = await exported(calm, join(data, 'calm-out'));
  const total = (await committedRecords(calm))!;
  const letters = {
    dead: await readFile(join(calm, 'dead.jsonl'), 'utf8'),
    late: await readFile(join(calm, 'late.jsonl'), 'utf8'),
  };

  t.true(letters.late.split('\n').length > 1000, 'there are late rows');
  const state = join(data, 'killed');
  const args = ['replay', ...input, '--state', state, '--set', 'commit.interval.ms=20'];
  const positions = new Set<number>();
  let inside = 0;
  let rounds = 0;
  for (let done = 0; done < kills; ) {
    const child = spawn(process.execPath, ['dist/topologies/grid/main.js', ...args], { stdio: 'ignore' });
    let ended = false;
    const exit = died(child).finally(() => {
      ended = true;
    });
    await committing(state, () => ended);
    await Promise.race([exit, delay(Math.floor(random() * 250))]);
    if (!ended) {
      child.kill('SIGKILL');
      t.is(await exit, 'SIGKILL');
      done++;
      const position = await committedRecords(state);
      t.log(`kill ${done}: ${position ?? 'nothing'} of ${total} records committed`);
      if (position !== undefined && position > 0 && position < total) {
        inside++;
        positions.add(position);
      }
      if (position !== total) continue;
    }
    // It got to the end: everything must be right, and the next round starts over.
    await weir(args);
    rounds++;
    t.is(await digestOf(state), expected);
    t.is(await readFile(join(state, 'dead.jsonl'), 'utf8'), letters.dead);
    t.is(await readFile(join(state, 'late.jsonl'), 'utf8'), letters.late);
    if (done < kills) await rm(state, { recursive: true });
  }
  await weir(args);
  t.is(await digestOf(state), expected);
  t.deepEqual(await exported(state, join(data, 'killed-out')), expectedFiles);
  t.is(await readFile(join(state, 'dead.jsonl'), 'utf8'), letters.dead);
  t.is(await readFile(join(state, 'late.jsonl'), 'utf8'), letters.late);
  t.log(
    `${kills} kills, ${inside} strictly inside, ${positions.size} different positions, ${rounds} whole replays on the way`,
  );
  t.true(inside >= (kills * 2) / 3, 'two thirds of the kills are strictly inside');
  t.true(positions.size >= Math.min(20, kills / 2), 'the kills hit different committed positions');
});

for (const moment of ['before', 'in', 'after'])
  test.serial(`a process that dies ${moment} the write of a commit leaves the state of a commit`, async (t) => {
    const data = await madeData({ days: 20, eventsPerDay: 8640, damage: 0.01, late: true, seed });
    const fixture = 'test/integration/fixtures/replay-that-dies.ts';
    const run = async (state: string, when: string, commit: number): Promise<NodeJS.Signals | number | null> =>
      died(
        spawn(
          process.execPath,
          ['--import', 'tsx', fixture, `${data}/events`, `${data}/park`, state, when, String(commit)],
          {
            stdio: ['ignore', 'ignore', 'inherit'],
          },
        ),
      );
    const calm = join(data, `calm-${moment}`);
    t.is(await run(calm, 'never', 0), 0);
    const expected = await digestOf(calm);
    const total = (await committedRecords(calm))!;
    const state = join(data, moment);
    for (const commit of [1, 2, 5, 9]) {
      const before = (await committedRecords(state)) ?? 0;
      t.is(await run(state, moment, commit), 'SIGKILL');
      const position = (await committedRecords(state)) ?? 0;
      t.log(`died ${moment} commit ${commit}: ${before} -> ${position} of ${total} records`);
      t.true(position >= before);
    }
    t.is(await run(state, 'never', 0), 0);
    t.is(await digestOf(state), expected);
    t.is(await readFile(join(state, 'dead.jsonl'), 'utf8'), await readFile(join(calm, 'dead.jsonl'), 'utf8'));
  });

test.serial('a replay stopped by SIGTERM at random exits with 143 and goes on to the same digest', async (t) => {
  const random = seededRandom(seed + 1);
  const data = await madeData({ days: 40, eventsPerDay: 20_000, damage: 0, late: false, seed });
  const calm = join(data, 'calm-term');
  await weir(['replay', '--events', `${data}/events`, '--state', calm]);
  const state = join(data, 'terminated');
  let stopped = 0;
  for (let i = 0; i < 40 && stopped < 8; i++) {
    const child = spawn(
      process.execPath,
      ['dist/topologies/grid/main.js', 'replay', '--events', `${data}/events`, '--state', state],
      {
        stdio: 'ignore',
      },
    );
    const exit = died(child);
    await Promise.race([exit, delay(200 + Math.floor(random() * 300))]);
    child.kill('SIGTERM');
    const result = await exit;
    if (result === 143) stopped++;
    else if (result === 0) break;
    // A signal before the program has set its handlers ends it as any process.
    else t.is(result, 'SIGTERM');
  }
  t.log(`${stopped} stops`);
  await weir(['replay', '--events', `${data}/events`, '--state', state]);
  t.is(await digestOf(state), await digestOf(calm));
});

test.serial('files delivered one by one give the digest of one run', async (t) => {
  const data = await madeData({ days: 24, eventsPerDay: 2000, damage: 0.01, late: true, seed });
  const calm = join(data, 'calm-one');
  await weir(['replay', '--events', `${data}/events`, '--park', `${data}/park`, '--state', calm]);
  const inbox = await mkdtemp(join(tmpdir(), 'weir-inbox-'));
  const state = join(data, 'one-by-one');
  for (const file of (await readdir(`${data}/events`)).sort()) {
    await cp(join(data, 'events', file), join(inbox, file));
    await weir(['replay', '--events', inbox, '--park', `${data}/park`, '--state', state]);
  }
  t.is(await digestOf(state), await digestOf(calm));
  t.is(await readFile(join(state, 'dead.jsonl'), 'utf8'), await readFile(join(calm, 'dead.jsonl'), 'utf8'));
});
