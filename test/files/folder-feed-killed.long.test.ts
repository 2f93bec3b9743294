import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { FileDialect } from '../../src/files/file-dialect.ts';
import type { DecodedRow, RowFormat } from '../../src/files/row-format.ts';
import { FolderWorld, type Run, type RunOptions, range } from './helpers/folder-world.ts';
import { type Reading, readingFormat } from './helpers/formats.ts';
import { check } from './helpers/properties.ts';

const damaged: Readonly<Record<string, string>> = {
  'a.csv': `\ufefftext,id,at\r\n\r\nx,1,1\r\nbad\r\n"y\n",2,2\r\n`,
  'b.csv': 'id,at,text\n1\n1,1\n',
  'c.csv': `id,at,text\nbad\n3,3,z\n4,4,${'long '.repeat(30_000)}\n\n5,5,"w\nbad\n6,6,v`,
  'd.csv': 'id,at,text\n\n',
  'e.csv': `id,at,text\n7,7,${'x'.repeat(1_100_000)}\n8,8,u\nlast\n`,
};

/** Ends a feed after each record, within a commit or not, and has another one go on from each commit: both together are held against a whole run. */
async function killedAnywhere(
  t: ExecutionContext,
  whole: FolderWorld,
  { records, progress }: Pick<Run, 'records' | 'progress'>,
  fill: () => Promise<FolderWorld>,
  noted: RunOptions,
): Promise<void> {
  for (let commitAt = 0; commitAt < records.length; commitAt++) {
    for (let killAt = commitAt; killAt <= records.length; killAt++) {
      const world = await fill();
      const killInCommit = (commitAt + killAt) % 2 === 1;
      const before = await world.run({ ...noted, commitAt, killAt, killInCommit });
      const after = await world.run(noted);
      t.deepEqual([...before.records.slice(0, commitAt), ...after.records], records, `${commitAt} ${killAt}`);
      // What this process has read, and which files of it had no good row, is no part of the state.
      const { bytesRead, lost } = progress;
      t.deepEqual({ ...after.progress, bytesRead, lost }, { ...progress, lost });
      t.deepEqual(world.deadLetters(), whole.deadLetters());
      t.deepEqual(world.lateLetters(), whole.lateLetters());
    }
  }
}

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
  await killedAnywhere(t, whole, { records, progress }, fill, noted);
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
  await killedAnywhere(t, whole, { records, progress }, fill, noted);
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
