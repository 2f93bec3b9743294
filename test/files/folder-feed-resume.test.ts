import { readFileSync, statSync, utimesSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { StreamsError } from '../../src/common/errors.ts';
import type { FileDialect } from '../../src/files/file-dialect.ts';
import type { DecodedRow, RowFormat } from '../../src/files/row-format.ts';
import { FolderWorld, range, readings, rows } from './helpers/folder-world.ts';
import { type Reading, readingFormat } from './helpers/formats.ts';
import { check } from './helpers/properties.ts';

const damaged: Readonly<Record<string, string>> = {
  'a.csv': `\ufefftext,id,at\r\n\r\nx,1,1\r\nbad\r\n"y\n",2,2\r\n`,
  'b.csv': 'id,at,text\n1\n1,1\n',
  'c.csv': `id,at,text\nbad\n3,3,z\n4,4,${'long '.repeat(30_000)}\n\n5,5,"w\nbad\n6,6,v`,
  'd.csv': 'id,at,text\n\n',
  'e.csv': `id,at,text\n7,7,${'x'.repeat(1_100_000)}\n8,8,u\nlast\n`,
};

test('killed after any record and started again from any commit, a feed gives the same rows and letters', async (t) => {
  const noted = { lateId: 3, deadId: 4, batchRows: 2, chunkBytes: 40_000 };
  const fill = async (): Promise<FolderWorld> => {
    const world = await FolderWorld.create(t);
    for (const [name, content] of Object.entries(damaged)) world.write(name, content);
    return world;
  };
  const whole = await fill();
  const { records, progress } = await whole.run(noted);
  t.is(records.length, 6);
  t.is(progress.dead, 9);
  for (let commitAt = 0; commitAt < records.length; commitAt++) {
    for (let killAt = commitAt; killAt <= records.length; killAt++) {
      const world = await fill();
      const killInCommit = (commitAt + killAt) % 2 === 1;
      const before = await world.run({ ...noted, commitAt, killAt, killInCommit });
      const after = await world.run(noted);
      t.deepEqual([...before.records.slice(0, commitAt), ...after.records], records, `${commitAt} ${killAt}`);
      // What this process has read, and which files of it had no good row, is no part of the state.
      const { bytesRead, lost } = progress;
      t.deepEqual({ ...after.progress, bytesRead, lost }, progress);
      t.deepEqual(world.deadLetters(), whole.deadLetters());
      t.deepEqual(world.lateLetters(), whole.lateLetters());
    }
  }
});

/** Rows `id,at,text` as two records each: the id, and a hundred more; a row of no text is none. */
function twice(dialect: FileDialect): RowFormat<string, Reading> {
  const out: DecodedRow<string, Reading> = { key: '', value: { id: 0, at: 0, text: '' } };
  let records: DecodedRow<string, Reading>[] = [];
  return {
    ...readingFormat,
    dialect,
    records: () => records,
    decode(row, _out) {
      const reason = readingFormat.decode(row, out);
      if (reason !== undefined) return reason;
      const { key, value } = out;
      const again = { ...value, id: value.id * 100 + value.id };
      records =
        value.text === ''
          ? []
          : [
              { key, value },
              { key, value: again },
            ];
      return undefined;
    },
  };
}

const utf16: FileDialect = { separator: ';', quote: "'", encoding: 'utf-16be', lineEnd: 'cr', skipLines: 2 };
const coded = (text: string, mark = ''): Buffer => Buffer.from(mark + text.replaceAll('\n', '\r'), 'utf16le').swap16();
const inUtf16: Readonly<Record<string, Buffer>> = {
  'a.csv': coded("from\n'it\ntext;id;at\n𝄞;11;1\nbad\n;12;1\n'y\n''\n';13;2\n", '\ufeff'),
  'b.csv': Buffer.concat([coded('\n\nid;at;text\n14;3;'), Buffer.from('d800', 'hex'), coded("\n15;4;x\n16;4;'\n\n'")]),
  'c.csv.gz': gzipSync(coded(`\n\nid;at;text\n17;5;${'long '.repeat(30_000)}\n18;5;z\nlast;1`)),
};

test('the same in UTF-16 with fields of several lines, two records a row, some of them dropped, rows of none, and a preamble', async (t) => {
  // Record 1414 would be of the row with half a pair, which is bad.
  const noted = { format: twice(utf16), lateId: 1313, deadId: 15, batchRows: 3, chunkBytes: 40_000 };
  const fill = async (): Promise<FolderWorld> => {
    const world = await FolderWorld.create(t);
    for (const [name, content] of Object.entries(inUtf16)) world.write(name, content);
    return world;
  };
  const whole = await fill();
  const { records, progress } = await whole.run(noted);
  t.deepEqual(records, [
    ...['a.csv:4:11', 'a.csv:4:1111', 'a.csv:7:13', 'a.csv:7:1313'],
    ...['b.csv:5:15', 'b.csv:5:1515', 'b.csv:6:16', 'b.csv:6:1616'],
    ...['c.csv:4:17', 'c.csv:4:1717', 'c.csv:5:18', 'c.csv:5:1818'],
  ]);
  // Twelve records, a row of none, two bad rows.
  t.deepEqual([progress.rows, progress.skipped, progress.late], [15, 1, 1]);
  t.deepEqual(progress.deadByReason, { columns: 1, utf8: 1, future: 1 });
  t.deepEqual(
    whole.deadLetters().map(({ file, line, offset, reason, record }) => [file, line, offset, reason, record]),
    [
      ['a.csv', 5, 33, 'columns', undefined],
      ['b.csv', 4, 13, 'utf8', undefined],
      ['b.csv', 5, 22, 'future', 0],
    ],
  );
  t.deepEqual(
    whole.lateLetters().map(({ line, raw, record }) => [line, raw, record]),
    [[7, "'y\n''\n';13;2", 1]],
  );
  for (let commitAt = 0; commitAt < records.length; commitAt++) {
    for (let killAt = commitAt; killAt <= records.length; killAt++) {
      const world = await fill();
      const killInCommit = (commitAt + killAt) % 2 === 1;
      const before = await world.run({ ...noted, commitAt, killAt, killInCommit });
      const after = await world.run(noted);
      t.deepEqual([...before.records.slice(0, commitAt), ...after.records], records, `${commitAt} ${killAt}`);
      t.deepEqual({ ...after.progress, bytesRead: progress.bytesRead }, progress);
      t.deepEqual(world.deadLetters(), whole.deadLetters());
      t.deepEqual(world.lateLetters(), whole.lateLetters());
    }
  }
});

test('a file in UTF-16 that grows, cut anywhere, is read once; one that was rewritten is refused', async (t) => {
  const format = { ...readingFormat, dialect: { encoding: 'utf-16le' } as const };
  const bytes = Buffer.from('\ufeffid,at,text\r\n1,1,𝄞\r\n2,2,"a\r\nb"\r\n', 'utf16le');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const world = await FolderWorld.create(t);
    world.write('a.csv', bytes.subarray(0, cut));
    const first = await world.run({ format, follow: true });
    world.append('a.csv', bytes.subarray(cut));
    const second = await world.run({ format, follow: true });
    t.deepEqual([...first.records, ...second.records], ['a.csv:2:1', 'a.csv:3:2'], `${cut}`);
    t.is(second.progress.bytes, bytes.length);
    world.write('a.csv', Buffer.from('\ufeffid,at,text\r\n3,1,𝄞\r\n', 'utf16le'));
    await t.throwsAsync(world.run({ format }), { code: 'STREAMS_FILE_REWRITTEN' } as never);
  }
  const world = await FolderWorld.create(t);
  world.write('a.csv', bytes);
  await world.run({ format });
  await t.throwsAsync(world.run(), { code: 'STREAMS_STATE_INCOMPATIBLE' } as never, 'another dialect reads otherwise');
});

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

test('however a file grows, cut anywhere, its rows are read once', async (t) => {
  const content = `\ufefftext,id,at\r\n${range(1, 6)
    .map((id) => `"t ""${id}""\r\n",${id},${id}\r\n`)
    .join('')}`;
  const bytes = Buffer.from(content);
  const cuts = fc
    .array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 5 })
    .map((at) => at.sort((a, b) => a - b));
  const property = fc.asyncProperty(cuts, async (at) => {
    const world = await FolderWorld.create(t);
    const records: string[] = [];
    let written = 0;
    for (const cut of [...at, bytes.length]) {
      world.append('a.csv', bytes.subarray(written, cut));
      written = cut;
      // With follow nothing is decided at the end of the file, so no cut can be taken for a whole row.
      records.push(...(await world.run({ follow: true })).records);
    }
    t.deepEqual(
      records,
      range(1, 6).map((id) => `a.csv:${2 * id}:${id}`),
    );
    t.deepEqual(world.deadLetters(), []);
  });
  await check(t, property, 60);
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

test('a position saved with other columns is refused', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', readings(1));
  await world.run();
  const { readingFormat } = await import('./helpers/formats.ts');
  const format = { ...readingFormat, columns: ['at', 'id', 'text'] };
  const error = await t.throwsAsync(world.run({ format }));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_STATE_INCOMPATIBLE');
});
