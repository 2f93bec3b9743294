import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { FolderWorld, nameOf, range, readings, rows } from './helpers/folder-world.ts';

test('files are read in the byte order of their names, other files are ignored', async (t) => {
  const world = await FolderWorld.create(t);
  for (const [i, name] of ['b.csv', 'B.csv', 'a.csv', 'é.csv', 'a-1.csv', '\u{1d11e}.csv', '\uff5e.csv'].entries()) {
    world.write(name, readings(i));
  }
  for (const name of ['c.txt', 'd.csv.tmp', '.e.csv', 'f.gz', 'csv']) world.write(name, readings(9));
  mkdirSync(world.path('folder.csv'));
  const { records, progress } = await world.run();
  t.deepEqual(
    records.map((record) => record.split(':')[0]),
    ['B.csv', 'a-1.csv', 'a.csv', 'b.csv', 'é.csv', '\uff5e.csv', '\u{1d11e}.csv'],
  );
  t.is(progress.filesTotal, 7);
  t.is(progress.filesDone, 7);
});

test('a missing folder is an error that names it, with follow too', async (t) => {
  const world = await FolderWorld.create(t);
  for (const follow of [false, true]) {
    const error = await t.throwsAsync(world.run({ directory: world.path('nowhere'), follow }));
    t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
    t.regex(error!.message, /nowhere of topic readings does not exist/);
  }
});

test('a file in both forms is refused', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  world.write('a.csv.gz', 'anything');
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /a\.csv and .*a\.csv\.gz/);
});

test('batches hold at most the wanted records, with keys, values and origins', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(...range(1, 5)));
  const { feed, close } = await world.feed({ batchRows: 2 });
  await feed.open(world.database);
  const lengths: number[] = [];
  for (let batch = await feed.poll(); typeof batch === 'object'; batch = await feed.poll()) {
    lengths.push(batch.length);
    t.is(batch.keys[0], `id ${(batch.values[0] as { id: number }).id}`);
    t.is(feed.timestampOf(batch.values[0]), (batch.values[0] as { id: number }).id);
    const { file, line, offset, raw } = batch.origin(0);
    t.is(Buffer.from(raw).toString(), `${line - 1},${line - 1},text`);
    t.deepEqual({ file, offset }, { file: 'a.csv', offset: 11 + (line - 2) * 9 });
    batch.accept(batch.length);
  }
  t.deepEqual(lengths, [2, 2, 1]);
  await close();
});

const tooLate = { reason: 'late', message: 'too late' } as const;

test('a batch must be accepted before the next, and is never accepted backwards', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 3));
  const { feed, close } = await world.feed();
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch !== 'object') return t.fail();
  await t.throwsAsync(feed.poll(), { instanceOf: TypeError });
  batch.accept(2);
  t.throws(() => batch.accept(1), { instanceOf: RangeError });
  t.throws(() => batch.accept(4), { instanceOf: RangeError });
  t.throws(() => batch.drop(1, tooLate), { instanceOf: RangeError });
  batch.accept(3);
  t.is(await feed.poll(), undefined);
  t.is(await feed.poll(), undefined, 'the end stays the end');
  await close();
});

test('bad rows go to the dead letters when what stands before them is accepted, in the order of the file', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `id,at,text\nbad 1\n1,1,x\n2,2,y\nbad 2\n"bad 3\n3,3,z\nx,4,bad 4\n`);
  const { feed, close } = await world.feed();
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch !== 'object') return t.fail();
  const deadAfter = async (n: number): Promise<string[]> => {
    batch.accept(n);
    await world.commit(feed);
    return world.deadLetters().map(({ line, reason, raw }) => `${line} ${reason} ${raw}`);
  };
  t.deepEqual(await deadAfter(0), ['2 columns bad 1']);
  t.deepEqual(await deadAfter(1), ['2 columns bad 1']);
  batch.drop(1, { reason: 'future', message: 'told' });
  t.deepEqual((await deadAfter(2)).slice(1), ['4 future 2,2,y', '5 columns bad 2', '6 quote "bad 3']);
  batch.drop(2, tooLate);
  batch.drop(2, tooLate);
  t.deepEqual((await deadAfter(3)).slice(4), ['8 id x,4,bad 4']);
  const { rows: rowCount, dead, late, deadByReason } = feed.progress;
  t.deepEqual({ rowCount, dead, late }, { rowCount: 7, dead: 5, late: 1 });
  t.deepEqual(deadByReason, { columns: 2, future: 1, quote: 1, id: 1 });
  t.deepEqual(world.lateLetters(), [
    { file: 'a.csv', line: 7, offset: 42, reason: 'late', message: 'too late', raw: '3,3,z' },
  ]);
  await close();
});

test('notes on records may come in any order before they are accepted', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 3));
  const { feed, close } = await world.feed();
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch !== 'object') return t.fail();
  batch.drop(2, { reason: 'processing', message: 'told' });
  batch.drop(0, { reason: 'future', message: 'told' });
  batch.drop(2, { reason: 'processing', message: 'told' });
  batch.accept(3);
  await world.commit(feed);
  t.deepEqual(
    world.deadLetters().map(({ line, reason }) => `${line} ${reason}`),
    ['2 future', '4 processing'],
  );
  await close();
});

test('a record that is dropped several times has one letter: that it failed, else what it lacks, else that it is late', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 3));
  const { feed, close } = await world.feed();
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch !== 'object') return t.fail();
  batch.drop(0, tooLate);
  batch.drop(0, { reason: 'processing', message: 'it failed' });
  batch.drop(1, { reason: 'null_key', message: 'no key' });
  batch.drop(1, tooLate);
  batch.drop(2, tooLate);
  batch.drop(2, { reason: 'late', message: 'late again' });
  batch.accept(3);
  await world.commit(feed);
  t.deepEqual(
    [...world.deadLetters(), ...world.lateLetters()].map(({ line, message }) => `${line} ${message}`),
    ['2 it failed', '3 no key', '4 too late'],
  );
  t.like(feed.progress, { rows: 3, dead: 2, late: 1 });
  await close();
});

test('a refused record stands among the bad rows in the order of the file, however late it is accepted', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `id,at,text\nbad 1\n${rows(1)}bad 2\n${rows(2, 3)}bad 3\n`);
  await world.run({ deadId: 2 });
  t.deepEqual(
    world.deadLetters().map(({ line }) => line),
    [2, 4, 5, 7],
  );
});

test('rows out of the time range are skipped and counted', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 5, 9, 10, 6, 4));
  world.write('b.csv', readings(20, 30));
  const { records, progress } = await world.run({ fromMs: 5, toMs: 10, batchRows: 2 });
  t.deepEqual(records, ['a.csv:3:5', 'a.csv:4:9', 'a.csv:6:6']);
  t.is(progress.skipped, 5);
  t.is(progress.rows, 8);
});

test('on error fail the good rows before are delivered, then the row is told; later the feed goes on behind them', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1, 2)}bad\n${rows(3)}`);
  const { feed, close } = await world.feed({ onError: 'fail' });
  await feed.open(world.database);
  const batch = await feed.poll();
  if (typeof batch !== 'object') return t.fail();
  t.deepEqual([nameOf(batch, 0), nameOf(batch, 1), batch.length], ['a.csv:2:1', 'a.csv:3:2', 2]);
  batch.accept(2);
  for (let i = 0; i < 2; i++) {
    const error = await t.throwsAsync(feed.poll());
    t.true(StreamsError.is(error) && error.code === 'STREAMS_BAD_ROW');
    t.regex(error!.message, /^a\.csv:4:29: bad row of topic readings: columns/);
  }
  await world.commit(feed);
  await close();
  t.deepEqual(world.deadLetters(), []);
  t.deepEqual((await world.run()).records, ['a.csv:5:3']);
  t.deepEqual(
    world.deadLetters().map(({ line }) => line),
    [4],
  );
});

test('a file whose header does not serve is refused, others are read; mended in place it is read from its beginning', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', '\ufeff\nid,at\n1,1\n');
  world.write('b.csv', readings(2));
  world.write('c.csv.gz', gzipSync(`id;at;text\n${rows(...range(3, 4000))}`));
  world.write('d.csv', readings(9));
  const first = await world.run({ chunkBytes: 100 });
  t.deepEqual(first.records, ['b.csv:2:2', 'd.csv:2:9']);
  t.deepEqual(world.deadLetters(), []);
  t.deepEqual(first.progress.refused, {
    'a.csv': 'it lacks the column "text"; it has "id", "at"',
    'c.csv': 'its columns are separated by ";", not by a comma: "id;at;text"',
  });
  t.like(first.progress, { rows: 2, filesDone: 2, filesTotal: 4 });
  t.is(first.progress.bytes, first.progress.bytesTotal);
  const told = first.logged.filter((line) => line.includes('refused'));
  t.is(told.length, 2);
  t.regex(told[0]!, /lacks the column "text".*a\.csv/);

  world.write('a.csv', 'id,at,text\n1,1,x\n');
  const second = await world.run();
  t.deepEqual(second.records, ['a.csv:2:1']);
  t.deepEqual(Object.keys(second.progress.refused ?? {}), ['c.csv']);
  world.write('c.csv.gz', gzipSync(readings(3, 4)));
  const third = await world.run();
  t.deepEqual(third.records, ['c.csv:2:3', 'c.csv:3:4']);
  t.is(third.progress.refused, undefined);
  t.like(third.progress, { rows: 5, filesDone: 4, filesTotal: 4 });
});

test('a file that is refused while it is followed is looked at again when it has changed', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at\n1,1\n');
  const { feed, close } = await world.feed({ follow: true });
  t.teardown(close);
  await feed.open(world.database);
  t.is(await feed.poll(), 'idle');
  t.deepEqual(Object.keys(feed.progress.refused ?? {}), ['a.csv']);
  await world.commit(feed);
  world.write('a.csv', readings(7, 8));
  let batch = await feed.poll();
  while (typeof batch !== 'object') {
    await feed.wait(50);
    batch = await feed.poll();
  }
  t.is(batch.length, 2);
  t.is(feed.progress.refused, undefined);
  batch.accept(2);
});

test('on error fail a file that is refused ends the reading, and is read once it is mended', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', '\n\nid,at,txet\n1,1,x\n');
  const { feed, close } = await world.feed({ onError: 'fail' });
  await feed.open(world.database);
  await t.throwsAsync(feed.poll(), { message: /a\.csv: it lacks the column "text"; it has "id", "at", "txet"/ });
  await world.commit(feed);
  await close();
  world.write('a.csv', '\n\nid,at,text\n1,1,x\n');
  t.deepEqual((await world.run({ onError: 'fail' })).records, ['a.csv:4:1']);
});

test('a file of bad rows alone is read to its end', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at,text\n1,x\n2,y\n');
  world.write('b.csv', readings(3));
  world.write('c.csv', '');
  const { records, progress } = await world.run();
  t.deepEqual(records, ['b.csv:2:3']);
  t.is(progress.filesDone, 3);
  t.deepEqual(
    world.deadLetters().map(({ file, line, reason }) => `${file}:${line} ${reason}`),
    ['a.csv:2 columns', 'a.csv:3 columns'],
  );
});

test('chunks of any size give the same rows and letters, long rows included', async (t) => {
  const long = `7,7,${'x'.repeat(200_000)}\n`;
  const tooLong = `8,8,${'x'.repeat(1_200_000)}\n`;
  const content = `${readings(...range(1, 6))}${long}bad\n${tooLong}"9",9,"a\nb"\n${rows(10)}`;
  const run = async (chunkBytes: number): Promise<unknown> => {
    const world = await FolderWorld.create(t);
    world.write('a.csv', content);
    const { records, progress } = await world.run({ chunkBytes, batchRows: 3 });
    return { records, progress, dead: world.deadLetters() };
  };
  const expected = await run(1 << 22);
  for (const chunkBytes of [7777, 1 << 16, 1 << 20]) t.deepEqual(await run(chunkBytes), expected);
});

test('progress counts since the state began, and knows what there is to read', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${readings(1, 2)}bad\n`);
  const first = await world.run({ lateId: 2 });
  const size = readings(1, 2).length + 4;
  t.deepEqual(first.progress, {
    topic: 'readings',
    filesDone: 1,
    filesTotal: 1,
    rows: 3,
    bytes: size,
    bytesTotal: size,
    bytesRead: size,
    dead: 1,
    late: 1,
    skipped: 0,
    deadByReason: { columns: 1 },
  });
  world.write('b.csv', readings(3));
  world.remove('a.csv');
  const second = await world.run();
  t.deepEqual(second.records, ['b.csv:2:3']);
  const { filesDone, filesTotal, rows: rowCount, bytes, bytesTotal, dead, late } = second.progress;
  t.deepEqual([filesDone, filesTotal, rowCount, dead, late], [2, 2, 4, 1, 1]);
  t.is(bytes, size + readings(3).length);
  t.is(bytesTotal, bytes);
  t.is(second.progress.bytesRead, readings(3).length, 'what a process has read is its own');
});

test('several feeds share one file of letters', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', 'id,at,text\nbad a\n');
  const other = await FolderWorld.create(t);
  other.write('b.csv', 'id,at,text\nbad b\n1,1,x\n');
  const one = await world.feed();
  const shared = { dead: one.dead, keyPrefix: Buffer.from('feed/1/') };
  const two = await other.feed(shared);
  t.teardown(() => two.close());
  for (const { feed } of [one, two]) await feed.open(world.database);
  const batches = await Promise.all([one.feed.poll(), two.feed.poll()]);
  for (const batch of batches) if (typeof batch === 'object') batch.accept(batch.length);
  const write = world.database.batch();
  await Promise.all([one.feed.save(write), two.feed.save(write)]);
  await write.write({ sync: false });
  t.deepEqual(
    world.deadLetters().map(({ file, raw }) => `${file} ${raw}`),
    ['a.csv bad a', 'b.csv bad b'],
  );
  await one.close();
});

test('lines that end with CR alone behind a good header are no cut line: the file is refused', async (t) => {
  for (const follow of [false, true]) {
    const world = await FolderWorld.create(t);
    world.write('a.csv', 'id,at,text\n1,1,one\r2,2,two\r3,3,three\r');
    world.write('b.csv', readings(4));
    const { records, progress } = await world.run({ follow });
    t.deepEqual(records, ['b.csv:2:4']);
    t.deepEqual(Object.keys(progress.refused ?? {}), ['a.csv']);
    t.regex(progress.refused!['a.csv']!, /carriage return alone \(CR\)/);
  }
});

test('files under whose names rows may be meant are said to be left out, other things that lie about are not', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  for (const name of ['b.txt', 'c.csv.zip', '.d.csv', 'e.tsv', 'f.csv.tmp', '_SUCCESS', 'README.md', '.hidden'])
    world.write(name, readings(9));
  const { records, logged } = await world.run();
  t.deepEqual(records, ['a.csv:2:1']);
  const told = logged.filter((line) => line.includes('left out')).map((line) => line.replace(/ \{.*/, ''));
  const suffix = 'its name does not end with .csv, .csv.gz or .csv.zst';
  const others = '. Other names are read by a format with "suffixes" (--format, in a program: csvFormat)';
  t.deepEqual(told.sort(), [
    '.d.csv is left out: its name begins with a dot',
    `b.txt is left out: ${suffix}${others}`,
    `c.csv.zip is left out: ${suffix}`,
    `e.tsv is left out: ${suffix}${others}`,
    `f.csv.tmp is left out: ${suffix}`,
  ]);
});

test('names of files are known in any case, and what has such a name without being a file is told once', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('A.CSV', readings(1));
  world.write('b.csv.GZ', gzipSync(readings(2)));
  mkdirSync(world.path('folder.csv'));
  symlinkSync(world.path('nowhere'), world.path('link.csv'));
  writeFileSync(
    Buffer.concat([Buffer.from(`${world.events}/`), Buffer.from([0xe9]), Buffer.from('.csv')]),
    readings(3),
  );
  const { records, logged } = await world.run();
  t.deepEqual(records, ['A.CSV:2:1', 'b.csv:2:2']);
  const told = logged.filter((line) => line.includes('left out')).map((line) => line.replace(/ \{.*/, ''));
  t.deepEqual(told.sort(), [
    'folder.csv is left out: it is a folder',
    'link.csv is left out: it is a link that leads to no file',
    '\ufffd.csv is left out: its name is not UTF-8',
  ]);
});

test('an empty file is told once, and is no error; nor is one that has nothing but a header', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', '');
  world.write('b.csv', readings());
  world.write('c.csv.gz', gzipSync(''));
  world.write('d.csv', readings(1));
  const told = ({ logged }: { readonly logged: readonly string[] }): string[] =>
    logged.filter((line) => line.includes('is empty')).map((line) => line.replace(/ \{.*/, ''));
  const first = await world.run();
  t.deepEqual(first.records, ['d.csv:2:1']);
  t.deepEqual([first.progress.filesDone, first.progress.refused, first.progress.rows], [4, undefined, 1]);
  t.deepEqual(
    told(first),
    ['a.csv', 'c.csv'].map((file) => `${file} is empty: there is nothing in it, not even a header`),
  );
  t.deepEqual(told(await world.run()), []);
  world.write('a.csv', readings(2));
  t.deepEqual((await world.run()).records, ['a.csv:2:2']);
});
