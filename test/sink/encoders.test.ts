import test from 'ava';
import { parquetReadObjects } from 'hyparquet';
import { encodersOf } from '../../src/sink/encoders.ts';
import type { FileFormat } from '../../src/sink/row-encoder.ts';
import type { ColumnValue, SinkColumn } from '../../src/sink/sink-rows.ts';

const columns: readonly SinkColumn[] = [
  { name: 'id', type: 'int64' },
  { name: 'at', type: 'timestamp' },
  { name: 'text', type: 'string' },
];

async function encoded(format: FileFormat, rows: readonly (readonly ColumnValue[])[], safe = false): Promise<Buffer> {
  const encoder = (await encodersOf(format, columns, safe))();
  const parts: Uint8Array[] = [];
  for (const row of rows) {
    const values = (out: ColumnValue[]): void => {
      for (const [i, value] of row.entries()) out[i] = value;
    };
    encoder.add({ columns, values });
    for (let part = encoder.take(); part !== undefined; part = encoder.take()) parts.push(part);
  }
  return Buffer.concat([...parts, encoder.finish()]);
}

test('a spreadsheet runs nothing of safe CSV: =, +, -, @, wide ones too, tab and line ends at the start get an apostrophe, numbers do not', async (t) => {
  const texts = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1', 'a=1', "'=1", '=cmd|"/c calc"!A1,x'];
  const csv = (
    await encoded(
      'csv',
      texts.map((text) => [-1, 0, text]),
      true,
    )
  ).toString();
  t.is(
    csv,
    [
      'id,at,text',
      ...[
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "'\t=1",
        '"\'\r=1"',
        '"\'\n=1"',
        "'＝1+1",
        'a=1',
        "'=1",
        '"\'=cmd|""/c calc""!A1,x"',
      ].map((text) => `-1,1970-01-01T00:00:00.000Z,${text}`),
      '',
    ].join('\n'),
  );
});

test('JSON lines have a number as a number, a time as ISO 8601 and what is not there as null', async (t) => {
  t.is(
    (
      await encoded('jsonl', [
        [1, 1_515_000_000_000, 'a "b"\n'],
        [null, null, null],
      ])
    ).toString(),
    '{"id":1,"at":"2018-01-03T17:20:00.000Z","text":"a \\"b\\"\\n"}\n{"id":null,"at":null,"text":null}\n',
  );
});

test('a Parquet file over several row groups has each row once, with nulls, times before 1970 and the largest whole numbers', async (t) => {
  const count = 150_000;
  const rows = Array.from({ length: count }, (_, i): ColumnValue[] => [
    i % 7 === 0 ? null : Number.MAX_SAFE_INTEGER - i,
    i % 5 === 0 ? null : (i - 70_000) * 86_400_000,
    i % 3 === 0 ? null : `text ${i % 100} é`,
  ]);
  const bytes = await encoded('parquet', rows);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const found = await parquetReadObjects({ file });
  t.is(found.length, count);
  const differing = found.findIndex((row, i) => {
    const [id, at, text] = rows[i]!;
    const same = (row['id'] === null ? null : Number(row['id'])) === id && row['text'] === text;
    return !same || ((row['at'] as Date | null)?.getTime() ?? null) !== at;
  });
  t.is(differing, -1);
});
