import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { addressOf, eventFile, good, startWeir, temporary, weir } from '../topologies/grid/commands/weir.ts';

/** An address of documentation: nobody has it. */
const nobodys = '192.0.2.1';

test('commands that serve listen at the address of --host, else at that of WEIR_HOST', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  await writeFile(join(folder, 'events/1.csv'), eventFile('2018-01-30', ['10:00:00,ev_C,10']));
  const state = `--state ${folder}/state`;
  const replay = `replay --events ${folder}/events ${state}`;
  await good(t, replay);
  for (const line of [`serve ${state}`, `${replay} --serve`]) {
    for (const [words, env] of [
      [`${line} --port 0 --open --host ${nobodys}`, {}],
      [`${line} --port 0`, { WEIR_HOST: nobodys, WEIR_HTTP_OPEN: 'true' }],
    ] as const) {
      const { code, stderr } = await weir(words, env);
      t.is(code, 1, words);
      t.true(stderr.startsWith(`STREAMS_PORT: cannot listen on port 0 of ${nobodys}`), stderr);
    }
    const running = startWeir(`${line} --port 0 --open --host 0.0.0.0`, { WEIR_HOST: nobodys });
    t.is((await fetch(`${await addressOf(running)}/healthz`)).status, 200, line);
    running.signal('SIGTERM');
    t.is((await running.ended).code, 0);
  }
});
