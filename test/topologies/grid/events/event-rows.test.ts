import test from 'ava';
import { parse } from 'csv-parse/sync';
import type { FetchedRecords } from '../../../../src/clients/fetched-records.ts';
import { CsvEncoder } from '../../../../src/sink/csv-encoder.ts';
import { eventColumns } from '../../../../topologies/grid/events/event-format.ts';
import { EventRows } from '../../../../topologies/grid/events/event-rows.ts';

function fetched(values: readonly string[]): FetchedRecords {
  const starts: number[] = [];
  const ends: number[] = [];
  const parts = values.map((value) => Buffer.from(value));
  let at = 0;
  for (const part of parts) {
    starts.push(at);
    at += part.length;
    ends.push(at);
  }
  return {
    ...{ topic: 'events', partition: 0, length: values.length, appendTime: false, nextOffset: values.length },
    offsets: values.map((_, i) => i),
    timestamps: values.map(() => 0),
    bytes: Buffer.concat(parts),
    keyStarts: new Int32Array(values.length).fill(-1),
    keyEnds: new Int32Array(values.length).fill(-1),
    valueStarts: Int32Array.from(starts),
    valueEnds: Int32Array.from(ends),
    headers: () => [],
    stableEnd: values.length,
  };
}

test('each message is one row of CSV with its seven fields, however it was written', (t) => {
  const row = '20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,';
  const plain = row.slice(0, -1).split(',');
  const messages: readonly (readonly [value: string, info: string])[] = [
    [row, ''],
    [`${row}"a ""b"", c"`, 'a "b", c'],
    [JSON.stringify({ file_row0: row }), ''],
    [JSON.stringify({ file_row0: `${row}"d,\ne"\r\n` }), 'd,\ne'],
    [`${row}"two\nlines"`, 'two\nlines'],
    [`${row}not\nquoted`, 'not\nquoted'],
    [`${row}h`, 'h'],
  ];
  const records = fetched(messages.map(([value]) => value));
  const rows = new EventRows('Europe/Paris');
  const encoder = new CsvEncoder(rows.columns, false);
  messages.forEach((_, i) => {
    t.is(rows.read(records, i), Date.parse('2017-12-15T00:00:10+01:00'));
    const end = rows.csvEnd(records, i);
    if (end < 0) encoder.add(rows);
    else encoder.copy!(records.bytes, records.valueStarts[i]!, end);
  });
  t.deepEqual(parse(Buffer.from(encoder.finish())), [eventColumns, ...messages.map(([, info]) => [...plain, info])]);
});
