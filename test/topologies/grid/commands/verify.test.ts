import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { eventFile, good, temporary, weir } from './weir.ts';

test('a letter that a run was writing when it was killed is no damage: the next run cuts it off', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  await writeFile(join(folder, 'events/1.csv'), eventFile('2018-01-30', ['10:00:00,ev_C,10', '25:00:00,ev_C,10']));
  const replay = `replay --events ${folder}/events --state ${folder}/state`;
  await weir(replay);
  const dead = join(folder, 'state/dead.jsonl');
  const letters = await readFile(dead, 'utf8');
  t.regex(letters, /^\{.*\}\n$/);
  await appendFile(dead, letters.slice(0, 30));
  const { code, stdout } = await weir(`verify --state ${folder}/state`);
  t.is(code, 0, stdout);
  t.true(stdout.includes('dead.jsonl is whole but for its last line, which a run that was killed was writing'), stdout);
  await writeFile(join(folder, 'events/2.csv'), eventFile('2018-01-31', ['10:00:00,ev_C,10']));
  await good(t, replay);
  t.is(await readFile(dead, 'utf8'), letters);
  t.true((await weir(`verify --state ${folder}/state`)).stdout.includes('dead.jsonl is whole\n'));
});
