import { readFileSync, renameSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { FolderWorld, nameOf, range, readings, rows } from './helpers/folder-world.ts';

/** Text that gzip cannot make much smaller, so that a file of a few MB fills several reads. */
function noise(from: number, to: number): string {
  let state = 12345;
  const random = (): string => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state.toString(36);
  };
  return range(from, to)
    .map((id) => `${id},${id},${random()}${random()}${random()}\n`)
    .join('');
}

const header = 'id,at,text\n';
const idsOf = (records: readonly string[]): number[] => records.map((record) => Number(record.split(':')[2]));

test('a gzip file gives the same rows, letters and offsets as the file itself, under the same name', async (t) => {
  const content = `${header}${noise(1, 20_000)}bad\n${noise(20_001, 30_000)}`;
  const run = async (name: string, bytes: Buffer): Promise<unknown> => {
    const world = await FolderWorld.create(t);
    world.write(name, bytes);
    const { records, progress } = await world.run({ chunkBytes: 100_000 });
    t.is(progress.bytes, bytes.length);
    t.is(progress.bytesTotal, bytes.length);
    t.is(progress.bytesRead, bytes.length);
    const { bytes: _, bytesTotal: __, bytesRead: ___, ...counts } = progress;
    return { records, counts, dead: world.deadLetters() };
  };
  const plain = Buffer.from(content);
  t.deepEqual(await run('a.csv.gz', gzipSync(plain)), await run('a.csv', plain));
});

test('a gzip file of several members is one file, wherever the members are parted', async (t) => {
  const content = Buffer.from(readings(...range(1, 30)));
  for (const at of [0, 1, 5, 100, content.length]) {
    const world = await FolderWorld.create(t);
    world.write('a.csv.gz', Buffer.concat([gzipSync(content.subarray(0, at)), gzipSync(content.subarray(at))]));
    t.deepEqual(idsOf((await world.run()).records), range(1, 30));
  }
});

test('members that end where a read ends are followed by the next', async (t) => {
  const world = await FolderWorld.create(t);
  // The extra bytes of the header's file name bring the first member to exactly one read of 128 KiB.
  const first = gzipSync(Buffer.from(header + noise(1, 4000)), { level: 0 });
  const padding = (1 << 17) - first.length;
  t.true(padding > 0);
  const named = Buffer.concat([
    first.subarray(0, 3),
    Buffer.of(8),
    first.subarray(4, 10),
    Buffer.alloc(padding - 1, 0x78),
    Buffer.of(0),
    first.subarray(10),
  ]);
  world.write('a.csv.gz', Buffer.concat([named, gzipSync(noise(4001, 4100))]));
  t.deepEqual(idsOf((await world.run()).records), range(1, 4100));
});

test('a gzip file that grew by further members is read on', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.gz', gzipSync(readings(1, 2)));
  await world.run();
  world.append('a.csv.gz', gzipSync(rows(3)));
  t.deepEqual((await world.run()).records, ['a.csv:4:3']);
  world.append('a.csv.gz', gzipSync(noise(4, 25_000)));
  const { records, progress } = await world.run();
  t.deepEqual(idsOf(records), range(4, 25_000));
  t.is(progress.bytes, statSync(world.path('a.csv.gz')).size);
  t.deepEqual((await world.run({ verify: true })).records, []);
});

test('a gzip file that was read in part is read on from its position', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.gz', gzipSync(header + noise(1, 60_000)));
  const options = { chunkBytes: 150_000, batchRows: 1000 };
  const first = await world.run({ ...options, commitAt: 31_500, killAt: 40_000 });
  t.is(first.records.length, 40_000);
  const second = await world.run({ ...options, verify: true });
  t.deepEqual(idsOf(second.records), range(31_501, 60_000));
  t.is(second.progress.rows, 60_000);
  t.is(second.progress.bytes, statSync(world.path('a.csv.gz')).size);
});

test('a small gzip file that was read in part is read on, although all of it was decompressed', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.gz', gzipSync(readings(1, 2, 3)));
  await world.run({ commitAt: 1, killAt: 2 });
  t.deepEqual((await world.run()).records, ['a.csv:3:2', 'a.csv:4:3']);
});

const cuts = (bytes: Buffer): number[] => [0, 5, 12, 300, 200_000, bytes.length - 9, bytes.length - 1];

test('who follows gets the whole rows of a gzip file that is cut, and its rest when it is there', async (t) => {
  const bytes = gzipSync(header + noise(1, 20_000));
  for (const at of cuts(bytes)) {
    const world = await FolderWorld.create(t);
    world.write('a.csv.gz', bytes.subarray(0, at));
    world.write('b.csv', readings(1));
    const first = await world.run({ follow: true });
    t.is(first.records.at(-1), 'b.csv:2:1', 'other files are read');
    t.is(first.progress.filesDone, 1);
    t.deepEqual(world.deadLetters(), []);
    if (at > 20) t.true(first.records.length > 1, 'whole rows are read');
    t.regex(first.logged.join(), /packed file that is cut waits/);
    world.append('a.csv.gz', bytes.subarray(at));
    const second = await world.run({ follow: true });
    t.deepEqual(idsOf([...first.records.slice(0, -1), ...second.records]), range(1, 20_000));
  }
});

test('at the end of what there is a gzip file that is cut is an error; what follows it is read after its rest, with or without a commit before', async (t) => {
  const bytes = gzipSync(header + noise(1, 20_000));
  for (const at of cuts(bytes))
    for (const commits of [false, true]) {
      const world = await FolderWorld.create(t);
      world.write('a.csv.gz', bytes.subarray(0, at));
      world.write('b.csv', readings(20_001));
      const read: string[] = [];
      const { feed, close } = await world.feed();
      await feed.open(world.database);
      const error = await t.throwsAsync(async () => {
        for (let batch = await feed.poll(); typeof batch === 'object'; batch = await feed.poll()) {
          for (let i = 0; i < batch.length; i++) read.push(nameOf(batch, i));
          batch.accept(batch.length);
        }
      });
      t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
      t.regex(error!.message, /a\.csv\.gz of topic readings is cut/);
      t.deepEqual(idsOf(read), range(1, read.length), 'nothing of what follows');
      if (commits) await world.commit(feed);
      await close();
      await t.throwsAsync(world.run(), { code: 'STREAMS_FILE' }, 'nor by the next run');
      world.append('a.csv.gz', bytes.subarray(at));
      const second = await world.run();
      t.deepEqual(idsOf([...(commits ? read : []), ...second.records]), range(1, 20_001));
    }
});

test('a last line of a cut member is not taken for a whole one', async (t) => {
  const world = await FolderWorld.create(t);
  const whole = gzipSync(`${readings(1)}2,2,te`, { level: 0 });
  const bytes = gzipSync(`${readings(5)}2,2,text\n`, { level: 0 });
  world.write('whole.csv.gz', whole);
  world.write('cut.csv.gz', bytes.subarray(0, bytes.length - 8 - 3));
  const { records } = await world.run({ follow: true });
  t.deepEqual(records, ['cut.csv:2:5', 'whole.csv:2:1']);
  world.write('cut.csv.gz', bytes);
  t.deepEqual((await world.run()).records, ['cut.csv:3:2', 'whole.csv:3:2']);
});

test('a corrupt gzip file is an error that names the place, after the rows before it', async (t) => {
  const world = await FolderWorld.create(t);
  const bytes = gzipSync(header + noise(1, 60_000), { level: 1 });
  bytes.fill(0xff, 700_000, 700_100);
  world.write('a.csv.gz', bytes);
  const { feed, close } = await world.feed({ chunkBytes: 100_000 });
  await feed.open(world.database);
  let records = 0;
  const error = await t.throwsAsync(async () => {
    for (let batch = await feed.poll(); typeof batch === 'object'; batch = await feed.poll()) {
      records += batch.length;
      batch.accept(batch.length);
    }
  });
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.regex(error!.message, /a\.csv\.gz is not a valid gzip file after byte \d{6,7} of its content/);
  t.true(records > 10_000);
  await world.commit(feed);
  await close();
  world.write('a.csv.gz', gzipSync(header + noise(1, 60_000), { level: 1 }));
  t.deepEqual(idsOf((await world.run()).records), range(records + 1, 60_000), 'a sound copy is read on');
});

test('bytes that are no gzip are an error, zero padding is not', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.gz', Buffer.concat([gzipSync(readings(1)), Buffer.alloc(1000)]));
  t.deepEqual((await world.run()).records, ['a.csv:2:1']);
  world.write('b.csv.gz', 'id,at,text\n1,1,x\n');
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.regex(error!.message, /b\.csv\.gz is not a gzip file: it begins with text\. Give it a name without \.gz/);
});

test('rows behind zero padding are not left out without a word', async (t) => {
  const member = gzipSync(header + noise(1, 9000), { level: 0 });
  for (const zeros of [1, 200_000])
    for (const rest of [gzipSync(rows(1)), Buffer.from(rows(1))]) {
      const world = await FolderWorld.create(t);
      world.write('a.csv.gz', Buffer.concat([member, Buffer.alloc(zeros), rest]));
      await t.throwsAsync(world.run(), {
        code: 'STREAMS_FILE',
        message: /a\.csv\.gz is not a valid gzip file.*more behind the zero bytes/,
      });
      world.write('a.csv.gz', Buffer.concat([member, Buffer.alloc(zeros)]));
      const padded = await world.run();
      t.deepEqual([padded.progress.rows, padded.progress.bytes], [9000, member.length + zeros]);
    }
});

test('a file may change its form, and is checked and read on in the other one', async (t) => {
  const world = await FolderWorld.create(t);
  const content = header + noise(1, 5000);
  world.write('a.csv', content);
  await world.run();
  world.write('a.csv.gz', gzipSync(content));
  world.remove('a.csv');
  const packed = await world.run();
  t.deepEqual(packed.records, []);
  t.is(packed.progress.bytes, statSync(world.path('a.csv.gz')).size);
  world.append('a.csv.gz', gzipSync(rows(5001)));
  t.deepEqual((await world.run()).records, ['a.csv:5002:5001']);
  world.write('a.csv', `${content}${rows(5001, 5002)}`);
  world.remove('a.csv.gz');
  t.deepEqual((await world.run()).records, ['a.csv:5003:5002']);
  world.write('a.csv.gz', gzipSync(`${content}${rows(5001, 5003)}`));
  world.remove('a.csv');
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN');
});

test('a gzip file that was packed anew holds the same rows; one with other rows is refused', async (t) => {
  const world = await FolderWorld.create(t);
  const content = header + noise(1, 5000);
  world.write('a.csv.gz', gzipSync(content, { level: 1 }));
  await world.run();
  world.write('a.csv.gz', gzipSync(content + rows(5001), { level: 9 }));
  t.deepEqual((await world.run()).records, ['a.csv:5002:5001']);
  world.write('a.csv.gz', gzipSync(content.replace('\n2500,2500', '\n2500,2501') + rows(5001)));
  const error = await t.throwsAsync(world.run());
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN');
  t.regex(error!.message, /saved: .* crc32 [0-9a-f]{8}; found: .* crc32 [0-9a-f]{8}/);
  world.write('a.csv.gz', gzipSync(readings(1)));
  await t.throwsAsync(world.run(), { message: /saved: \d+ bytes read; found: 20 bytes/ });
});

test('what a file has more since it was packed, anew or for the first time, is read although the run that found it ended before', async (t) => {
  for (const [before, after] of [
    ['b.csv.gz', 'b.csv.gz'],
    ['b.csv', 'b.csv.gz'],
    ['b.csv.gz', 'c.csv.gz'],
    ['b.csv', 'c.csv.gz'],
    ['b.csv.gz', 'b.csv'],
  ] as const) {
    const world = await FolderWorld.create(t);
    const content = (name: string, text: string): string | Buffer => (name.endsWith('.gz') ? gzipSync(text) : text);
    world.write(before, content(before, readings(1, 2)));
    await world.run();
    world.remove(before);
    world.write(after, content(after, readings(1, 2, 3)));
    world.write('a.csv', readings(10, 11));
    await world.run({ commitAt: 1, killAt: 1 });
    // Once more, behind the file that was found.
    world.write('d.csv', readings(20, 21));
    await world.run({ batchRows: 1, commitAt: 1, killAt: 1 });
    const last = await world.run();
    t.deepEqual(idsOf(last.records), [3, 20, 21], `${before}, ${after}`);
    t.is(last.progress.rows, 7);
    t.deepEqual((await world.run()).records, []);
  }
});

test('a file in both forms at once is refused, even if one of them was read before', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  await world.run();
  world.write('a.csv.gz', gzipSync(readFileSync(world.path('a.csv'))));
  await t.throwsAsync(world.run(), { message: /twice/ });
  renameSync(world.path('a.csv'), world.path('a.old'));
  t.deepEqual((await world.run()).records, []);
});
