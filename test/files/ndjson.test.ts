import { gzipSync } from 'node:zlib';
import test from 'ava';
import { csvFormat } from '../../src/files/csv-format.ts';
import type { RowFormat } from '../../src/files/row-format.ts';
import { FolderWorld } from './helpers/folder-world.ts';
import { type Reading, readingFormat } from './helpers/formats.ts';

const format: RowFormat<string, Reading> = { ...readingFormat, dialect: { form: 'ndjson' } };
const line = (id: number, text = ''): string => `{"id":${id},"at":"${id}","text":"${text}"}`;

/** Reads the columns `n` (a number), `at.ms` and `note`, which may be missing. */
const nested = csvFormat({
  form: 'ndjson',
  columns: {
    n: { decimal: '.' },
    at: { column: 'at.ms', time: 'epoch-ms' },
    note: { missing: ['', '?'] },
  },
  key: ({ n }) => String(n),
  value: ({ n, at, note }) => ({ id: n, at, text: note ?? 'none' }),
  timestamp: ({ at }) => at,
});

test('each line is an object whose members are the columns, by name or by path, in any order and among others', async (t) => {
  const world = await FolderWorld.create(t);
  const lines = [
    '{"n":1.5,"at":{"ms":5,"zone":"UTC"},"note":"a\\u00e9\\"\\n"}',
    '{"other":[{"n":2},{"at":{"ms":1}}],"note":null,"at.ms":"6","n":"2.5"}',
    ' { "at" : { "ms" : 7 } , "n" : -0 } ',
    '{"at":{"ms":8},"n":3,"note":{"n":1}}',
  ];
  world.write('a.ndjson', `\ufeff${lines.join('\r\n\r\n  \n')}\n`);
  const { feed, close } = await world.feed({ format: nested });
  await feed.open(world.database);
  const batch = await feed.poll();
  t.true(batch !== undefined && batch !== 'idle');
  if (batch === undefined || batch === 'idle') return;
  t.deepEqual(batch.values.slice(0, batch.length), [
    { id: 1.5, at: 5, text: 'aé"\n' },
    { id: 2.5, at: 6, text: 'none' },
    { id: -0, at: 7, text: 'none' },
    { id: 3, at: 8, text: '{"n":1}' },
  ]);
  t.deepEqual(
    [0, 1, 2, 3].map((i) => batch.origin(i).line),
    [1, 4, 7, 10],
  );
  await close();
});

test('a bad line is a letter with its line and reason, and what is read is counted or in the letters', async (t) => {
  const world = await FolderWorld.create(t);
  const bad: readonly (readonly [string | Buffer, string, RegExp])[] = [
    ['{"n":1,"at":{"ms":1}', 'json', /is not JSON: /],
    ['[1,2]', 'json', /not a JSON object, but a list/],
    ['7', 'json', /but a number/],
    ['null', 'json', /but null/],
    ['{"n":1,"at":{"MS":1}}', 'columns', /lacks "at\.ms"; it has "n", "at", "at\.MS" \("at\.MS" is not "at\.ms"\)/],
    ['{"n":1,"at":5}', 'columns', /lacks "at\.ms"/],
    ['{"n":1,"at":{"ms":1},"n":2}', 'json', /"n" twice/],
    ['{"n":1,"at":{"ms":1},"\\u006e":1}', 'json', /"n" twice/],
    ['{"n":1,"at":{"ms":1},"at":{"other":1}}', 'json', /"at" twice/],
    ['{"n":1,"at":{"ms":1},"at.ms":1}', 'json', /"at\.ms" twice/],
    ['{"n":1e400,"at":{"ms":1}}', 'value', /"n" has "1e400"/],
    ['{"n":NaN,"at":{"ms":1}}', 'json', /is not JSON/],
    ['{"n":null,"at":{"ms":1}}', 'value', /"n" has ""/],
    ['{"n":true,"at":{"ms":1}}', 'value', /"n" has "true"/],
    ['{"n":1,"at":{"ms":123456789012345678}}', 'date', /123456789012345678/],
    ['{"n":1,"at":{"ms":1},"note":"\\ud800"}', 'utf8', /"note" has half of a surrogate pair/],
    [Buffer.from('{"n":1,"at":{"ms":1},"note":"\xff"}', 'latin1'), 'utf8', /UTF-8/],
    [`{"n":1,"at":{"ms":1},"note":"${'x'.repeat(1 << 20)}"}`, 'too-long', /too long/],
  ];
  const lines = bad.flatMap(([text]) => [Buffer.from(text), Buffer.from('\n{"n":1,"at":{"ms":9}}\n')]);
  world.write('a.jsonl', Buffer.concat(lines));
  const { progress } = await world.run({ format: nested as unknown as RowFormat<string, Reading> });
  t.deepEqual([progress.rows, progress.dead], [2 * bad.length, bad.length]);
  const letters = world.deadLetters();
  bad.forEach(([, reason, message], i) => {
    t.like(letters[i], { file: 'a.jsonl', line: 2 * i + 1, reason }, `line ${2 * i + 1}`);
    t.regex(letters[i]!.message, message);
  });
});

test('a file of one line that begins with blanks and has no line end is read', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.ndjson', ` \t${line(1)}`);
  t.is((await world.run({ format })).records.length, 1);
});

test('killed after any record and started again from any commit, packed or not, a feed gives the same records and letters', async (t) => {
  const files = {
    'a.ndjson': `\ufeff${line(1)}\r\n\r\nbad\r\n${line(2)}\r\n`,
    'b.jsonl': `${line(3, 'long '.repeat(30_000))}\n{"id":1}\n${line(4)}\n   \n${line(5)}`,
    'c.ndjson.gz': gzipSync(`${line(6)}\n{"id":"x","at":1,"text":""}\n${line(7)}\n`),
  };
  const noted = { format, batchRows: 2, chunkBytes: 40_000, lateId: 4, deadId: 6 };
  const fill = async (): Promise<FolderWorld> => {
    const world = await FolderWorld.create(t);
    for (const [name, content] of Object.entries(files)) world.write(name, content);
    return world;
  };
  const whole = await fill();
  const { records, progress } = await whole.run(noted);
  t.deepEqual(
    records,
    [1, 2, 3, 4, 5, 6, 7].map(
      (id) =>
        `${['', 'a.ndjson:1', 'a.ndjson:4', 'b.jsonl:1', 'b.jsonl:3', 'b.jsonl:5', 'c.ndjson:1', 'c.ndjson:3'][id]}:${id}`,
    ),
  );
  t.deepEqual([progress.rows, progress.dead, progress.late], [10, 4, 1]);
  for (let commitAt = 0; commitAt < records.length; commitAt++)
    for (let killAt = commitAt; killAt <= records.length; killAt += 2) {
      const world = await fill();
      const before = await world.run({ ...noted, commitAt, killAt, killInCommit: killAt % 3 === 1 });
      const after = await world.run(noted);
      t.deepEqual([...before.records.slice(0, commitAt), ...after.records], records, `${commitAt} ${killAt}`);
      t.deepEqual(world.deadLetters(), whole.deadLetters());
      t.deepEqual(world.lateLetters(), whole.lateLetters());
    }
});

test('a line that grows is read when it is whole, once; a renamed file is not read again', async (t) => {
  const world = await FolderWorld.create(t);
  const follow = { format, follow: true };
  world.write('a.ndjson', `${line(1)}\n{"id":2,"at":`);
  t.deepEqual((await world.run(follow)).records, ['a.ndjson:1:1']);
  world.append('a.ndjson', '2,"text":""}');
  t.deepEqual((await world.run(follow)).records, []);
  // Without more to come, a last line without a line end is one if it is whole.
  t.deepEqual((await world.run({ format })).records, ['a.ndjson:2:2']);
  world.append('a.ndjson', `\n${line(3)}\n`);
  t.deepEqual((await world.run(follow)).records, ['a.ndjson:3:3']);
  world.write('b.jsonl', `${line(1)}\n{"id":2,"at":2,"text":""}\n${line(3)}\n${line(4)}\n`);
  world.remove('a.ndjson');
  const { records, logged } = await world.run(follow);
  t.deepEqual(records, ['b.jsonl:4:4']);
  t.regex(logged.join('\n'), /b\.jsonl has the rows that were read as a\.ndjson/);
});

test('a file that is no lines of JSON is refused by one line; files of another form are left out, and told', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.ndjson', `[\n${line(1)},\n${line(2)}\n]\n`);
  world.write('b.ndjson', '{\n  "id": 1\n}\n');
  world.write('c.ndjson', gzipSync(line(1)));
  world.write('d.ndjson', `${line(1)}\r${line(2)}\r`);
  world.write('e.csv', 'id,at,text\n1,1,\n');
  world.write('f.jsonl', `${line(1)}\n`);
  const { records, progress, logged } = await world.run({ format });
  t.deepEqual(records, ['f.jsonl:1:1']);
  t.deepEqual([progress.rows, progress.dead], [1, 0]);
  const { refused = {} } = progress;
  t.regex(refused['a.ndjson']!, /it is a JSON array, instead of an object in each line/);
  t.regex(refused['b.ndjson']!, /one JSON document over several lines/);
  t.regex(refused['c.ndjson']!, /compressed with gzip/);
  t.regex(refused['d.ndjson']!, /carriage return alone/);
  t.regex(
    logged.join('\n'),
    /e\.csv is left out: its name does not end with \.ndjson, \.ndjson\.gz, \.ndjson\.zst, \.jsonl, \.jsonl\.gz or \.jsonl\.zst/,
  );
  t.throws(
    () =>
      csvFormat({ form: 'ndjson', separator: ';', columns: ['a'], key: () => '', value: () => 1, timestamp: () => 0 }),
    {
      code: 'STREAMS_CONFIG',
      message: /the option separator of a file format is ";": expected nothing: files of the form ndjson have none/,
    },
  );
});

test('an array in one line, and a CSV file under a name of JSON lines, are refused by one line each, and no row is a letter', async (t) => {
  const contents = [
    '[{"id":1,"at":1}]',
    '[{"id":1,"at":1}]\n',
    ' [1]\n[2]\n',
    'at;x\n1;2\n',
    '"id","at"\n1,2\n',
    'id\tat',
  ];
  const world = await FolderWorld.create(t);
  for (const [i, content] of contents.entries()) world.write(`${i}.ndjson`, content);
  // What only begins badly is not refused.
  world.write('8.ndjson', `x\n${line(1)}\n`);
  world.write('9.ndjson', `{"id":1\n${line(2)}\n`);
  const { records, progress } = await world.run({ format });
  t.is(records.length, 2);
  t.deepEqual(progress.deadByReason, { json: 2 });
  const refused = Object.values(progress.refused!);
  t.is(refused.length, contents.length);
  for (const problem of refused.slice(0, 3)) t.regex(problem, /^it is a JSON array, instead of an object in each line/);
  for (const problem of refused.slice(3))
    t.regex(problem, /^its first line is the header of a CSV file.*leave "form": "ndjson" out/);
});

test('lines of JSON among CSV files are told, with the form that reads them', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv', `${line(1)}\n`);
  world.write('b.ndjson', `${line(2)}\n`);
  world.write('c.csv', 'id,at,text\n3,3,\n');
  const { records, progress, logged } = await world.run();
  t.deepEqual(records, ['c.csv:2:3']);
  t.is(
    progress.refused!['a.csv'],
    'its first line is JSON: give "form": "ndjson" in the format (--format, in a program: csvFormat)',
  );
  t.regex(
    logged.join('\n'),
    /b\.ndjson is left out: .* Lines of JSON are read by a format with "form": "ndjson" \(--format, in a program: csvFormat\)/,
  );
});
