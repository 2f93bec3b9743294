import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { FolderWorld, range } from './helpers/folder-world.ts';

const idsOf = (records: readonly string[]): number[] => records.map((record) => Number(record.split(':')[2]));

/** As the helpers of this name, for more rows than a call has arguments. */
const rows = (...ids: readonly (number | readonly number[])[]): string =>
  ids
    .flat()
    .map((id) => `${id},${id},${'text'.repeat(25)}\n`)
    .join('');
const readings = (...ids: readonly (number | readonly number[])[]): string => `id,at,text\n${rows(...ids)}`;

/** Few rows, more than 64 KiB, more than a chunk of 1 MiB: each is found in its own way. */
const sizes = [3, 1000, 10_000];

for (const count of sizes) {
  const before = range(1, count);
  const after = range(count + 1, count + 5);

  test(`a file of ${count} rows that is renamed is not read again, one that has grown since only from there on, however often`, async (t) => {
    const world = await FolderWorld.create(t);
    world.write('events.csv', readings(before));
    t.is((await world.run()).records.length, count);
    renameSync(world.path('events.csv'), world.path('events-1.csv'));
    const renamed = await world.run();
    t.deepEqual(renamed.records, []);
    t.regex(renamed.logged.join(), /events-1\.csv has the rows that were read as events\.csv: it was renamed/);
    t.deepEqual([renamed.progress.filesDone, renamed.progress.filesTotal, renamed.progress.rows], [1, 1, count]);
    t.is(renamed.progress.bytes, renamed.progress.bytesTotal);
    world.append('events-1.csv', rows(after));
    renameSync(world.path('events-1.csv'), world.path('events-2.csv'));
    t.deepEqual(idsOf((await world.run()).records), after);
    // Back under its first name, all of it is known.
    renameSync(world.path('events-2.csv'), world.path('events.csv'));
    const back = await world.run();
    t.deepEqual([back.records, back.progress.rows, back.progress.filesTotal], [[], count + 5, 1]);
    t.deepEqual((await world.run({ verify: true })).records, []);
  });

  test(`a copy of a file of ${count} rows, packed or not, is not read, in the same run or a later one, whichever name sorts first`, async (t) => {
    for (const [name, copy] of [
      ['b.csv', 'a.csv'],
      ['b.csv', 'c.csv'],
      ['b.csv', 'c.csv.gz'],
      ['b.csv.gz', 'c.csv'],
      ['b.csv.gz', 'c.csv.gz'],
    ] as const)
      for (const sameRun of [true, false]) {
        const world = await FolderWorld.create(t);
        const text = readings(before);
        const content = (of: string): string | Buffer => (of.endsWith('.gz') ? gzipSync(text, { level: 1 }) : text);
        world.write(name, content(name));
        const first = sameRun ? [] : (await world.run()).records;
        world.write(copy, content(copy));
        const second = await world.run();
        t.deepEqual(idsOf([...first, ...second.records]), before, `${name}, ${copy}`);
        t.is(second.progress.rows, count);
        t.deepEqual([second.progress.filesDone, second.progress.filesTotal], [2, 2]);
        t.regex(second.logged.join(), /it was copied/);
        t.deepEqual((await world.run()).records, []);
      }
  });

  test(`a file of ${count} rows that is packed under another name when it has grown is read on`, async (t) => {
    const world = await FolderWorld.create(t);
    world.write('a.csv', readings(before));
    await world.run();
    rmSync(world.path('a.csv'));
    world.write('b.csv.gz', gzipSync(readings(before, after)));
    t.deepEqual(idsOf((await world.run()).records), after);
    rmSync(world.path('b.csv.gz'));
    world.write('c.csv', readings(before, after, [0]));
    t.deepEqual(idsOf((await world.run()).records), [0]);
  });

  test(`a file of ${count} rows that is renamed while it is read in part is read on where that was`, async (t) => {
    const world = await FolderWorld.create(t);
    world.write('a.csv', readings(before));
    const half = Math.floor(count / 2) + 1;
    await world.run({ commitAt: half, killAt: half });
    renameSync(world.path('a.csv'), world.path('z.csv'));
    t.deepEqual(idsOf((await world.run()).records), range(half + 1, count));
    t.deepEqual((await world.run()).records, []);
  });

  test(`rows that a file of ${count} rows and its copy have grown by are read once, whichever sorts first, in one run or several`, async (t) => {
    for (const copy of ['a.csv', 'c.csv', 'c.csv.gz'])
      for (const follow of [true, false]) {
        const world = await FolderWorld.create(t);
        world.write('b.csv', readings(before));
        const copied = (): void => {
          const content = readFileSync(world.path('b.csv'));
          world.write(copy, copy.endsWith('.gz') ? gzipSync(content, { level: 1 }) : content);
        };
        await world.run();
        const grow = async (id: number, runBetween: boolean): Promise<number[]> => {
          world.append('b.csv', rows(id));
          const records = runBetween ? (await world.run({ follow })).records : [];
          copied();
          const last = await world.run({ follow });
          const { filesDone, filesTotal, bytes, bytesTotal } = last.progress;
          t.deepEqual([filesDone, bytes], [filesTotal, bytesTotal]);
          return idsOf([...records, ...last.records]);
        };
        const read: number[] = [];
        for (let id = count + 1; id <= count + 4; id++) read.push(...(await grow(id, id % 2 === 0)));
        t.deepEqual(read, range(count + 1, count + 4), `${copy}, ${follow}`);
        const again = await world.run({ verify: true });
        t.deepEqual([again.records, again.progress.rows], [[], count + 4]);
      }
  });

  test(`a copy of a file of ${count} rows that was read in part goes on where that was`, async (t) => {
    for (const copy of ['a.csv', 'c.csv']) {
      const world = await FolderWorld.create(t);
      world.write('b.csv', readings(before));
      const half = Math.floor(count / 2) + 1;
      await world.run({ commitAt: half, killAt: half });
      copyFileSync(world.path('b.csv'), world.path(copy));
      t.deepEqual(idsOf((await world.run()).records), range(half + 1, count));
      t.deepEqual((await world.run()).records, []);
    }
  });

  test(`a copy of a file of ${count} rows is known although it was empty, had a header alone or some rows when it was seen first`, async (t) => {
    const text = readings(before);
    for (const follow of [true, false])
      for (const copy of ['a.csv', 'b.csv']) {
        const world = await FolderWorld.create(t);
        world.write(copy, '');
        t.deepEqual((await world.run({ follow })).records, []);
        world.write(copy, text.slice(0, 11));
        t.deepEqual((await world.run({ follow })).records, []);
        world.write('aa.csv', text);
        t.deepEqual(idsOf((await world.run({ follow })).records), before);
        for (const end of [text.indexOf('\n', 11) + 1, text.length - 30, text.length]) {
          world.write(copy, text.slice(0, end));
          const { records, progress } = await world.run({ follow });
          t.deepEqual([records, progress.rows], [[], count], `${copy} to ${end}`);
          t.deepEqual([progress.filesDone, progress.bytes], [progress.filesTotal, progress.bytesTotal]);
        }
        world.append(copy, rows(count + 1));
        t.deepEqual(idsOf((await world.run({ follow })).records), [count + 1]);
      }
  });

  test(`who follows is told of a file of ${count} rows that was renamed, and reads what is written to it`, async (t) => {
    const world = await FolderWorld.create(t);
    world.write('a.csv', readings(before));
    await world.run({ follow: true });
    renameSync(world.path('a.csv'), world.path('b.csv'));
    world.append('b.csv', rows(after));
    world.write('a.csv.new', 'no file of ours');
    t.deepEqual(idsOf((await world.run({ follow: true })).records), after);
  });
}

test('files that are empty, or have nothing but a header, are alike without being the same', async (t) => {
  const world = await FolderWorld.create(t);
  for (const name of ['a', 'b', 'c']) world.write(`${name}.csv`, 'id,at,text\n');
  for (const name of ['d', 'e']) world.write(`${name}.csv`, '');
  world.write('f.csv.gz', gzipSync(''));
  const first = await world.run();
  t.deepEqual([first.records, first.logged.filter((line) => line.includes('it was'))], [[], []]);
  for (const [i, name] of ['a', 'b', 'c'].entries()) world.append(`${name}.csv`, rows(i + 1));
  rmSync(world.path('c.csv'));
  world.write('g.csv', readings(4));
  const second = await world.run();
  t.deepEqual(idsOf(second.records), [1, 2, 4]);
});

test('files that begin alike and go on in other ways are files of their own', async (t) => {
  for (const count of sizes) {
    const world = await FolderWorld.create(t);
    world.write('a.csv', readings(range(1, count)));
    await world.run();
    // The same length and beginning, another end.
    const text = readFileSync(world.path('a.csv'), 'utf8');
    world.write('b.csv', `${text.slice(0, -2)}X\n`);
    t.is((await world.run()).records.length, count);
    if (count === 3) continue;
    // Another row in the middle.
    const middle = Math.floor(text.length / 2);
    world.write('c.csv', `${text.slice(0, middle)}${text.slice(middle).replace('text', 'TEXT')}`);
    t.is((await world.run()).records.length, count);
    // Shorter, and nothing is there that has its rows.
    for (const name of ['a.csv', 'b.csv', 'c.csv']) rmSync(world.path(name));
    world.write('d.csv', text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
    t.is((await world.run()).records.length, count - 1);
  }
});

test('what is moved into a folder below is not read there, and read no second time when it comes back under another name', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2));
  await world.run();
  mkdirSync(join(world.events, 'done'));
  renameSync(world.path('a.csv'), join(world.events, 'done', 'a.csv'));
  t.deepEqual((await world.run()).records, []);
  copyFileSync(join(world.events, 'done', 'a.csv'), world.path('again.csv'));
  t.deepEqual((await world.run()).records, []);
  world.write('again.csv.gz', gzipSync(readFileSync(world.path('again.csv'))));
  rmSync(world.path('again.csv'));
  t.deepEqual((await world.run()).records, []);
  t.is(gunzipSync(readFileSync(world.path('again.csv.gz'))).toString(), readings(1, 2));
});

for (const count of [3, 10_000])
  test(`a part of a file of ${count} rows, packed or not, cut at a line or within one, is not read, in the same run or a later one, whichever name sorts first`, async (t) => {
    const text = readings(range(1, count));
    const line = text.indexOf('\n', Math.floor(text.length / 2)) + 1;
    for (const [name, part] of [
      ['b.csv', 'c.csv'],
      ['b.csv', 'c.csv.gz'],
      ['b.csv.gz', 'c.csv'],
      ['b.csv', 'a.csv'],
    ] as const)
      for (const sameRun of [true, false]) {
        const cut = sameRun ? line : line + 3;
        const world = await FolderWorld.create(t);
        const content = (of: string, is: string): string | Buffer =>
          of.endsWith('.gz') ? gzipSync(is, { level: 1 }) : is;
        world.write(name, content(name, text));
        const first = sameRun ? [] : (await world.run()).records;
        world.write(part, content(part, text.slice(0, cut)));
        const second = await world.run();
        t.deepEqual(idsOf([...first, ...second.records]), range(1, count), `${name}, ${part} to ${cut}, ${sameRun}`);
        const again = await world.run();
        t.deepEqual([again.records, again.progress.rows], [[], count]);
      }
  });

test('a part of a file is told, is no file that is left to read, and is known as a copy when it has become whole', async (t) => {
  const world = await FolderWorld.create(t);
  const text = readings(range(1, 10));
  world.write('a.csv', text);
  await world.run();
  world.write('b.csv', readings(1, 2, 3));
  const part = await world.run();
  t.regex(part.logged.join(), /b\.csv has nothing but the first rows of a\.csv: they are not counted again/);
  t.deepEqual([part.progress.filesDone, part.progress.filesTotal], [1, 1]);
  t.is(part.progress.bytes, part.progress.bytesTotal);
  world.write('b.csv', text + rows(11));
  const grown = await world.run();
  t.deepEqual(idsOf(grown.records), [11]);
  t.regex(grown.logged.join(), /b\.csv has the rows that were read as a\.csv: it was copied/);
});

test('who follows passes over a copy under way, and over all of it when it is there', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(range(1, 10)));
  world.write('b.csv', readings(1, 2));
  const first = await world.run({ follow: true });
  t.deepEqual(idsOf(first.records), range(1, 10));
  world.append('b.csv', rows(range(3, 10)));
  t.deepEqual((await world.run({ follow: true })).records, []);
});

test('a part of a file stays known when the file is gone, and is refused when it has other rows then', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(range(1, 10)));
  world.write('b.csv', readings(1, 2, 3));
  await world.run();
  rmSync(world.path('a.csv'));
  const gone = await world.run();
  t.deepEqual([gone.records, gone.progress.rows], [[], 10]);
  world.append('b.csv', rows(11));
  await t.throwsAsync(world.run(), { code: 'STREAMS_FILE_REWRITTEN', message: /b\.csv.*the first ones of a\.csv/ });
  // All of what is gone, and more.
  world.write('b.csv', readings(range(1, 11)));
  t.deepEqual(idsOf((await world.run()).records), [11]);
});

test("a copy that was cut before the end of its first row's line is known", async (t) => {
  for (const end of ['\n', '\r\n'])
    for (const part of ['a.csv', 'c.csv', 'c.csv.gz'])
      for (const cut of [0, 1, end.length]) {
        const world = await FolderWorld.create(t);
        const text = readings(1, 2, 3).replaceAll('\n', end);
        world.write('b.csv', text);
        await world.run();
        const head = text.slice(0, text.indexOf(end, 12) + cut);
        world.write(part, part.endsWith('.gz') ? gzipSync(head) : head);
        const { records, logged } = await world.run();
        t.deepEqual(records, [], `${JSON.stringify(end)}, ${part}, ${cut}`);
        t.regex(logged.join(), /nothing but the first rows of b\.csv/);
        world.remove(part);
        world.write('c.csv', text);
        t.deepEqual((await world.run()).records, []);
      }
});

test('a file that begins as another one and goes on in its own way is read from where it was', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2, 3));
  world.write('b.csv', readings());
  t.deepEqual(idsOf((await world.run()).records), [1, 2, 3]);
  world.append('b.csv', rows(1, 2));
  t.regex((await world.run()).logged.join(), /b\.csv has nothing but the first rows of a\.csv/);
  world.append('b.csv', rows(9));
  const own = await world.run();
  t.deepEqual(idsOf(own.records), [1, 2, 9]);
  t.regex(own.logged.join(), /b\.csv begins as a\.csv does and goes on in another way/);
  t.deepEqual([own.progress.filesDone, own.progress.filesTotal, own.progress.rows], [2, 2, 6]);
  t.is(own.progress.bytes, own.progress.bytesTotal);
});

test('a copy that was not grown with its original is read again as what it was, also when it has grown since', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1, 2));
  world.write('b.csv', readings(1, 2));
  await world.run();
  world.append('a.csv', rows(3));
  await world.run();
  for (const further of ['', rows(3), rows(4)]) {
    world.append('b.csv', further);
    const { feed, close } = await world.feed();
    const again = await feed.again(world.database);
    const read: unknown[] = [];
    try {
      await again.open(await openMemoryDatabase());
      for (;;) {
        const batch = await again.poll();
        if (typeof batch !== 'object') break;
        read.push(...batch.keys);
        batch.accept(batch.length);
      }
    } finally {
      await again.close();
      await close();
    }
    t.deepEqual(read, ['id 1', 'id 2', 'id 3']);
  }
});
