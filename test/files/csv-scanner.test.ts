import test, { type ExecutionContext } from 'ava';
import { maxRowBytes } from '../../src/files/scan-outcome.ts';
import { readingFormat, textFormat } from './helpers/formats.ts';
import { badRows, goodRows, scan } from './helpers/scan.ts';

const abc = textFormat(['a', 'b', 'c']);
const fieldsOf = (content: string | Buffer): string[] =>
  goodRows(scan(abc, content)).map(({ fields }) => fields.join('|'));

test('rows come in the order of the file with line, offset and raw bytes', (t) => {
  const { rows, offset, line } = scan(abc, 'a,b,c\n1,2,3\n4,5,6\n');
  t.deepEqual(rows, [
    { line: 2, offset: 6, raw: '1,2,3', value: { fields: ['1', '2', '3'] } },
    { line: 3, offset: 12, raw: '4,5,6', value: { fields: ['4', '5', '6'] } },
  ]);
  t.deepEqual({ offset, line }, { offset: 18, line: 4 });
});

test('columns stand in any order and among others', (t) => {
  t.deepEqual(fieldsOf('x,c,a,y,b\n0,3,1,9,2\n'), ['1|2|3']);
  t.deepEqual(fieldsOf('a,b,c,x\n1,2,3,9\n'), ['1|2|3']);
});

test('header names may be quoted', (t) => {
  t.deepEqual(fieldsOf('"c","b","a"\n3,2,1\n'), ['1|2|3']);
  t.deepEqual(goodRows(scan(textFormat(['a "b"', 'c,d']), '"c,d","a ""b"""\n2,1\n')), [{ fields: ['1', '2'] }]);
});

/** Why a file of columns a, b and c with this beginning is refused, whatever the chunks; nothing of it may be passed. */
function refusal(t: ExecutionContext, content: Buffer | string, ending?: 'final' | 'waits'): string | undefined {
  const chunks = content.length > 1000 ? [1 << 19, 1 << 22] : [1, 3, 7, 1 << 22];
  const found = chunks.map((chunk) => scan(abc, content, { chunk, ...(ending && { ending }) }));
  for (const { rows, offset, line, refused } of found) {
    if (refused !== undefined) t.deepEqual({ rows, offset, line }, { rows: [], offset: 0, line: 1 });
    t.is(refused, found[0]!.refused);
  }
  return found[0]!.refused;
}

test('of a file whose header is not its first line is told which line it is, and what to give', (t) => {
  t.is(
    refusal(t, 'Meter 7\nkWh\r\n\na,b,c\r\n1,2,3\n'),
    'its header is line 4, below lines that are no table: give "skipLines": 3 in the format (--format, in a program: csvFormat)',
  );
  t.is(
    refusal(t, 'Meter 7\n\na,b,d\n1,2,3\n'),
    'its header is line 3, below lines that are no table: give "skipLines": 2 in the format (--format, in a program: csvFormat). Then it lacks the column "c"; it has "a", "b", "d"',
  );
  t.is(
    refusal(t, 'Meter 7\na;b;c\n1;2;3\n'),
    'its header is line 2, below a line that is no table: give "skipLines": 1 in the format (--format, in a program: csvFormat). Then its columns are separated by ";", not by a comma: "a;b;c"',
  );
  t.is(
    refusal(t, 'a,b,x\n1,a,3\n'),
    'it lacks the column "c"; it has "a", "b", "x"',
    'a row with the name of a column is no header where the first line has some of them',
  );
});

test('of a file of which too many lines are skipped is told which line its header is', (t) => {
  const format = { ...abc, dialect: { skipLines: 3 } };
  t.is(
    scan(format, 'Meter 7\na,b,c\n1,2,3\n4,5,6\n').refused,
    'its header is line 2: give "skipLines": 1 in the format (--format, in a program: csvFormat)',
  );
});

test('a file whose header lacks a column, or has it twice, is refused, and what it has is told', (t) => {
  t.is(refusal(t, 'a,b\n1,2\n'), 'it lacks the column "c"; it has "a", "b"');
  t.is(refusal(t, '\n\na,b,c,b\n1,2,3,4\n'), 'it has the column "b" twice');
  t.is(
    refusal(t, 'a,B , \u00a0c\n'),
    'it lacks the columns "b", "c"; it has "a", "B\\u0020", "\\u0020\\u00a0c" (\\u00a0: no-break space) ("B\\u0020" is not "b", "\\u0020\\u00a0c" (\\u00a0: no-break space) is not "c")',
  );
  t.is(
    refusal(t, '1,2,3\n4,5,6\n'),
    'it lacks the columns "a", "b", "c"; it has "1", "2", "3": is its first line a row instead of a header? Then give "names", those of all columns, in the format (--format, in a program: csvFormat)',
  );
  t.is(refusal(t, 'a,b,c,x,x\n1,2,3,4,5\n'), undefined, 'other columns may be there twice');
});

test('a file with other separators, quotes, line ends or encodings is refused for that', (t) => {
  t.is(refusal(t, 'a;b;c\n1;2;3\n'), 'its columns are separated by ";", not by a comma: "a;b;c"');
  t.is(
    refusal(t, 'a\tb\tc\n1\t2\t3\n'),
    'its columns are separated by "\\u0009" (tab), not by a comma: "a\\u0009b\\u0009c" (\\u0009: tab)',
  );
  t.is(refusal(t, 'a,"b,c\n1,2,3\n'), 'the quotes of its header do not match: "a,"b,c"');
  t.is(
    refusal(t, Buffer.from('a,b,c,\xe9\n1,2,3,4\n', 'latin1')),
    'its header is not UTF-8: give the encoding in the format (--format, in a program: csvFormat), such as "encoding": "windows-1252"',
  );
  const cr =
    'its lines end with a carriage return alone (CR), instead of LF or CRLF: give "lineEnd": "cr" in the format (--format, in a program: csvFormat)';
  t.is(refusal(t, 'a,b,c\r1,2,3\r4,5,6\r'), cr);
  t.is(refusal(t, 'a,b,c\r1,2,3\r4,5,6\r', 'waits'), cr);
  t.is(refusal(t, 'a,b,c\r1,2,3\n4,5,6\n'), cr, 'the first line end is one, whatever comes later');
  t.is(refusal(t, `a,b,c${'\r1,2,3'.repeat(400_000)}`), cr);
  t.is(refusal(t, 'a,b,c\r', 'waits'), undefined, 'it may be the first half of CRLF');
  for (const text of ['\ufeffa,b,c\n1,2,3\n', 'a,b,c\n1,2,3\n']) {
    const bytes = Buffer.from(text, 'utf16le');
    t.is(
      refusal(t, bytes),
      'it is UTF-16, not UTF-8: give "encoding": "utf-16" in the format (--format, in a program: csvFormat)',
    );
    t.is(
      refusal(t, Buffer.from(bytes).swap16()),
      'it is UTF-16, not UTF-8: give "encoding": "utf-16" in the format (--format, in a program: csvFormat)',
    );
  }
});

test('a file that is not text is refused for what it is: gzip under another name, a workbook, other bytes', (t) => {
  const gzip = 'it is compressed with gzip: give it a name that ends with .gz';
  t.is(refusal(t, Buffer.from('1f8b0800000000000003000a7b', 'hex')), gzip);
  t.is(refusal(t, Buffer.from('1f8b080000000000000300410d42', 'hex')), gzip, 'without a line feed');
  const workbook = 'it is a ZIP archive or a workbook (.xlsx), not CSV: save it as CSV in UTF-8';
  t.is(refusal(t, Buffer.from('PK\x03\x04\x14\0\x06\0\b\0rest\n', 'latin1')), workbook);
  t.is(refusal(t, 'a,b,c and more\0\n1,2,3\n'), 'it is not text: there are zero bytes in its first line');
});

test('rows with too many or too few fields are bad', (t) => {
  t.deepEqual(badRows(scan(abc, 'a,b,c\n1,2\n1,2,3,4\n,,\n1\n')), [
    '2:columns:1,2',
    '3:columns:1,2,3,4',
    '5:columns:1',
  ]);
});

test('quoted fields hold commas, doubled quotes and line ends', (t) => {
  t.deepEqual(fieldsOf('a,b,c\n"1,1","say ""2""","3\n3"\n"","""",""\n'), ['1,1|say "2"|3\n3', '|"|']);
});

test('a record over several lines has the line of its first, and the next record the line behind it', (t) => {
  const { rows } = scan(readingFormat, 'id,at,text\n1,1,"x\r\ny\n"\n2,2,z\n');
  t.deepEqual(
    rows.map(({ line, value }) => [line, value?.text]),
    [
      [2, 'x\r\ny\n'],
      [5, 'z'],
    ],
  );
});

test('CRLF ends a line, in the header too, and is no part of a row', (t) => {
  const { rows } = scan(abc, 'a,b,c\r\n1,2,3\r\n"4","5","6"\r\n');
  t.deepEqual(
    rows.map(({ raw }) => raw),
    ['1,2,3', '"4","5","6"'],
  );
  t.deepEqual(fieldsOf('a,b,c\r\n1,2,3\r\n"4","5","6"\r\n'), ['1|2|3', '4|5|6']);
  t.deepEqual(fieldsOf('a,b,c\n1,\r2,3\r\n'), ['1|\r2|3'], 'a lone carriage return is a byte as any other');
});

test('a byte order mark is passed over and counted in offsets', (t) => {
  const { rows } = scan(abc, '\ufeffa,b,c\n1,2,3\n');
  t.deepEqual(
    rows.map(({ offset, line }) => [offset, line]),
    [[9, 2]],
  );
  t.deepEqual(badRows(scan(abc, 'a,b,c\n\ufeff1,2,3\n')), [], 'elsewhere it is text');
});

test('empty lines are no rows, but lines', (t) => {
  const { rows } = scan(abc, '\n\r\na,b,c\n\n1,2,3\n\r\n\n4,5,6\n\n');
  t.deepEqual(
    rows.map(({ line, raw }) => [line, raw]),
    [
      [5, '1,2,3'],
      [8, '4,5,6'],
    ],
  );
});

test('text that is not UTF-8 is bad, and told apart from text that is', (t) => {
  const content = Buffer.concat([Buffer.from('a,b,c\né,2,3\n'), Buffer.from([0xe9, 0x2c, 0x2c, 0x0a])]);
  const found = scan(abc, content);
  t.deepEqual(goodRows(found), [{ fields: ['é', '2', '3'] }]);
  t.deepEqual(
    found.rows.map(({ reason }) => reason),
    [undefined, 'utf8'],
  );
});

test('reasons are judged in their order: too-long, quote, utf8, columns, then the decoder', (t) => {
  const long = 'x'.repeat(maxRowBytes);
  const rows = [`${long}"\xff`, '"a"b\xff', '\xff', '"\xff",1', 'one', 'x,y,z', '1,y,z'].map((row) =>
    Buffer.from(`${row}\n`, 'latin1'),
  );
  const { rows: found } = scan(readingFormat, Buffer.concat([Buffer.from('id,at,text\n'), ...rows]));
  t.deepEqual(
    found.map(({ reason }) => reason),
    ['too-long', 'quote', 'utf8', 'utf8', 'columns', 'id', 'date'],
  );
});

test('a row of 1 MiB is whole, one byte more is too long and is cut to 1 MiB and a byte', (t) => {
  const longest = `1,2,${'x'.repeat(maxRowBytes - 4)}`;
  for (const chunk of [1 << 16, 1 << 20, 1 << 22]) {
    for (const lineEnd of ['\n', '\r\n']) {
      const content = ['id,at,text', longest, `${longest}x`, '3,4,y', ''].join(lineEnd);
      const { rows } = scan(readingFormat, content, { chunk });
      t.deepEqual(
        rows.map(({ line, reason, raw, value }) => [line, reason, raw.length, value?.id]),
        [
          [2, undefined, maxRowBytes, 1],
          [3, 'too-long', maxRowBytes + 1, undefined],
          [4, undefined, 5, 3],
        ],
      );
    }
  }
});

test('a line of many MiB takes little memory, and the next line is found', (t) => {
  const content = Buffer.concat([Buffer.from('id,at,text\n'), Buffer.alloc(8 << 20, 0x78), Buffer.from('\n1,2,x\n')]);
  const { rows, maxWindow } = scan(readingFormat, content, { chunk: 1 << 18 });
  t.deepEqual(
    rows.map(({ line, offset, reason }) => [line, offset, reason]),
    [
      [2, 11, 'too-long'],
      [3, 12 + (8 << 20), undefined],
    ],
  );
  t.true(maxWindow <= maxRowBytes + 2 + (1 << 18));
});

test('a file whose header is too long is refused, and no more of it is held', (t) => {
  const content = `${'x'.repeat(3 << 20)}\n1,2,3\n`;
  for (const chunk of [1 << 19, 1 << 23])
    t.is(scan(abc, content, { chunk }).refused, 'its first line is longer than 1 MiB');
  t.true(scan(abc, content, { chunk: 1 << 19 }).maxWindow < 2 << 20);
});

test('a quote inside an unquoted field is bad', (t) => {
  const content = 'id,at,text\n1,2,x"y\n1,2, "x"\n1,2,"x"y\n1,2,"x" \n1,2,"x"\ry\n3,4,z\n';
  t.deepEqual(badRows(scan(readingFormat, content)), [
    '2:quote:1,2,x"y',
    '3:quote:1,2, "x"',
    '4:quote:1,2,"x"y',
    '5:quote:1,2,"x" ',
    '6:quote:1,2,"x"\ry',
  ]);
});

test('a stray opening quote makes its line bad and swallows no good row', (t) => {
  const found = scan(readingFormat, 'id,at,text\n1,1,"x\n2,2,y\n3,3,z"\n4,4,"w"\n');
  t.deepEqual(badRows(found), ['2:quote:1,1,"x', '4:quote:3,3,z"']);
  t.deepEqual(
    goodRows(found).map(({ id }) => id),
    [2, 4],
  );
});

test('a stray quote is found although the next line has quotes of its own', (t) => {
  const found = scan(readingFormat, 'id,at,text\n1,1,"x\n2,2,""\n3,3,z\n');
  t.deepEqual(badRows(found), ['2:quote:1,1,"x']);
  t.deepEqual(
    goodRows(found).map(({ id }) => id),
    [2, 3],
  );
});

test('a quoted field that never closes makes one line bad, and the next lines stand for themselves', (t) => {
  const found = scan(readingFormat, 'id,at,text\n1,1,"x\nno row\n');
  t.deepEqual(badRows(found), ['2:quote:1,1,"x', '3:columns:no row']);
});

test('a record of more than 1 MiB does not close: its first line is bad', (t) => {
  const filler = `${'f'.repeat(99)}\n`.repeat(11_000);
  const content = `id,at,text\n1,1,"x\n${filler}"\n2,2,y\n`;
  for (const chunk of [1 << 16, 1 << 22]) {
    const found = scan(readingFormat, content, { chunk });
    t.deepEqual(badRows(found)[0], '2:quote:1,1,"x');
    t.is(badRows(found).length, 1 + 11_000 + 1);
    t.deepEqual(
      goodRows(found).map(({ id }) => id),
      [2],
    );
  }
});

test('a quoted record over several lines may have 1 MiB', (t) => {
  const longest = `1,2,"a\n${'x'.repeat(maxRowBytes - 8)}"`;
  for (const lineEnd of ['\n', '\r\n']) {
    const whole = scan(readingFormat, ['id,at,text', longest, '3,4,y', ''].join(lineEnd), { chunk: 1 << 18 });
    t.deepEqual(
      whole.rows.map(({ line, raw, value }) => [line, raw.length, value?.id]),
      [
        [2, maxRowBytes, 1],
        [4, 5, 3],
      ],
    );
    const more = scan(readingFormat, ['id,at,text', longest.replace('a', 'aa'), '3,4,y', ''].join(lineEnd));
    t.deepEqual(
      more.rows.map(({ line, reason }) => [line, reason]),
      [
        [2, 'quote'],
        [3, 'quote'],
        [4, undefined],
      ],
    );
  }
});

test('a last line without line end is a row if it is a good one, at the end of a final scan', (t) => {
  const rows = (last: string): unknown => {
    const { rows, offset, openEnd } = scan(readingFormat, `id,at,text\n${last}`);
    return { found: rows.map(({ reason, value }) => reason ?? value?.text), offset: offset - 11, openEnd };
  };
  t.deepEqual(rows('1,2,x'), { found: ['x'], offset: 5, openEnd: true });
  t.deepEqual(rows('1,2,x\r'), { found: ['x'], offset: 5, openEnd: true }, 'the CR belongs to a cut line end');
  t.deepEqual(rows('1,2,"x"'), { found: ['x'], offset: 7, openEnd: true });
  t.deepEqual(rows('1,2,"x\ny"'), { found: ['x\ny'], offset: 9, openEnd: true });
  for (const cut of ['1,2', '1', '1,,x', '1,2,x"', '1,2,"x', '1,2,"x""', '\r', 'id,at,"x"y']) {
    t.deepEqual(rows(cut), { found: [], offset: 0, openEnd: false }, cut);
  }
});

test('a last line without line end waits while the file may grow', (t) => {
  const { rows, offset, line } = scan(readingFormat, 'id,at,text\n1,2,x\n3,4,y', { ending: 'waits' });
  t.is(rows.length, 1);
  t.deepEqual({ offset, line }, { offset: 17, line: 3 });
});

test('a line whose quote is open at the end of the file: final, it is bad; else it waits', (t) => {
  const content = 'id,at,text\n1,2,"x\nrest';
  t.deepEqual(badRows(scan(readingFormat, content)), ['2:quote:1,2,"x']);
  t.is(scan(readingFormat, content).offset, 18, 'the rest has no line end and waits');
  t.deepEqual(scan(readingFormat, content, { ending: 'waits' }).rows, []);
});

test('a header without line end waits', (t) => {
  t.deepEqual(scan(abc, 'a,b,c').offset, 0);
  t.deepEqual(scan(abc, '').rows, []);
  t.deepEqual(scan(abc, '\ufeff').rows, []);
});
