import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { typescript } from '../../../helpers/typescript-child.ts';
import { dataSet, digestOf, good, startWeir, temporary, until, weir } from './weir.ts';

const main = fileURLToPath(new URL('../../../../topologies/grid/main.ts', import.meta.url));

test('replay --rebuild makes all statistics anew with another grace, with the park that the state has, as a first run makes them', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { late: true, tooLate: 0.1, damage: 0.02 });
  const input = `--events ${folder}/events --park ${folder}/park`;
  const files = (await readdir(join(folder, 'events'))).sort();
  const last = files.at(-1)!;
  await rename(join(folder, 'events', last), join(folder, last));
  await good(t, `replay ${input} --state ${folder}/state --partitions 3`);
  await rename(join(folder, last), join(folder, 'events', last));

  const other = `replay --events ${folder}/events --state ${folder}/state --grace 240h`;
  const refused = await weir(other);
  t.is(refused.code, 3);
  t.regex(
    refused.stderr,
    /with --grace 24h, not with --grace 240h\. Leave --grace out, make all stores anew with --rebuild/,
  );
  // Not all are behind this one.
  t.is((await weir(`${other} --rebuild month-region`)).code, 3);

  const before = await digestOf(t, `${folder}/state`);
  const letters = await readFile(join(folder, 'state/dead.jsonl'), 'utf8');
  await good(t, `${other} --rebuild day-equipment --json`);
  await good(t, `replay ${input} --state ${folder}/fresh --partitions 3 --grace 240h`);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/fresh`));
  t.not(await digestOf(t, `${folder}/state`), before);
  t.true((await readFile(join(folder, 'state/dead.jsonl'), 'utf8')).startsWith(letters));
  // The new grace is that of the state.
  await good(t, `replay --events ${folder}/events --state ${folder}/state`);
  t.is((await weir(`replay --events ${folder}/events --state ${folder}/state --grace 24h`)).code, 3);
});

test('replay --rebuild is refused without events, and for a store that there is not', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/state`);
  const digest = await digestOf(t, `${folder}/state`);
  const without = await weir(`replay --park ${folder}/park --state ${folder}/state --rebuild day-region`);
  t.is(without.code, 2);
  t.regex(without.stderr, /--rebuild day-region makes the store anew of the folders that were read/);
  const unknown = await weir(`replay --events ${folder}/events --state ${folder}/state --rebuild day-regoin`);
  t.is(unknown.code, 2);
  t.regex(unknown.stderr, /no store day-regoin to make anew/);
  const none = await weir(`replay --events ${folder}/events --state ${folder}/none --rebuild day-region`);
  t.is(none.code, 3);
  await good(t, `replay --events ${folder}/events --state ${folder}/state --rebuild day-region`);
  t.is(await digestOf(t, `${folder}/state`), digest);
});

test('a rebuild that is killed, at whatever time, or stopped leaves a state that goes on, and is done by the next one', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { days: 12, eventsPerDay: 8640, tooLate: 0.1 });
  const input = `--events ${folder}/events --events ${folder}/more`;
  await dataSet(join(folder, 'other'), { days: 12, eventsPerDay: 2000, seed: 6 });
  await rename(join(folder, 'other/events'), join(folder, 'more'));
  const state = `${folder}/state`;
  await good(t, `replay ${input} --state ${state} --partitions 2`);
  const before = await digestOf(t, state);
  const anew = `replay ${input} --state ${state} --grace 240h --rebuild day-equipment --set commit.interval.records=10000`;
  for (const afterMs of [0, 100, 400, 1000]) {
    const child = spawn(process.execPath, [...typescript, main, ...anew.split(' ')], { stdio: 'ignore' });
    const closed = once(child, 'close');
    await until(() => existsSync(join(state, 'rebuild/db')) || child.exitCode !== null);
    await delay(afterMs);
    child.kill('SIGKILL');
    const [code] = await closed;
    if (code === 0) break;
    // The old program goes on; what the killed one has left is gone.
    if (afterMs !== 100) continue;
    await good(t, `replay ${input} --state ${state}`);
    t.is(await digestOf(t, state), before);
    t.false(existsSync(join(state, 'rebuild')));
  }
  const stopped = startWeir(anew);
  await until(() => existsSync(join(state, 'rebuild/db')));
  stopped.signal('SIGTERM');
  const { code, stderr } = await stopped.ended;
  t.is(code, 143, stderr);
  t.is(await digestOf(t, state), before);
  await good(t, anew);
  await good(t, `replay ${input} --state ${folder}/fresh --grace 240h --partitions 2`);
  t.not(await digestOf(t, state), before);
  t.is(await digestOf(t, state), await digestOf(t, `${folder}/fresh`));
  t.false(existsSync(join(state, 'rebuild')));
});
