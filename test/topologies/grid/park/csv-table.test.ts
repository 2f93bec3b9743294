import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { StreamsError } from '../../../../src/common/errors.ts';
import { readTable, tableBatches } from '../../../../topologies/grid/park/csv-table.ts';
import { parkFolder } from './park-folder.ts';

function file(t: ExecutionContext, content: string | Buffer): string {
  const path = join(parkFolder(t), 'table.csv');
  writeFileSync(path, content);
  return path;
}

/** Rows and lines, by csv-parse and by hand. */
async function both(path: string, columns: readonly string[]): Promise<[string[], string[]]> {
  const read = async (plainFromBytes: number): Promise<string[]> => {
    const rows: string[] = [];
    try {
      await readTable(path, columns, (values, line) => rows.push(`${line}:${values.join('|')}`), { plainFromBytes });
    } catch (error) {
      rows.push(StreamsError.is(error) ? `${error.code} line ${error.details.line}` : String(error));
    }
    return rows;
  };
  return [await read(Number.POSITIVE_INFINITY), await read(0)];
}

test('columns are found by name in any order, and quotes, CRLF, empty lines and a byte order mark are no matter', async (t) => {
  const path = file(t, '\ufeffb,"a",c\r\n1,"x, ""y""",\r\n\r\n2,é,3');
  const [rows] = await both(path, ['a', 'b']);
  t.deepEqual(rows, ['2:x, "y"|1', '4:é|2']);
});

test('a file without quotes is read by hand as by csv-parse', async (t) => {
  const line = fc.oneof(fc.constantFrom('1,2,3', 'é,,ü', '', ',,', 'a,b', 'a,b,c,d', ' x , y ,'));
  const text = fc.tuple(fc.constantFrom('\n', '\r\n'), fc.array(line), fc.boolean(), fc.boolean());
  const path = file(t, '');
  await fc.assert(
    fc.asyncProperty(text, async ([eol, lines, bom, end]) => {
      writeFileSync(path, `${bom ? '\ufeff' : ''}${['one,two,three', ...lines].join(eol)}${end ? eol : ''}`);
      const [parsed, split] = await both(path, ['three', 'one']);
      t.deepEqual(split, parsed);
    }),
    { numRuns: 300 },
  );
});

test('lines may end with LF, CRLF or CR alone, and with some of each in one file', async (t) => {
  for (const ends of [
    ['\n', '\r\n', '\n'],
    ['\r\n', '\n', '\r\n'],
    ['\n', '\r\n', '\r\n'],
    ['\r', '\r', '\r'],
    ['\n', '\n', '\r'],
  ]) {
    const path = file(t, ['a,b', '1,x', '2,y'].map((line, i) => line + ends[i]!).join(''));
    t.deepEqual(await both(path, ['b', 'a']), [
      ['2:x|1', '3:y|2'],
      ['2:x|1', '3:y|2'],
    ]);
    const rows: (readonly string[])[] = [];
    for await (const batch of tableBatches(path, ['b'], 1)) rows.push(...batch);
    t.deepEqual(rows, [['x'], ['y']]);
  }
});

test('a file of several pieces is read whole, each line once', async (t) => {
  const rows = Array.from({ length: 200_000 }, (_, i) => `${i},é${i}`);
  const path = file(t, `id,name\n${rows.join('\n')}\n`);
  let different = 0;
  let count = 0;
  const check = ([id, name]: readonly string[], line: number): void => {
    if (id !== String(line - 2) || name !== `é${id}`) different++;
    count++;
  };
  await readTable(path, ['id', 'name'], check, { plainFromBytes: 0 });
  t.deepEqual([count, different], [200_000, 0]);
});

test('a missing file, a missing column, a row of another width and a stray quote are refused with their place', async (t) => {
  const refused = async (content: string, message: RegExp): Promise<void> => {
    const path = file(t, content);
    const error = await t.throwsAsync(
      readTable(path, ['a', 'b'], () => {}),
      { code: 'STREAMS_FILE', message },
    );
    t.true(error instanceof StreamsError && error.details.file === path);
  };
  await refused('', /line 1: column "a" is missing; the file is empty\. Add it to table\.csv/);
  await refused('a,c\n1,2\n', /line 1: column "b" is missing; its header has a, c\. Add/);
  await refused('a,b,a\n1,2,3\n', /line 1: it has the column "a" twice\. Leave one of them in table\.csv/);
  await refused('a,b\n1,2\n1\n', /line 3: .*Mend the row/);
  await refused('a,b\n1,2\n1,x"y\n', /line 3: .*Mend the row/);
  const missing = join(parkFolder(t), 'nowhere.csv');
  await t.throwsAsync(readTable(missing, ['a']), { code: 'STREAMS_FILE', message: /nowhere\.csv is not there/ });
});

test('without a handler only the header is looked at', async (t) => {
  const path = file(t, 'a,b\n1\n');
  await t.notThrowsAsync(readTable(path, ['a', 'b']));
  await t.throwsAsync(readTable(path, ['c']), { code: 'STREAMS_FILE' });
});

test('a table that is not UTF-8 is refused, with the line', async (t) => {
  const path = file(t, Buffer.from('a,b\n1,x\n2,Orl\xe9ans\n', 'latin1'));
  await t.throwsAsync(readTable(path, ['a']), {
    message: /table\.csv, line 3: it is not UTF-8\. Write the file as UTF-8\./,
  });
});

test('batches give the rows that are read at once give, and end with the same errors', async (t) => {
  const path = file(t, '\ufeffb,"a",c\r\n1,"x, ""y""",\r\n\r\n2,é,3\r\n4,5,6');
  const batches = async (columns: readonly string[], from = path): Promise<unknown> => {
    const found: unknown[] = [];
    for await (const rows of tableBatches(from, columns, 2)) found.push(rows);
    return found;
  };
  t.deepEqual(await batches(['a', 'b']), [
    [
      ['x, "y"', '1'],
      ['é', '2'],
    ],
    [['5', '4']],
  ]);
  await t.throwsAsync(batches(['d']), { code: 'STREAMS_FILE', message: /column "d" is missing/ });
  await t.throwsAsync(batches(['a'], `${path}x`), { code: 'STREAMS_FILE', message: /cannot be read: ENOENT/ });
  writeFileSync(path, 'a,b\n1,2\n1\n');
  await t.throwsAsync(batches(['a']), { code: 'STREAMS_FILE', message: /cannot be read: .*line 3/ });
});
