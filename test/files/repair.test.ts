import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { repairDeadLetters } from '../../src/files/repair.ts';
import { FolderWorld, readings } from './helpers/folder-world.ts';

const header = 'id,at,text';

test('bad rows come out as CSV, one file for each original, and are read as new files once mended', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1)}x2,2,text\n3,3\n`);
  world.write('b.csv', 'id,at\n4,4\n5,5\n');
  world.write('c.csv', readings(6));
  await world.run();
  const outDir = join(world.root, 'repaired');
  const result = await repairDeadLetters({ deadFile: world.deadFile, outDir, header });
  t.deepEqual(result, {
    files: [
      { original: 'a.csv', path: join(outDir, 'a-repaired-1.csv'), rows: 2 },
      { original: 'b.csv', path: join(outDir, 'b-repaired-1.csv'), rows: 2 },
    ],
    rows: 4,
    headers: 1,
  });
  t.is(readFileSync(join(outDir, 'a-repaired-1.csv'), 'utf8'), `${header}\nx2,2,text\n3,3\n`);
  t.is(readFileSync(join(outDir, 'b-repaired-1.csv'), 'utf8'), `${header}\n4,4\n5,5\n`);
  world.write(
    'a-repaired-1.csv',
    readFileSync(join(outDir, 'a-repaired-1.csv'), 'utf8').replace('x2', '2').replace('3,3', '3,3,text'),
  );
  t.deepEqual((await world.run()).records, ['a-repaired-1.csv:2:2', 'a-repaired-1.csv:3:3']);
});

test('no file is overwritten, and a repaired file is not repaired into a longer name', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at,text\nbad 1\n');
  world.write('a-repaired-1.csv', 'id,at,text\nbad 2\n');
  world.write('b-repaired-7.csv', 'id,at,text\nbad 3\n');
  await world.run();
  world.write('a-repaired-2.csv.gz', '');
  const { files } = await repairDeadLetters({ deadFile: world.deadFile, outDir: world.events, header });
  t.deepEqual(
    files.map(({ original, path }) => [original, path.slice(world.events.length + 1)]),
    [
      ['a-repaired-1.csv', 'a-repaired-3.csv'],
      ['a.csv', 'a-repaired-4.csv'],
      ['b-repaired-7.csv', 'b-repaired-1.csv'],
    ],
  );
  t.is(readFileSync(world.path('a-repaired-1.csv'), 'utf8'), 'id,at,text\nbad 2\n');
});

test('rows get the header of their original file if it is there and has the columns', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', '\ufeff\r\ntext,"id",at,more\r\nbad 1\r\n');
  world.write('b.csv.gz', gzipSync('at,text,id\nbad 2\n'));
  world.write('c.csv', 'id,text\nbad 3\n');
  await world.run();
  const outDir = join(world.root, 'repaired');
  await repairDeadLetters({
    deadFile: world.deadFile,
    outDir,
    header,
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
  await repairDeadLetters({ deadFile: world.deadFile, outDir, header });
  t.is(readFileSync(join(outDir, 'a-repaired-1.csv'), 'latin1'), 'id,at,text\n\xff,1,x\n"x",2,"y\r\nz"\n');
});

test('a line that was cut off while it was written is left out; one that is no letter is refused', async (t) => {
  const world = await FolderWorld.create(t);
  const outDir = join(world.root, 'repaired');
  mkdirSync(outDir);
  writeFileSync(world.deadFile, '{"file":"../a.csv","line":2,"offset":9,"reason":"id","raw":"eA=="}\n{"file":"b.c');
  const { files } = await repairDeadLetters({ deadFile: world.deadFile, outDir, header });
  t.deepEqual(files, [{ original: '../a.csv', path: join(outDir, 'a-repaired-1.csv'), rows: 1 }]);
  appendFileSync(world.deadFile, '\n');
  const error = await t.throwsAsync(repairDeadLetters({ deadFile: world.deadFile, outDir, header }));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /dead\.jsonl:2 is no letter/);
  const absent = await t.throwsAsync(repairDeadLetters({ deadFile: world.path('absent'), outDir, header }));
  t.true(StreamsError.is(absent) && absent.code === 'STREAMS_FILE');
});
