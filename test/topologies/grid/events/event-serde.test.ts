import { readFileSync } from 'node:fs';
import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { fromUtf8, utf8 } from '../../../../src/common/bytes.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import { eventFormat } from '../../../../topologies/grid/events/event-format.ts';
import { eventSerde } from '../../../../topologies/grid/events/event-serde.ts';
import type { GridEvent } from '../../../../topologies/grid/events/grid-event.ts';
import { goldenPath, goldenTest } from '../park/golden-data.ts';
import { decode } from './row-view.ts';

const paris = eventSerde('Europe/Paris');
const event: GridEvent = {
  eventId: 20171215000010,
  occurredAtMs: Date.parse('2017-12-15T00:00:10+01:00'),
  arrivedAtMs: Date.parse('2017-12-15T12:00:00+01:00'),
  type: 'ev_C',
  equipmentType: 'C',
  equipmentId: 10,
  info: '',
};
const row = '20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,';

test('an event is written as a row of the event files without its line end', (t) => {
  t.is(fromUtf8(paris.serialize(event)), row);
  t.is(fromUtf8(paris.serialize({ ...event, eventId: 7 })), row.replace('20171215000010', '00000000000007'));
});

test('a row that is the only member of a JSON object is the event of the row', (t) => {
  const text = `${row}"é, ""x"""`;
  const info = 'é, "x"';
  for (const json of [
    JSON.stringify({ file_row0: text }),
    `{ "event_20171215.csv_row17" : ${JSON.stringify(`${text}\r\n`)} }`,
  ])
    t.deepEqual(paris.deserialize(utf8(json)), { ...event, info });
  const bytes = Buffer.from(`before${JSON.stringify({ file_row0: row })}after`);
  t.deepEqual(paris.read!(bytes, 6, bytes.length - 5), event);
  for (const json of ['{}', '{"file_row0":7}', `{"a":"${row}","b":"${row}"}`, '{"a":"1,2"}', '{"a":', '{"a":"{}"}'])
    t.throws(() => paris.deserialize(utf8(json)), undefined, json);
});

const infos = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(',', '"', '""', 'a\nb', '\r\n', 'a"', '"a', ' '),
);

test('any free text comes back, and csv-parse reads it the same', (t) => {
  fc.assert(
    fc.property(infos, (info) => {
      const bytes = paris.serialize({ ...event, info });
      t.deepEqual(paris.deserialize(bytes), { ...event, info });
      t.is((parse(Buffer.from(bytes), { relax_column_count: true }) as string[][])[0]![6], info);
    }),
    { numRuns: 500 },
  );
});

test('reading leaves the bytes as they are, a Buffer too: they belong to somebody else', (t) => {
  for (const info of ['a,b', 'say "no"', '']) {
    const bytes = Buffer.concat([Buffer.from('before'), paris.serialize({ ...event, info }), Buffer.from('after')]);
    const before = Buffer.from(bytes);
    const { length } = bytes;
    t.is(paris.read!(bytes, 6, length - 5).info, info);
    t.is(paris.deserialize(bytes.subarray(6, length - 5)).info, info);
    t.deepEqual(bytes, before);
  }
});

const zones = [
  'Europe/Paris',
  'America/Sao_Paulo',
  'America/Havana',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Pacific/Apia',
];

test('what is read from a row is written back as the same event, around every change of the clock', (t) => {
  for (const name of zones) {
    const zone = Zone.of(name);
    const format = eventFormat(name);
    const serde = eventSerde(name);
    for (let day = 14_600; day < 15_700; day++) {
      if (!zone.exists(day)) continue;
      const plain = zone.startOfDay(day + 1) - zone.startOfDay(day) === 86_400_000;
      const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
      for (let second = 0; second < 86_400; second += plain ? 43_199 : 599) {
        const time = new Date(second * 1000).toISOString().slice(11, 19);
        const read = decode(format, ['20100101000000', `${date} ${time}`, `${date} 23:59:59`, 'ev_K', 'K', '1', '']);
        if (typeof read === 'string') return t.fail(`${name} ${date} ${time}: ${read}`);
        const again = serde.deserialize(serde.serialize(read.value));
        if (again.occurredAtMs !== read.value.occurredAtMs || again.arrivedAtMs !== read.value.arrivedAtMs) {
          return t.fail(`${name} ${date} ${time} comes back as another instant`);
        }
      }
    }
  }
  t.pass();
});

test('an instant that no civil time means is refused, not moved', (t) => {
  // 02:30 in winter time: the clock has shown it an hour before.
  const second = Date.parse('2017-10-29T02:30:00+01:00');
  t.throws(() => paris.serialize({ ...event, occurredAtMs: second }), { message: /no civil time/ });
  t.throws(() => paris.serialize({ ...event, occurredAtMs: event.occurredAtMs + 1 }), { message: /no civil time/ });
  t.is(
    paris.deserialize(paris.serialize({ ...event, occurredAtMs: second - 3_600_000 })).occurredAtMs,
    second - 3_600_000,
  );
});

test('bytes that are no event are refused with the reason', (t) => {
  const cases: [string, RegExp][] = [
    ['', /7 fields, this one 1/],
    [row.replace(/,$/, ''), /7 fields, this one 6/],
    [`${row},`, /has more/],
    [`${row}a"b`, /quote inside/],
    [`${row}"a`, /quotes/],
    [`${row}"a"b`, /quotes/],
    [row.replace('12-15', '13-15'), /\(date\)/],
    [row.replace('ev_C', 'ev_X'), /\(event-type\)/],
    [row.replace(',C,', ',K,'), /\(equipment-type\)/],
    [row.replace(',10,', ',010,'), /\(id\)/],
  ];
  for (const [text, message] of cases) t.throws(() => paris.deserialize(utf8(text)), { message }, text);
});

goldenTest('golden rows are written back byte for byte', (t) => {
  const lines = readFileSync(goldenPath('events', 'event_20180101.csv'), 'utf8').trimEnd().split('\n').slice(1);
  t.deepEqual(
    lines.map((line) => fromUtf8(paris.serialize(paris.deserialize(utf8(line))))),
    lines,
  );
});
