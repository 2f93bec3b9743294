import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import type { DeadReason } from '../../../../src/files/row-format.ts';
import { eventColumns, eventFormat } from '../../../../topologies/grid/events/event-format.ts';
import { equipmentKey } from '../../../../topologies/grid/events/grid-event.ts';
import { goldenPath, goldenTest } from '../park/golden-data.ts';
import { decode } from './row-view.ts';

const paris = eventFormat('Europe/Paris');
const good = ['20171215000010', '2017-12-15 00:00:10', '2017-12-15 12:00:00', 'ev_C', 'C', '10', ''];
const changed = (index: number, value: string): string[] => good.map((field, i) => (i === index ? value : field));

test('a row becomes an event under the key of its equipment', (t) => {
  t.deepEqual(decode(paris, changed(6, 'n° 5, "là"')), {
    key: 'C:10',
    value: {
      eventId: 20171215000010,
      occurredAtMs: Date.parse('2017-12-15T00:00:10+01:00'),
      arrivedAtMs: Date.parse('2017-12-15T12:00:00+01:00'),
      type: 'ev_C',
      equipmentType: 'C',
      equipmentId: 10,
      info: 'n° 5, "là"',
    },
  });
});

test('the event time is the time of occurrence', (t) => {
  const row = decode(paris, good);
  t.is(typeof row === 'string' ? 0 : paris.timestampOf(row.value), Date.parse('2017-12-15T00:00:10+01:00'));
});

const bad: Readonly<Record<string, readonly [index: number, ...values: string[]][]>> = {
  date: [
    [1, '', '2017-02-29 00:00:00', '1900-02-29 00:00:00', '2017-04-31 00:00:00', '2017-13-01 00:00:00'],
    [
      1,
      '2017-00-01 00:00:00',
      '2017-01-00 00:00:00',
      '2017-01-32 00:00:00',
      '1899-12-31 00:00:00',
      '2201-01-01 00:00:00',
    ],
    [
      1,
      '2017-12-15 24:00:00',
      '2017-12-15 23:60:00',
      '2017-12-15 23:59:60',
      '2017-12-15T00:00:00',
      '2017-12-15 00.00.00',
    ],
    [
      1,
      '2017/12/15 00:00:00',
      '2017-12-15 00:00',
      '2017-12-15',
      ' 2017-12-15 00:00:00',
      '2017-12-15 0O:00:00',
      '-017-12-15 00:00:00',
    ],
    [1, '2017-12-15 :0:00:00', '2017-12-15 00:00:0/', '2017-12-15 00:00:0:', '2017-12-15\u000000:00:00'],
    [2, '', '2018-02-30 12:00:00', '2017-12-15 12:00:0'],
  ],
  'event-type': [[3, '', 'ev_X', 'ev_c', 'EV_C', 'ev_', 'ev_CC', 'ev-C']],
  'equipment-type': [[4, '', 'X', 'c', 'CK', 'K']],
  id: [
    [5, '', '-1', '01', '00', '1.5', '1e3', ' 1', '1234567890123456', 'x'],
    [0, '', '2017121500001', '201712150000100', '2017121500001x', '-2017121500001'],
  ],
};

for (const [reason, cases] of Object.entries(bad)) {
  test(`a row with a bad ${reason} is refused as ${reason}`, (t) => {
    for (const [index, ...values] of cases) {
      for (const value of values)
        t.is(decode(paris, changed(index, value)), reason as DeadReason, JSON.stringify(value));
    }
  });
}

test('what is at the edge of the allowed is accepted', (t) => {
  const cases: [number, string][] = [
    [1, '2016-02-29 23:59:59'],
    [1, '2000-02-29 00:00:00'],
    [1, '1900-01-01 00:00:00'],
    [2, '2200-12-31 23:59:59'],
    [5, '0'],
    [5, '999999999999999'],
    [0, '00000000000000'],
  ];
  for (const [index, value] of cases) t.is(typeof decode(paris, changed(index, value)), 'object', value);
});

test('ev_K and ev_N come from concentrators only, ev_C from meters only', (t) => {
  const outcome = (type: string, equipmentType: string): unknown => {
    const row = decode(paris, changed(3, type).with(4, equipmentType));
    return typeof row === 'string' ? row : row.key;
  };
  t.deepEqual(
    ['ev_C', 'ev_K', 'ev_N'].map((type) => outcome(type, 'C')),
    ['C:10', 'equipment-type', 'equipment-type'],
  );
  t.deepEqual(
    ['ev_C', 'ev_K', 'ev_N'].map((type) => outcome(type, 'K')),
    ['equipment-type', 'K:10', 'K:10'],
  );
});

test('a row with several faults is refused for the first in the order date, event-type, equipment-type, id', (t) => {
  const worst = ['x', 'x', 'x', 'x', 'x', 'x', ''];
  t.is(decode(paris, worst), 'date');
  t.is(decode(paris, worst.with(1, good[1]!)), 'date');
  t.is(decode(paris, worst.with(1, good[1]!).with(2, good[2]!)), 'event-type');
  t.is(decode(paris, worst.with(1, good[1]!).with(2, good[2]!).with(3, 'ev_C')), 'equipment-type');
  t.is(decode(paris, worst.with(1, good[1]!).with(2, good[2]!).with(3, 'ev_C').with(4, 'C')), 'id');
});

test('free text that is no UTF-8 is refused', (t) => {
  t.is(decode(paris, [...good.slice(0, 6), Buffer.from('c328', 'hex')]), 'utf8');
});

test('a day that the zone left out has no times', (t) => {
  const apia = eventFormat('Pacific/Apia');
  t.is(decode(apia, changed(1, '2011-12-30 12:00:00')), 'date');
  t.is(typeof decode(apia, changed(1, '2011-12-31 00:00:00')), 'object');
  t.is(typeof decode(paris, changed(1, '2011-12-30 12:00:00')), 'object');
});

test('a bad date does not spoil the memory of the good ones', (t) => {
  for (const date of ['2017-12-15', '2017-12-35', '2017-12-15', '2017-02-31', '2017-12-15', '2018-01-15']) {
    const expected = DateTime.fromISO(`${date}T08:00:00`, { zone: 'Europe/Paris' });
    const row = decode(paris, changed(1, `${date} 08:00:00`));
    t.is(typeof row === 'string' ? row : row.value.occurredAtMs, expected.isValid ? expected.toMillis() : 'date');
  }
});

const zones = ['Europe/Paris', 'America/Sao_Paulo', 'Africa/Cairo', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'];
const two = (from: number, to: number): fc.Arbitrary<string> =>
  fc.integer({ min: from, max: to }).map((value) => String(value).padStart(2, '0'));
const civil = fc
  .tuple(fc.integer({ min: 1899, max: 2201 }), two(0, 13), two(0, 32), two(0, 24), two(0, 60), two(0, 60))
  .map(([year, month, day, hour, minute, second]) => `${year}-${month}-${day} ${hour}:${minute}:${second}`);

test('bytes of zero or of 255 are no date, neither in a first row nor later', (t) => {
  for (const byte of ['\0', '\xff'])
    for (const length of [8, 11, 19])
      for (const column of [1, 2]) {
        const format = eventFormat('Europe/Paris');
        const time = Buffer.from(byte.repeat(length) + good[column]!.slice(length), 'latin1');
        const row = good.map((field, i) => (i === column ? time : field));
        t.deepEqual(
          [decode(format, row), decode(format, good) === 'date', decode(format, row)],
          ['date', false, 'date'],
        );
      }
});

test('times are read as luxon reads them, and belong to the date that they name', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.array(civil, { minLength: 1, maxLength: 20 }), (zone, times) => {
      const format = eventFormat(zone);
      for (const time of times) {
        const expected = DateTime.fromFormat(time, 'yyyy-MM-dd HH:mm:ss', { zone });
        const valid = expected.isValid && expected.year >= 1900 && expected.year <= 2200 && !time.includes(' 24:');
        const row = decode(format, changed(1, time));
        if (typeof row === 'string') {
          t.false(valid, `${zone} ${time}`);
          continue;
        }
        t.true(valid, `${zone} ${time}`);
        const read = DateTime.fromMillis(row.value.occurredAtMs, { zone });
        t.is(read.toISODate(), time.slice(0, 10));
        // Luxon moves times that do not exist, and chooses among two, its own way.
        if (read.toFormat('HH:mm:ss') !== time.slice(11)) t.not(expected.toFormat('HH:mm:ss'), time.slice(11));
      }
    }),
    { numRuns: 1000 },
  );
});

/** What a row is to be refused for, said with regular expressions. */
function oracle(fields: readonly string[]): DeadReason | undefined {
  const [id, occurred, arrived, type, equipmentType, equipment] = fields;
  const isTime = (text: string): boolean =>
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) &&
    !/ 24/.test(text) &&
    /^(19|20|21|2200)/.test(text) &&
    DateTime.fromFormat(text, 'yyyy-MM-dd HH:mm:ss', { zone: 'utc' }).isValid;
  if (!isTime(occurred!) || !isTime(arrived!)) return 'date';
  if (!/^ev_[CKN]$/.test(type!)) return 'event-type';
  if (equipmentType !== (type === 'ev_C' ? 'C' : 'K')) return 'equipment-type';
  return /^(0|[1-9]\d{0,14})$/.test(equipment!) && /^\d{14}$/.test(id!) ? undefined : 'id';
}

test('rows with random bytes put in, taken out and changed are judged as by regular expressions', (t) => {
  const change = fc.record({
    field: fc.nat(5),
    at: fc.nat(19),
    remove: fc.nat(1),
    insert: fc.constantFrom(...'09:;/-_ CKNvx\0', ''),
  });
  fc.assert(
    fc.property(fc.constantFrom('C', 'K', 'N'), fc.array(change, { maxLength: 3 }), (letter, changes) => {
      const fields = changed(3, `ev_${letter}`).with(4, letter === 'C' ? 'C' : 'K');
      for (const { field, at, remove, insert } of changes) {
        const text = fields[field]!;
        fields[field] = text.slice(0, at) + insert + text.slice(at + remove);
      }
      const row = decode(paris, fields);
      t.is(typeof row === 'string' ? row : undefined, oracle(fields), JSON.stringify(fields));
    }),
    { numRuns: 5000 },
  );
});

test('keys of equal equipments are equal, whatever the size of the id', (t) => {
  for (const id of [0, 1, 1023, 1024, 16_777_215, 16_777_216, 999_999_999_999_999]) {
    for (const type of ['C', 'K'] as const) {
      const row = decode(paris, [
        ...changed(3, type === 'C' ? 'ev_C' : 'ev_K')
          .with(4, type)
          .slice(0, 5),
        `${id}`,
        '',
      ]);
      if (typeof row === 'string') return t.fail(row);
      t.is(row.key, `${type}:${id}`);
      t.is(equipmentKey(row.value), row.key);
    }
  }
  return undefined;
});

test('an unknown zone is refused', (t) => {
  t.throws(() => eventFormat('Europe/Pariss'), { message: /Pariss/ });
});

goldenTest('every golden row is read as csv-parse and luxon read it', (t) => {
  const files = readdirSync(goldenPath('events')).sort();
  for (const file of [files[0]!, files.at(-1)!]) {
    const rows: string[][] = parse(readFileSync(goldenPath('events', file)), { from: 2 });
    let different = 0;
    for (const fields of rows) {
      const row = decode(paris, fields);
      if (typeof row === 'string') return t.fail(`${file}: ${fields.join()} is refused as ${row}`);
      const [occurred, arrived] = [fields[1]!, fields[2]!].map((text) => Date.parse(`${text.replace(' ', 'T')}+01:00`));
      const { value, key } = row;
      const same =
        key === `${fields[4]}:${fields[5]}` &&
        value.eventId === Number(fields[0]) &&
        value.occurredAtMs === occurred &&
        value.arrivedAtMs === arrived &&
        value.type === fields[3];
      if (!same) different++;
    }
    t.is(different, 0, file);
    t.is(rows.length, 8640);
  }
  t.is(eventColumns.join(), readFileSync(goldenPath('events', files[0]!), 'utf8').split('\n')[0]!);
  return undefined;
});
