import { readFileSync, statSync, utimesSync } from 'node:fs';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { FolderWorld, range, readings, rows } from './helpers/folder-world.ts';
import { readingFormat } from './helpers/formats.ts';

test('files are not read again once they are done, and may be gone', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  await world.run();
  t.deepEqual((await world.run()).records, []);
  world.remove('a.csv');
  t.deepEqual((await world.run()).records, []);
  world.write('a.csv', readings(1));
  t.deepEqual((await world.run()).records, [], 'the same file put back');
});

test('a file that appears later and sorts earlier is read when it is found', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('b.csv', readings(2));
  await world.run();
  world.write('a.csv', readings(1));
  world.write('c.csv', readings(3));
  t.deepEqual((await world.run()).records, ['a.csv:2:1', 'c.csv:2:3']);
});

test('a file that grew is read on from its old end', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2));
  await world.run();
  world.append('a.csv', rows(3));
  t.deepEqual((await world.run()).records, ['a.csv:4:3']);
  world.append('a.csv', rows(...range(4, 20_000)));
  const { records, progress } = await world.run();
  t.is(records.length, 19_997);
  t.is(records.at(-1), 'a.csv:20001:20000');
  t.deepEqual([progress.filesDone, progress.filesTotal, progress.rows], [1, 1, 20_000]);
  t.is(progress.bytes, statSync(world.path('a.csv')).size);
});

test('a cut last line waits for its rest, and is told', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1)}2,2`);
  const first = await world.run();
  t.deepEqual(first.records, ['a.csv:2:1']);
  t.is(first.progress.filesDone, 0);
  t.regex(first.logged.join(), /cut last line waits for its rest .*"file":"a\.csv","line":3,"offset":20/);
  t.deepEqual(world.deadLetters(), []);
  world.append('a.csv', `,text\n${rows(3)}`);
  const second = await world.run();
  t.deepEqual(second.records, ['a.csv:3:2', 'a.csv:4:3']);
  t.is(second.progress.filesDone, 1);
});

test('a good last line without line end is a row, and its line end may follow', async (t) => {
  for (const lineEnd of ['\n', '\r\n']) {
    const world = await FolderWorld.create(t);
    world.write('a.csv', `${readings(1)}2,2,text`);
    const first = await world.run();
    t.deepEqual(first.records, ['a.csv:2:1', 'a.csv:3:2']);
    t.is(first.progress.filesDone, 1);
    t.deepEqual((await world.run()).records, []);
    for (const byte of lineEnd) {
      world.append('a.csv', byte);
      t.deepEqual((await world.run()).records, []);
    }
    world.append('a.csv', rows(3));
    t.deepEqual((await world.run()).records, ['a.csv:4:3']);
  }
});

test('a last line that was taken as whole and goes on is refused: it was cut', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1)}2,2,te`);
  await world.run();
  world.append('a.csv', `xt\n${rows(3)}`);
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN');
  t.regex(
    error!.message,
    /a\.csv .*saved: 26 bytes read, their last line 3 taken as whole.*found: the line goes on with "xt/,
  );
});

test('with follow a last line without line end waits, good or not', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1)}2,2,te`);
  t.deepEqual((await world.run({ follow: true })).records, ['a.csv:2:1']);
  world.append('a.csv', 'xt\n');
  t.deepEqual((await world.run({ follow: true })).records, ['a.csv:3:2']);
});

test('a file that is shorter than what was read is refused with both lengths', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2));
  await world.run();
  world.write('a.csv', readings(1));
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN');
  t.regex(error!.message, /saved: 29 bytes read; found: 20 bytes/);
});

test('a file whose first or last 64 KiB differ is refused with both hashes; the middle is the business of verify', async (t) => {
  const world = await FolderWorld.create(t);
  const content = Buffer.from(readings(...range(1, 20_000)));
  world.write('a.csv', content);
  await world.run();
  const { atime, mtime } = statSync(world.path('a.csv'));
  for (const [at, refused, verified] of [
    [15, true, true],
    [(1 << 16) - 1, true, true],
    [1 << 16, false, true],
    [content.length - (1 << 16) - 1, false, true],
    [content.length - (1 << 16), true, true],
    [content.length - 1, true, true],
  ] as const) {
    const other = Buffer.from(content);
    other[at] = 0x39 + (other[at]! & 1);
    world.write('a.csv', other);
    utimesSync(world.path('a.csv'), atime, mtime);
    for (const [verify, wanted] of [
      [false, refused],
      [true, verified],
    ] as const) {
      const found = await world.run({ verify }).then(
        () => undefined,
        (error: unknown) => error,
      );
      t.is(StreamsError.is(found) ? found.code : undefined, wanted ? 'STREAMS_FILE_REWRITTEN' : undefined, `${at}`);
      if (StreamsError.is(found))
        t.regex(found.message, /saved: .* sha256 [0-9a-f]{16}.*; found: .* sha256 [0-9a-f]{16}/);
    }
  }
  world.write('a.csv', content);
  t.deepEqual((await world.run({ verify: true })).records, []);
});

test('a file that was read in part is checked too, and read on after the check', async (t) => {
  const world = await FolderWorld.create(t);
  const content = readings(...range(1, 30_000));
  world.write('a.csv', content);
  await world.run({ commitAt: 25_000, killAt: 26_000, chunkBytes: 100_000 });
  world.write('a.csv', content.replace('24999,24999', '24999,24990'));
  await t.throwsAsync(world.run(), { message: /rewritten/ });
  world.write('a.csv', content.replace('10000,10000', '10000,10009'));
  await t.throwsAsync(world.run({ verify: true }), { message: /rewritten/ });
  world.write('a.csv', content.replace('29999,29999', '29999,29990'));
  t.is((await world.run({ verify: true })).records.length, 5000, 'what was not read may change');
});

test('a file that was not read to its end and is gone is told, and read on when it is back', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 3));
  await world.run({ commitAt: 1, killAt: 1 });
  world.remove('a.csv');
  const gone = await world.run();
  t.deepEqual(gone.records, []);
  t.regex(gone.logged.join(), /not read to its end is gone.*"file":"a\.csv"/);
  world.write('a.csv', readings(1, 2, 3));
  t.deepEqual((await world.run()).records, ['a.csv:3:2', 'a.csv:4:3']);
});

test('a commit writes the rows of changed files alone', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  world.write('b.csv', readings(2));
  await world.run();
  world.append('b.csv', rows(3));
  const { feed, close } = await world.feed();
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch === 'object') batch.accept(batch.length);
  const write = world.database.batch();
  await feed.save(write);
  t.is(write.length, 2, 'the counters and b.csv');
  await write.write({ sync: false });
  const again = world.database.batch();
  await feed.save(again);
  t.is(again.length, 0);
  await again.close();
  await close();
});

test('letters shorter than what was committed are refused with both lengths', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at,text\nbad\n');
  await world.run();
  const { length } = readFileSync(world.deadFile);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(world.deadFile, '');
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, new RegExp(`is 0 bytes long, but ${length} bytes`));
});

test('where every file was refused, a format that is mended goes on with the same state', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'when,id,text\n1,1,x\n2,2,y\n');
  const { records, progress } = await world.run();
  t.deepEqual([records, Object.keys(progress.refused ?? {})], [[], ['a.csv']]);
  const format = { ...readingFormat, columns: ['when', 'id', 'text'] };
  t.is((await world.run({ format })).records.length, 2);
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_STATE_INCOMPATIBLE');
});

test('a position saved with other columns or another dialect is refused with what differs', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  await world.run();
  const { readingFormat } = await import('./helpers/formats.ts');
  const format = { ...readingFormat, columns: ['at', 'id', 'text'] };
  const refused = async (other: typeof format): Promise<string> =>
    (await t.throwsAsync(world.run({ format: other }), { code: 'STREAMS_STATE_INCOMPATIBLE' } as never)).message;
  t.is(
    await refused(format),
    'topic readings was read with the columns "id", "at", "text", and now with "at", "id", "text". Give the format that its files were read with, or start from an empty state.',
  );
  const others: readonly (readonly [readonly string[], string])[] = [
    [['id', 'time', 'text'], 'with the column "at", and now with "time"'],
    [['id', 'at'], 'with the column "text", and now without it'],
    [['id', 'at', 'text', 'unit', 'note'], 'without the columns "unit", "note", and now with them'],
  ];
  for (const [columns, told] of others)
    t.true(
      (await refused({ ...readingFormat, columns: [...columns] })).startsWith(`topic readings was read ${told}. Give `),
    );
  t.regex(
    await refused({ ...readingFormat, dialect: { separator: '\t', skipLines: 2 } } as typeof format),
    /^topic readings was read with separator ",", and now with "\\u0009" \(tab\); with skipLines 0, and now with 2\. Give /,
  );
});
