import { readdirSync } from 'node:fs';
import test from 'ava';
import { type CheckedFolder, checkFolder } from '../../src/files/check-folder.ts';
import { csvFormat } from '../../src/files/csv-format.ts';
import { FolderWorld, readings } from './helpers/folder-world.ts';
import { readingFormat } from './helpers/formats.ts';

test('of rows that are several records each record counts, one of none is skipped, and the folder stays as it was', async (t) => {
  const world = await FolderWorld.create(t);
  world.write(
    'a.jsonl',
    '{"meter":"A","at":[5,9]}\n{"meter":"B","at":[]}\n\n{"meter":"C","at":[7]}\n{"meter":"C"}\nx\n',
  );
  world.write('b.jsonl', '');
  const format = csvFormat({
    form: 'ndjson',
    columns: ['meter', 'at'],
    records: ({ meter, at }) => (JSON.parse(at) as number[]).map((atMs) => ({ key: meter, value: { atMs } })),
    timestamp: ({ atMs }) => atMs,
  });
  const { files, skipped, leftOut, dialect } = await checkFolder({ topic: 'r', directory: world.events, format });
  t.is(dialect, 'a JSON object in each line, utf-8');
  t.deepEqual([skipped, leftOut], [1, []]);
  const [a, b] = files;
  t.like(a, { file: 'a.jsonl', kind: 'ndjson', whole: true, rows: 5, dead: 2, firstMs: 5, lastMs: 9 });
  t.deepEqual(
    a!.bad.map(({ reason, rows, lines }) => [reason, rows, lines]),
    [
      ['columns', 1, [5]],
      ['json', 1, [6]],
    ],
  );
  t.like(b, { file: 'b.jsonl', rows: 0, bytes: 0, remarks: ['is empty: there is nothing in it, not even a header'] });
  t.deepEqual(readdirSync(world.root), ['events']);
  t.deepEqual(readdirSync(world.events), ['a.jsonl', 'b.jsonl']);
});

test('how far times go back in the order of reading is told, with the file in which they do', async (t) => {
  const world = await FolderWorld.create(t);
  const format = csvFormat({
    nested: true,
    columns: { key: 'key', atMs: { column: 'at', decimal: '.' } },
    key: ({ key }) => key,
    value: ({ atMs }) => atMs,
    timestamp: (atMs) => atMs,
  });
  const checked = (): Promise<CheckedFolder> => checkFolder({ topic: 'r', directory: world.events, format });
  world.write('north/2024.csv', 'key,at\na,10\na,40\na,35\na,90\n');
  const { backMs, backIn } = await checked();
  t.deepEqual([backMs, backIn], [5, 'north/2024.csv']);
  world.write('south/2024.csv', 'key,at\nb,30\nb,20\nb,?\nb,95\n');
  t.like(await checked(), { backMs: 70, backIn: 'south/2024.csv' });
});

test('of a folder that is in the order of time nothing goes back', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 2, 3));
  const { backMs, backIn } = await checkFolder({ topic: 'r', directory: world.events, format: readingFormat });
  t.deepEqual([backMs, backIn], [0, undefined]);
});
