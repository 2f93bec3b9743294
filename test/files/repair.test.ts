import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { repairDeadLetters } from '../../src/files/repair.ts';
import { FolderWorld, readings } from './helpers/folder-world.ts';

const header = 'id,at,text';
const format = { columns: header.split(',') };

/** The files of a folder that were repaired, with what their names tell behind the tag of their first letter. */
const repaired = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((name) => name.includes('-repaired-'))
      .map((name) => [name.replace(/-[0-9a-f]{8}-/, '-'), join(folder, name)]),
  );

test('bad rows come out as CSV, one file for each original, and are read as new files once mended', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1)}x2,2,text\n3,3\n`);
  world.write('b.csv', 'id,at,text\n4,4\n5,5\n');
  world.write('c.csv', readings(6));
  await world.run();
  const outDir = join(world.root, 'repaired');
  const result = await repairDeadLetters({ deadFile: world.deadFile, outDir, format });
  const [a, b] = ['a', 'b'].map((name) => repaired(outDir).get(`${name}-repaired-1-2.csv`)!);
  t.deepEqual(result, {
    files: [
      { original: 'a.csv', path: a, rows: 2 },
      { original: 'b.csv', path: b, rows: 2 },
    ],
    rows: 4,
    known: 0,
    headers: 0,
    partial: 0,
  });
  t.is(readFileSync(a!, 'utf8'), `${header}\nx2,2,text\n3,3\n`);
  t.is(readFileSync(b!, 'utf8'), `${header}\n4,4\n5,5\n`);
  world.write('a-repaired-1.csv', readFileSync(a!, 'utf8').replace('x2', '2').replace('3,3', '3,3,text'));
  t.deepEqual((await world.run()).records, ['a-repaired-1.csv:2:2', 'a-repaired-1.csv:3:3']);
});

test('what was repaired before is not written again, mended, packed or among the originals; of letters that have come since only those are', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at,text\nbad 1\nbad 2\n');
  world.write('a-repaired-1.csv', 'id,at,text\nbad 3\n');
  await world.run();
  const outDir = join(world.root, 'repaired');
  const repair = (dir: string, originals: readonly string[] = []): ReturnType<typeof repairDeadLetters> =>
    repairDeadLetters({ deadFile: world.deadFile, outDir: dir, format, originals });
  t.deepEqual(
    (await repair(outDir)).files.map(({ original, rows }) => [original, rows]),
    [
      ['a-repaired-1.csv', 1],
      ['a.csv', 2],
    ],
  );
  t.deepEqual([...repaired(outDir).keys()].sort(), ['a-repaired-1-1.csv', 'a-repaired-1-2.csv']);
  const path = repaired(outDir).get('a-repaired-1-2.csv')!;
  writeFileSync(path, 'id,at,text\n1,1,mended\n');
  const before = readdirSync(outDir);
  t.like(await repair(outDir), { files: [], rows: 0, known: 3 });
  t.deepEqual(readdirSync(outDir), before);
  t.is(readFileSync(path, 'utf8'), 'id,at,text\n1,1,mended\n');
  // Packed, and moved to where it is replayed from.
  renameSync(path, join(world.events, `${path.slice(outDir.length + 1)}.gz`));
  writeFileSync(join(world.events, `${path.slice(outDir.length + 1)}.gz`), gzipSync('id,at,text\n1,1,mended\n'));
  t.like(await repair(outDir, [world.events]), { rows: 0, known: 3 });
  world.append('a.csv', 'bad 4\n5,5,good\nbad 6\n');
  await world.run();
  const { files } = await repair(outDir, [world.events]);
  t.deepEqual(
    files.map(({ original, rows }) => [original, rows]),
    [['a.csv', 2]],
  );
  t.is(readFileSync(repaired(outDir).get('a-repaired-3-4.csv')!, 'utf8'), 'id,at,text\nbad 4\nbad 6\n');
});

test('a file is not there under its name before it is whole: what a repair that was killed has left is written again, once', async (t) => {
  const world = await FolderWorld.create(t);
  const outDir = join(world.root, 'repaired');
  mkdirSync(outDir);
  const bad = Array.from({ length: 3 }, (_, i) => `bad ${i}`);
  world.write('a.csv', `id,at,text\n${bad.join('\n')}\n`);
  await world.run();
  // A letter that cannot be read ends a repair half-way, as a kill would.
  const letters = readFileSync(world.deadFile, 'utf8');
  writeFileSync(world.deadFile, `${letters}no letter\n`);
  await t.throwsAsync(repairDeadLetters({ deadFile: world.deadFile, outDir, format }));
  t.deepEqual(
    readdirSync(outDir).filter((name) => !name.startsWith('.')),
    [],
  );
  writeFileSync(join(outDir, `.a-repaired-00000000-unfinished`), 'half a row');
  writeFileSync(world.deadFile, letters);
  const { files } = await repairDeadLetters({ deadFile: world.deadFile, outDir, format });
  t.is(readFileSync(files[0]!.path, 'utf8'), `id,at,text\n${bad.join('\n')}\n`);
  t.is([...repaired(outDir).keys()].filter((name) => !name.startsWith('.')).length, 1);
});

test('rows get the header of their original file if it is there and has the columns', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', '\ufeff\r\ntext,"id",at,more\r\nbad 1\r\n');
  world.write('b.csv.gz', gzipSync('at,text,id\nbad 2\n'));
  world.write('c.csv', 'id,at,text\nbad 3\n');
  await world.run();
  world.write('c.csv', 'id,text\nbad 3\n');
  const outDir = join(world.root, 'repaired');
  await repairDeadLetters({
    deadFile: world.deadFile,
    outDir,
    format,
    originals: [join(world.root, 'nowhere'), world.events],
  });
  t.deepEqual(
    readdirSync(outDir).map((name) => readFileSync(join(outDir, name), 'utf8')),
    ['text,"id",at,more\nbad 1\n', 'at,text,id\nbad 2\n', 'id,at,text\nbad 3\n'],
  );
});

test('rows keep their bytes, and one over several lines stays one record', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', Buffer.from('id,at,text\n\xff,1,x\n"x",2,"y\r\nz"\n', 'latin1'));
  await world.run();
  const outDir = join(world.root, 'repaired');
  await repairDeadLetters({ deadFile: world.deadFile, outDir, format });
  t.is(readFileSync(repaired(outDir).get('a-repaired-1-2.csv')!, 'latin1'), 'id,at,text\n\xff,1,x\n"x",2,"y\r\nz"\n');
});

test('a line that was cut off while it was written is left out; one that is not a letter is refused', async (t) => {
  const world = await FolderWorld.create(t);
  const outDir = join(world.root, 'repaired');
  mkdirSync(outDir);
  writeFileSync(world.deadFile, '{"file":"../a.csv","line":2,"offset":9,"reason":"id","raw":"eA=="}\n{"file":"b.c');
  const { files } = await repairDeadLetters({ deadFile: world.deadFile, outDir, format });
  t.deepEqual(files, [{ original: '../a.csv', path: repaired(outDir).get('a-repaired-1-1.csv')!, rows: 1 }]);
  appendFileSync(world.deadFile, '\n');
  const error = await t.throwsAsync(repairDeadLetters({ deadFile: world.deadFile, outDir, format }));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /dead\.jsonl:2 is not a letter/);
  const absent = await t.throwsAsync(repairDeadLetters({ deadFile: world.path('absent'), outDir, format }));
  t.true(StreamsError.is(absent) && absent.code === 'STREAMS_FILE');
});
