import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { lookPauseMs } from '../../src/files/folder-looks.ts';
import { FolderWorld, nameOf, type OpenFeed, type RunOptions, range, readings, rows } from './helpers/folder-world.ts';
import { readingFormat } from './helpers/formats.ts';

/** Takes records until there are as many as wanted (an idle feed is waited for), or for a minute. */
async function take({ feed }: OpenFeed, wanted: number): Promise<string[]> {
  const records: string[] = [];
  const deadlineMs = performance.now() + 60_000;
  while (performance.now() < deadlineMs) {
    const batch = await feed.poll();
    if (batch === undefined) throw new Error('a following feed has no end');
    if (batch === 'idle') {
      if (records.length >= wanted) break;
      await feed.wait(50);
      continue;
    }
    for (let i = 0; i < batch.length; i++) records.push(nameOf(batch, i));
    batch.accept(batch.length);
  }
  return records;
}

async function follow(t: ExecutionContext, options: RunOptions = {}): Promise<{ world: FolderWorld; open: OpenFeed }> {
  const world = await FolderWorld.create(t);
  const open = await world.feed({ ...options, follow: true });
  t.teardown(() => open.close());
  await open.feed.open(world.database);
  return { world, open };
}

test('a following feed is idle when there is nothing, and finds new files', async (t) => {
  const { world, open } = await follow(t);
  t.is(await open.feed.poll(), 'idle');
  world.write('b.csv', readings(1, 2));
  t.deepEqual(await take(open, 2), ['b.csv:2:1', 'b.csv:3:2']);
  world.write('a.csv', readings(3));
  world.write('c.csv', readings(4));
  t.deepEqual(await take(open, 2), ['a.csv:2:3', 'c.csv:2:4']);
  t.deepEqual([open.feed.progress.filesDone, open.feed.progress.filesTotal], [3, 3]);
});

test('a following feed reads on what grows, and a cut line when its rest is there', async (t) => {
  const { world, open } = await follow(t);
  world.write('a.csv', readings(1));
  t.deepEqual(await take(open, 1), ['a.csv:2:1']);
  world.append('a.csv', '2,2,te');
  world.write('b.csv.gz', gzipSync(readings(7)));
  t.deepEqual(await take(open, 1), ['b.csv:2:7']);
  world.append('a.csv', `xt\n${rows(3)}`);
  world.append('b.csv.gz', gzipSync(rows(8)));
  t.deepEqual((await take(open, 3)).sort(), ['a.csv:3:2', 'a.csv:4:3', 'b.csv:3:8']);
  await world.commit(open.feed);
  t.deepEqual((await world.run()).records, []);
});

test('a file that grows while it is read is read once', async (t) => {
  const { world, open } = await follow(t, { chunkBytes: 200 });
  world.write('a.csv', readings(...range(1, 20)));
  const records: string[] = [];
  for (let next = 21; records.length < 40; ) {
    const batch = await open.feed.poll();
    if (typeof batch !== 'object') {
      await open.feed.wait(100);
      continue;
    }
    for (let i = 0; i < batch.length; i++) records.push(nameOf(batch, i));
    batch.accept(batch.length);
    if (next <= 40) world.append('a.csv', rows(...range(next, next + 9)));
    next += 10;
    // Longer than the folder is left alone.
    await new Promise((resolve) => setTimeout(resolve, 230));
  }
  records.push(...(await take(open, 0)));
  t.deepEqual(
    records,
    range(1, 40).map((id) => `a.csv:${id + 1}:${id}`),
  );
});

test('a following feed refuses a file that is rewritten while it runs', async (t) => {
  const { world, open } = await follow(t);
  world.write('a.csv', readings(1, 2));
  await take(open, 2);
  world.write('a.csv', readings(1, 3));
  const error = await t.throwsAsync(take(open, 1));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN');
});

test('a following feed tells a folder that is gone', async (t) => {
  const { world, open } = await follow(t);
  await open.feed.poll();
  rmSync(world.events, { recursive: true });
  const error = await t.throwsAsync(take(open, 1));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.regex(error!.message, /does not exist/);
});

test('a wait ends at a change, at its time-out, and when the feed is closed', async (t) => {
  const { world, open } = await follow(t);
  // One that would not end before its time ends this test by its own.
  const endless = 3_600_000;
  await open.feed.wait(20);
  setTimeout(() => world.write('a.csv', readings(1)), 50);
  await open.feed.wait(endless);
  t.deepEqual(await take(open, 1), ['a.csv:2:1']);
  const wait = open.feed.wait(endless);
  setTimeout(() => void open.feed.close(), 300);
  await wait;
});

test('a folder is left alone for 200 ms, longer if looking is slow, and never for more than 5 s', (t) => {
  const pauses = [0, 4, 10, 100, 3000].map(lookPauseMs);
  t.deepEqual(pauses, [200, 200, 500, 5000, 5000]);
});

test('feeds of several folders are read side by side', async (t) => {
  const opens = await Promise.all([follow(t), follow(t), follow(t)]);
  for (const [i, { world }] of opens.entries()) world.write(`${i}.csv`, readings(i));
  const found = await Promise.all(opens.map(({ open }) => take(open, 1)));
  t.deepEqual(found, [['0.csv:2:0'], ['1.csv:2:1'], ['2.csv:2:2']]);
});

test('a file without header that cannot begin so is refused in whole, however little of its first line was there at first', async (t) => {
  const columns = ['id', 'at', 'text'];
  const cases = [
    ['a.csv', { dialect: { names: columns } }, '1,1,x,y,z\n2,2,x,y,z\n', /first row has 5 fields/],
    ['a.csv', { dialect: { names: columns } }, 'id;at;text\n1;1;x\n', /first row has 1 field/],
    ['a.csv', { dialect: { names: columns } }, '1,1,\0\n2,2,x\n', /zero bytes in its first line/],
    ['a.ndjson', { dialect: { form: 'ndjson' } }, '[{"id":1,"at":1,"text":""}]\n', /JSON array/],
    ['a.ndjson', { dialect: { form: 'ndjson' } }, 'id,at,text\n1,1,x\n', /header of a CSV file/],
  ] as const;
  for (const [name, dialect, text, problem] of cases)
    for (const follow of [true, false])
      for (const cut of [1, 3, text.indexOf('\n')]) {
        const world = await FolderWorld.create(t);
        const format = { ...readingFormat, ...dialect };
        world.write(name, text.slice(0, cut));
        await world.run({ format, follow });
        world.write(name, text);
        const { records, progress } = await world.run({ format, follow });
        t.deepEqual([records, progress.rows], [[], 0], `${JSON.stringify(text)} to ${cut}`);
        t.regex(progress.refused?.[name] ?? '', problem);
      }
});
