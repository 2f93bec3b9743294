import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { dataSet, digestOf, good, temporary, weir } from './weir.ts';

test('replay --rebuild makes all statistics anew with another grace, with the park that the state has, as a first run makes them', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { late: true, tooLate: 0.1, damage: 0.02 });
  const input = `--events ${folder}/events --park ${folder}/park`;
  const files = (await readdir(join(folder, 'events'))).sort();
  const last = files.at(-1)!;
  await rename(join(folder, 'events', last), join(folder, last));
  await good(t, `replay ${input} --state ${folder}/state --partitions 3`);
  await rename(join(folder, last), join(folder, 'events', last));

  const other = `replay --events ${folder}/events --state ${folder}/state --grace 1h`;
  const refused = await weir(other);
  t.is(refused.code, 3);
  t.regex(
    refused.stderr,
    /with --grace 24h, not with --grace 1h\. Leave --grace out, make all stores anew with --rebuild/,
  );
  // Not all are behind this one.
  t.is((await weir(`${other} --rebuild month-region`)).code, 3);

  const letters = await readFile(join(folder, 'state/dead.jsonl'), 'utf8');
  await good(t, `${other} --rebuild day-equipment --json`);
  await good(t, `replay ${input} --state ${folder}/fresh --partitions 3 --grace 1h`);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/fresh`));
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
