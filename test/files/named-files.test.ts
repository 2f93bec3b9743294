import { gzipSync } from 'node:zlib';
import test from 'ava';
import { csvFormat, type RowFormat } from '../../src/index.ts';
import { FolderWorld, type Run } from './helpers/folder-world.ts';
import type { Reading } from './helpers/formats.ts';

/** Rows `id,at`; the text, and the key, are the meter that the file's name begins with: of `8-may.csv` and `8.csv` it is 8. */
const meterOf = (name: string): string => /^\w+/.exec(name)![0];
const number = { decimal: '.' } as const;
const byMeter: RowFormat<string, Reading> = csvFormat({
  columns: { id: number, at: number },
  key: (_row, { name }) => meterOf(name),
  value: ({ id, at }, { name }): Reading => ({ id, at, text: meterOf(name) }),
  timestamp: ({ at }) => at,
});
/** The same, each row as two records. */
const twice: RowFormat<string, Reading> = csvFormat({
  columns: { id: number, at: number },
  records: ({ id, at }, { name }) => [0, 1].map(() => ({ key: meterOf(name), value: { id, at, text: '' } })),
  timestamp: ({ at }) => at,
});

const day = 'id,at\n1,0\n2,0\n';

function readerOf(world: FolderWorld, format: RowFormat<string, Reading>): () => Promise<Run> {
  return () => world.run({ format });
}

test('where the name of a file is part of its records, files of the same bytes count each, in one run and in several', async (t) => {
  const world = await FolderWorld.create(t);
  const read = readerOf(world, byMeter);
  world.write('7.csv', day);
  world.write('8.csv', day);
  // Nothing but the first rows of the others.
  world.write('9.csv', 'id,at\n1,0\n');
  t.deepEqual((await read()).records, ['7.csv:2:1', '7.csv:3:2', '8.csv:2:1', '8.csv:3:2', '9.csv:2:1']);
  world.write('a.csv.gz', gzipSync(day));
  t.deepEqual((await read()).records, ['a.csv:2:1', 'a.csv:3:2']);
  // They grow by the same rows.
  world.append('7.csv', '3,1\n');
  world.append('8.csv', '3,1\n');
  const grown = await read();
  t.deepEqual(grown.records, ['7.csv:4:3', '8.csv:4:3']);
  t.is(grown.progress.rows, 9);
  t.deepEqual((await read()).records, []);
});

test('a file that has the same records under its name as under another one is a copy all the same', async (t) => {
  const world = await FolderWorld.create(t);
  const read = readerOf(world, byMeter);
  world.write('8.csv', day);
  await read();
  world.write('8-copy.csv', `${day}3,1\n`);
  world.write('8-old.csv', 'id,at\n1,0\n');
  const { records, logged } = await read();
  t.deepEqual(records, ['8-copy.csv:4:3']);
  t.true(logged.some((line) => line.includes('8-copy.csv has the rows that were read as 8.csv')));
});

test('so it is where a row is several records', async (t) => {
  const world = await FolderWorld.create(t);
  const read = readerOf(world, twice);
  world.write('8.csv', day);
  world.write('8-copy.csv', day);
  world.write('9.csv', day);
  t.deepEqual((await read()).progress.rows, 8);
});
