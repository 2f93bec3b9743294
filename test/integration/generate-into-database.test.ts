import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { engines } from './helpers/import-world.ts';
import { exported, filesOf, tryWeir, weir } from './helpers/weir.ts';

const sortedLines = async (file: string): Promise<readonly string[]> =>
  (await readFile(file, 'utf8')).trimEnd().split('\n').sort();

for (const [name, start] of Object.entries(engines)) {
  test(`a park that is generated into ${name} is imported with exactly its faults, and its events give the truth`, async (t) => {
    const server = await start().catch((error: unknown) => {
      if (!(error instanceof PartMissing)) throw error;
      skipWithout(t, error);
      return undefined;
    });
    if (server === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'weir-generated-'));
    t.teardown(async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    server.run('create database parc');
    const url = server.url('parc');
    const state = join(folder, 'state');
    const generating = [
      ...['generate', '--out', folder, '--from', '2017-12-20', '--days', '20', '--meters', '500'],
      ...['--concentrators', '30', '--seed', '4', '--faults', 'all', '--late', '--to', url],
    ];
    await weir(generating);
    const importing = ['park', 'import', '--from', url, '--state', state];
    const refused = await tryWeir(importing);
    t.is(refused.code, 3);
    t.regex(refused.stderr, /^STREAMS_INPUT_REFUSED: the park has 12 faults/m);
    t.deepEqual(
      await sortedLines(join(state, 'park-faults.csv')),
      await sortedLines(join(folder, 'truth/park-faults.csv')),
    );
    await weir([...importing, '--quarantine']);
    await weir(['replay', '--events', join(folder, 'events'), '--state', state]);
    t.deepEqual(await exported(state, join(folder, 'out')), await filesOf(join(folder, 'truth/statistics')));

    const again = await tryWeir(generating);
    t.is(again.code, 1);
    t.regex(again.stderr, /^STREAMS_DATABASE: .* has such a table already: .*nothing that is there is replaced/m);
  });
}
