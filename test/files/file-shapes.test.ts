import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { Zone } from '../../src/common/time/zone.ts';
import { csvFormat } from '../../src/files/csv-format.ts';
import { listFolder } from '../../src/files/folder.ts';
import { BadRow, type RowFormat } from '../../src/files/row-format.ts';
import { dailySums, type Measured } from './helpers/daily-sums.ts';

function folderOf(t: ExecutionContext, files: Readonly<Record<string, string | Buffer>>): string {
  const root = mkdtempSync(join(tmpdir(), 'weir-shapes-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

async function sumsOf(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Buffer>>,
  format: RowFormat<string, Measured>,
  zone = 'Europe/Paris',
): Promise<readonly string[]> {
  const { sums, progress } = await dailySums(t, folderOf(t, files), format, zone);
  t.deepEqual([progress.dead, progress.late, progress.refused], [0, 0, undefined]);
  return sums;
}

const measured = ({ atMs, amount }: { atMs: number; amount?: number | undefined }): Measured => ({
  atMs,
  amount: amount ?? null,
});
const timestamp = ({ atMs }: Measured): number => atMs;
const twoDigits = (n: number): string => String(n).padStart(2, '0');

test('an export with two lines before its header: ISO times with offsets, and the meter in the preamble', async (t) => {
  const format = csvFormat({
    separator: ';',
    skipLines: 2,
    columns: { atMs: { column: 'Horodate', time: 'iso' }, amount: { column: 'Valeur', decimal: '.', missing: [''] } },
    key: (_row, file) => file.preamble[1]!.split(';')[0]!,
    value: measured,
    timestamp,
  });
  // 25 hours of half hours, the hour from 2 to 3 twice with two offsets, each with its own number.
  const rows = Array.from({ length: 50 }, (_, i) => {
    const summer = i < 6;
    const minute = i < 6 ? i * 30 : (i - 2) * 30;
    return `2023-10-29T${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}:00${summer ? '+02:00' : '+01:00'};${i === 7 ? '' : 2 ** (i % 20)}`;
  });
  const head = 'Identifiant PRM;Type de donnees;Unite\r\n04123456789012;Courbe de charge;W\r\nHorodate;Valeur\r\n';
  const content = `${head}${rows.join('\r\n')}\r\n2023-10-30T00:00:00+01:00;5\r\n`;
  // 2^0 to 2^19 twice, 2^0 to 2^9 once, without 2^7.
  const sum = 2 * (2 ** 20 - 1) + (2 ** 10 - 1) - 2 ** 7;
  t.deepEqual(await sumsOf(t, { 'linky.csv': content }, format), [
    `04123456789012 2023-10-29: ${sum} (1 missing)`,
    '04123456789012 2023-10-30: 5',
  ]);
});

test('decimal commas, groups of three and windows-1252, after eleven lines of preamble; a column name that ends in a blank', async (t) => {
  const format = csvFormat({
    separator: ';',
    encoding: 'windows-1252',
    skipLines: 11,
    columns: {
      meter: 'N° ',
      atMs: { column: ['Date', 'Heure'], time: 'D/M/YY HH[h]mm', zone: 'Europe/Paris' },
      amount: { column: 'Énergie €', decimal: ',', thousands: ' ', missing: ['?', 'Null'] },
    },
    key: (row) => row.meter,
    value: measured,
    timestamp,
  });
  const text = `${'préambule;"\r\n'.repeat(11)}Date;N° ;Heure;"Énergie €"\r\n1/7/18;é8;00h00; 1 234,25 \r\n1/7/18;é8;24h00;7,5\r\n01/07/18;é8;23h59;?\r\n1/7/18;é8;12h00;Null\r\n`;
  const bytes = Buffer.from(text.replaceAll('€', '\x80'), 'latin1');
  t.deepEqual(await sumsOf(t, { 'a.csv': bytes }, format), [
    'é8 2018-07-01: 1234.25 (2 missing)',
    'é8 2018-07-02: 7.5',
  ]);
});

test('a first line that says the separator, then the header; tabs and other quotes', async (t) => {
  const rest = {
    columns: { m: 'm', atMs: { column: 't', time: 'epoch-s' }, amount: { column: 'kwh', decimal: '.' } },
  } as const;
  const format = csvFormat({ ...rest, skipLines: 1, key: ({ m }) => m, value: measured, timestamp });
  t.deepEqual(await sumsOf(t, { 'a.csv': 'sep=,\nm,t,kwh\n8,1500000000,1.5\n' }, format), ['8 2017-07-14: 1.5']);
  const quoted = csvFormat({ ...rest, separator: '\t', quote: "'", key: ({ m }) => m, value: measured, timestamp });
  t.deepEqual(await sumsOf(t, { 'a.csv': "m\tt\tkwh\n'8\t''9''\n'\t1500000000.4\t-.5\n" }, quoted), [
    "8\t'9'\n 2017-07-14: -0.5",
  ]);
});

test('no header, UTF-16 of both orders with CR alone, packed too', async (t) => {
  const format = csvFormat({
    names: ['when', 'meter', 'kwh', 'note'],
    encoding: 'utf-16',
    lineEnd: 'cr',
    columns: {
      meter: 'meter',
      atMs: { column: 'when', time: 'YYYYMMDDHHmmss', zone: 'UTC' },
      amount: { column: 'kwh', decimal: '.' },
    },
    key: (row) => row.meter,
    value: measured,
    timestamp,
  });
  const text = (day: number, end: string): string =>
    `201801${twoDigits(day)}120000,mètre 𝄞,${day},"two\rlines"\r201801${twoDigits(day)}130000,mètre 𝄞,0.25,${end}`;
  const le = Buffer.from(text(1, '\r'), 'utf16le');
  const be = Buffer.from(`\ufeff${text(2, '')}`, 'utf16le').swap16();
  const files = { 'a.csv': le, 'b.csv': be, 'c.csv.gz': gzipSync(Buffer.from(`\ufeff${text(3, '')}`, 'utf16le')) };
  t.deepEqual(await sumsOf(t, files, format, 'UTC'), [
    'mètre 𝄞 2018-01-01: 1.25',
    'mètre 𝄞 2018-01-02: 2.25',
    'mètre 𝄞 2018-01-03: 3.25',
  ]);
});

const london = Zone.of('Europe/London');
/** `01:00` is the half hour that ends then. */
const halfHours = Array.from({ length: 50 }, (_, i) => `K${i + 1}`);

test('one row is a day of half hours: 46 of them, 48 or 50, whatever is not there missing', async (t) => {
  const days = { '2018-03-25': 46, '2018-03-26': 48, '2018-10-28': 50 };
  const format = csvFormat({
    columns: {
      MPAN: 'MPAN',
      DAY: { time: 'DD/MM/YYYY', zone: 'Europe/London' },
      ...Object.fromEntries(halfHours.map((name) => [name, { decimal: '.', missing: [''] }])),
    } as { MPAN: 'MPAN'; DAY: { time: string; zone: string } } & Record<
      `K${number}`,
      { decimal: '.'; missing: string[] }
    >,
    records(row) {
      const end = london.startOfDay(london.dayOf(row.DAY) + 1);
      return halfHours.flatMap((name, i) => {
        const atMs = row.DAY + i * 1_800_000;
        const value = { atMs, amount: row[name as 'K1'] ?? null };
        return atMs < end ? [{ key: row.MPAN, value }] : [];
      });
    },
    timestamp,
  });
  const rows = Object.entries(days).map(([day, count]) => {
    const [year, month, date] = day.split('-');
    const values = halfHours.map((_, i) => (i >= count || i === 5 ? '' : String(i + 1)));
    return `M1,${date}/${month}/${year},${values.join(',')}`;
  });
  const content = `MPAN,DAY,${halfHours.join(',')}\n${rows.join('\n')}\n`;
  const sum = (count: number): number => (count * (count + 1)) / 2 - 6;
  t.deepEqual(
    await sumsOf(t, { 'a.csv': content }, format, 'Europe/London'),
    Object.entries(days).map(([day, count]) => `M1 ${day}: ${sum(count)} (1 missing)`),
  );
});

test('London times over a day of 23 hours and one of 25: what comes twice means what the format says', async (t) => {
  const rows = (day: string, hours: readonly number[]): string =>
    hours.map((hour, i) => `8,${day} ${twoDigits(hour)}:00,${2 ** i},${i >= 2 ? 'GMT' : 'BST'}\n`).join('');
  const hours = Array.from({ length: 24 }, (_, i) => i);
  const content = `m,t,kwh,zone\n${rows(
    '2018-03-25',
    hours.filter((hour) => hour !== 1),
  )}${rows('2018-10-28', [0, 1, ...hours.slice(1)])}`;
  const format = (
    repeated: 'first' | 'second' | 'bad' | { column: string; second: string[] },
  ): RowFormat<string, Measured> =>
    csvFormat({
      columns: {
        m: 'm',
        atMs: { column: 't', time: 'YYYY-MM-DD HH:mm', zone: 'Europe/London', repeated },
        amount: { column: 'kwh', decimal: '.' },
      },
      key: ({ m }) => m,
      value: measured,
      timestamp,
    });
  for (const repeated of ['first', 'second', { column: 'zone', second: ['GMT'] }] as const) {
    t.deepEqual(await sumsOf(t, { 'a.csv': content }, format(repeated as 'first'), 'Europe/London'), [
      `8 2018-03-25: ${2 ** 23 - 1}`,
      `8 2018-10-28: ${2 ** 25 - 1}`,
    ]);
    const first = await sumsOf(
      t,
      { 'a.csv': 'm,t,kwh,zone\n8,2018-10-28 01:30,1,BST\n8,2018-10-28 01:30,2,GMT\n' },
      format(repeated as 'first'),
      'Atlantic/Cape_Verde',
    );
    const expected = { first: ['8 2018-10-27: 3'], second: ['8 2018-10-28: 3'] };
    // 00:30Z is 23:30 in that zone, 01:30Z is 00:30 of the next day.
    t.deepEqual(first, typeof repeated === 'string' ? expected[repeated] : ['8 2018-10-27: 1', '8 2018-10-28: 2']);
  }
  const { progress, deadFile } = await dailySums(t, folderOf(t, { 'a.csv': content }), format('bad'), 'Europe/London');
  t.is(progress.dead, 2);
  t.regex(
    readFileSync(deadFile, 'utf8'),
    /the column \\"t\\" has \\"2018-10-28 01:00\\", which is a time that the clock showed twice in Europe\/London/,
  );
});

test('a time that the clock jumped over is bad, or later by the jump', async (t) => {
  const format = (skipped: 'bad' | 'later'): RowFormat<string, Measured> =>
    csvFormat({
      columns: { m: 'm', atMs: { column: 't', time: 'YYYY-MM-DD HH:mm', zone: 'Europe/Paris', skipped } },
      key: ({ m }) => m,
      value: ({ atMs }) => ({ atMs, amount: atMs - Date.UTC(2018, 2, 25) }),
      timestamp,
    });
  const folder = folderOf(t, { 'a.csv': 'm,t\n8,2018-03-25 02:30\n8,2018-03-25 03:00\n' });
  const bad = await dailySums(t, folder, format('bad'), 'Europe/Paris');
  t.deepEqual([bad.sums, bad.progress.dead], [['8 2018-03-25: 3600000'], 1]);
  const later = await dailySums(t, folder, format('later'), 'Europe/Paris');
  t.deepEqual(later.sums, [`8 2018-03-25: ${3_600_000 + 5_400_000}`]);
});

test('an offset that no zone has, and a time beyond the year 9999, are bad', async (t) => {
  const format = (time: string): RowFormat<string, Measured> =>
    csvFormat({
      columns: { m: 'm', atMs: { column: 't', time, zone: 'UTC' } },
      key: ({ m }) => m,
      value: ({ atMs }) => ({ atMs, amount: 1 }),
      timestamp,
    });
  const read = async (time: string, ...texts: string[]): Promise<unknown[]> => {
    const content = `m,t\n${texts.map((text) => `8,${text}\n`).join('')}`;
    const { sums, progress } = await dailySums(t, folderOf(t, { 'a.csv': content }), format(time), 'UTC');
    return [...sums, progress.deadByReason];
  };
  const good = ['2018-01-01T12:00:00+23:59', '2018-01-01T12:00-1200', '2018-01-01T12:00:00.5Z'];
  const bad = ['+24:00', '+99:99', '-00:60', '+1260', '-99'].map((offset) => `2018-01-01T12:00:00${offset}`);
  const beyond = ['9999-12-31T23:59:59-10:00', '9999-12-31T24:00:00Z', '0001-01-01T00:00+01:00'];
  t.deepEqual(await read('iso', ...good, ...bad, ...beyond), [
    '8 2017-12-31: 1',
    '8 2018-01-01: 1',
    '8 2018-01-02: 1',
    { date: 8 },
  ]);
  t.deepEqual(await read('DD/MM/YYYY HH:mm', '01/01/2018 12:00', '31/12/9999 24:00'), ['8 2018-01-01: 1', { date: 1 }]);
});

test('a format has its own reasons for bad rows, and the letter says line, column and what stood there', async (t) => {
  const format = csvFormat({
    separator: ';',
    skipLines: 1,
    columns: {
      tariff: 'tariff',
      atMs: { column: 'at', time: 'DD/MM/YYYY', zone: 'UTC' },
      amount: { column: 'kwh', decimal: ',' },
    },
    key: ({ tariff }) => tariff,
    value(row) {
      if (row.tariff === 'X') throw new BadRow('tariff', `the tariff ${row.tariff} is unknown`);
      return row.amount < 0 ? undefined : measured(row);
    },
    timestamp,
  });
  const content =
    'p\ntariff;at;kwh\nX;01/02/2018;1\nH;31/02/2018;1\nH;01/02/2018;1.5\nH;01/02/2018;-1\nH;01/02/2018;2,5\nH;01/02/2018\n';
  const { sums, progress, deadFile } = await dailySums(t, folderOf(t, { 'a.csv': content }), format, 'UTC');
  t.deepEqual(sums, ['H 2018-02-01: 2.5']);
  t.deepEqual(progress.deadByReason, { tariff: 1, date: 1, value: 2, columns: 1 });
  const letters = readFileSync(deadFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.deepEqual(
    letters.map(({ line, reason, message }) => `${line} ${reason}: ${message}`),
    [
      '3 tariff: the tariff X is unknown',
      '4 date: the column "at" has "31/02/2018", which is not a time of the form DD/MM/YYYY',
      '5 value: the column "kwh" has "1.5", which is not a number with ",": it is one with "decimal": "."',
      '6 value: a field does not hold what it should',
      '8 columns: the row has 2 fields, its header 3',
    ],
  );
});

test('the letter of a number that is written in another way says with which options it is one', async (t) => {
  const hint = async (text: string, more: object): Promise<string | undefined> => {
    const format = csvFormat({
      columns: { kwh: { column: 'kwh', decimal: '.', ...more } },
      separator: ';',
      key: () => 'k',
      value: ({ kwh }) => kwh,
      timestamp: () => 0,
    });
    const world = folderOf(t, { 'a.csv': `kwh\n${text}\n` });
    const { deadFile } = await dailySums(t, world, format as never, 'UTC');
    const { message } = JSON.parse(readFileSync(deadFile, 'utf8'));
    return /which is not a number with "[.,]"(?:: it is one with (.*))?$/.exec(message)![1];
  };
  t.is(await hint('12,5', {}), '"decimal": ","');
  t.is(await hint('1 234.5', {}), '"thousands": "\\u0020" (space)');
  t.is(await hint("1'234'567", {}), '"thousands": "\'"');
  t.is(await hint('1,234.5', {}), '"thousands": ","');
  t.is(await hint('1.234,5', {}), '"decimal": "," and "thousands": "."');
  t.is(await hint('1\u00a0234,5', {}), '"decimal": "," and "thousands": "\\u00a0" (no-break space)');
  t.is(await hint('1,234', {}), '"thousands": ",", or with "decimal": ","');
  t.is(await hint('1.234', { decimal: ',' }), '"thousands": ".", or with "decimal": "."');
  t.is(await hint('?', {}), undefined);
});

test('a file whose header does not serve is told once, with the nearest names and blanks that can be seen, and no row of it is a letter', async (t) => {
  const refusal = async (content: string | Buffer, more: object = {}): Promise<string> => {
    const format = csvFormat({
      columns: { meter: 'meter', atMs: { column: 'measured at', time: 'iso' } },
      key: ({ meter }) => meter,
      value: ({ atMs }) => ({ atMs, amount: 1 }),
      timestamp,
      ...more,
    });
    const folder = folderOf(t, { 'a.csv': content, 'b.csv': content });
    const { sums, progress } = await dailySums(t, folder, format, 'UTC');
    t.deepEqual([sums, progress.rows, progress.dead], [[], 0, 0]);
    t.deepEqual(Object.keys(progress.refused ?? {}), ['a.csv', 'b.csv']);
    return progress.refused!['a.csv']!;
  };
  const at = '2018-01-01T00:00Z';
  t.is(
    await refusal(`meter ,mesured at\n8,${at}\n`),
    'it lacks the columns "meter", "measured at"; it has "meter\\u0020", "mesured at" ("meter\\u0020" is not "meter", "mesured at" is not "measured at")',
  );
  t.is(
    await refusal(`meter,measured at\n8,${at}\n`, { separator: ';' }),
    'its columns are separated by ",", not by ";": "meter,measured at"',
  );
  t.is(
    await refusal(`sep=;\nmeter;measured at\n8;${at}\n`, { separator: ';' }),
    'its header is line 2, below a line that is no table: give "skipLines": 1 in the format (--format, in a program: csvFormat)',
  );
  t.is(
    await refusal(`sep=,\nmeter;measured at\n8;${at}\n`, { separator: ',' }),
    'its first line says which separator it has, and is no header: "sep=": give "skipLines": 1 in the format (--format, in a program: csvFormat)',
  );
  t.is(
    await refusal(`8,${at}\n9,${at}\n`, { names: ['meter', 'x', 'measured at'] }),
    `its first row has 2 fields, and the format names 3 columns: "8,${at}"`,
  );
  t.is(
    await refusal(Buffer.from(`\ufeffmeter,measured at\n8,${at}\n`, 'utf16le')),
    'it is UTF-16, not UTF-8: give "encoding": "utf-16" in the format (--format, in a program: csvFormat)',
  );
  t.is(
    await refusal(`\ufeffmeter,measured at\n8,${at}\n`, { encoding: 'latin1' }),
    'its byte order mark says that it is UTF-8, and the format something else',
  );
  t.is(
    await refusal(`meter,measured at\r8,${at}\r9,${at}\r`, { skipLines: 0 }),
    'its lines end with a carriage return alone (CR), instead of LF or CRLF: give "lineEnd": "cr" in the format (--format, in a program: csvFormat)',
  );
});

test('files of other suffixes, in any case, and of all folders are read', async (t) => {
  const format = (more: object): RowFormat<string, Measured> =>
    csvFormat({
      columns: { m: 'm', atMs: { column: 't', time: 'iso', zone: 'UTC' }, amount: { column: 'kwh', decimal: '.' } },
      key: ({ m }) => m,
      value: measured,
      timestamp,
      ...more,
    });
  const file = (n: number): string => `m,t,kwh\n8,2018-01-01,${2 ** n}\n`;
  const files = {
    'a.TXT': file(0),
    'b.csv': file(1),
    'c.txt.GZ': gzipSync(file(2)),
    'site 1/d.txt': file(3),
    'site 1/2018/e.Csv': file(4),
    '20180101/f.txt': file(5),
    '_old/g.txt': file(6),
    '.cache/h.csv': file(7),
  };
  const sum = async (more: object): Promise<string | undefined> => (await sumsOf(t, files, format(more), 'UTC'))[0];
  t.is(await sum({}), '8 2018-01-01: 2');
  t.is(await sum({ suffixes: ['.txt'] }), `8 2018-01-01: ${1 + 4 + 32}`);
  t.is(await sum({ suffixes: ['.txt', '.csv'], nested: true }), '8 2018-01-01: 63');
  const told: [string, string][] = [];
  const leftOut = (name: string, why: string): void => {
    told.push([name, why]);
  };
  const listed = await listFolder('readings', folderOf(t, files), { files: { suffixes: ['.txt'] } }, leftOut);
  t.deepEqual(
    listed.map(({ name }) => name),
    ['20180101/f.txt', 'a.TXT', 'c.txt'],
  );
  t.deepEqual(told.sort(), [
    ['b.csv', 'its name does not end with .txt, .txt.gz or .txt.zst'],
    [
      'site 1/',
      'it is a folder, whose name is not a day or an hour (20180101, date=2018-01-01, 13, hour=13). All folders are read by a format with "nested": true (--format, in a program: csvFormat)',
    ],
  ]);
});

test('options of a format that are wrong are told', (t) => {
  const wrong = (options: object, message: RegExp): void => {
    const given = { columns: ['a'], key: () => 'k', value: () => 1, timestamp: () => 0, ...options };
    const error = t.throws(() => csvFormat(given as never), { code: 'STREAMS_CONFIG' } as never);
    t.regex(error!.message, message);
  };
  wrong({ separator: ';;' }, /separator of a file format is ";;": expected one ASCII character/);
  wrong({ separator: '"' }, /quote/);
  wrong({ encoding: 'utf8' }, /encoding of a file format is "utf8": expected one of utf-8, utf-16/);
  wrong({ skipLines: -1 }, /skipLines/);
  wrong({ names: ['b', 'c'] }, /the column "a" in it once, and it is there 0 times/);
  wrong({ columns: {} }, /columns/);
  wrong({ columns: { a: { decimal: ';' } } }, /decimal of a file format is ";"/);
  wrong(
    { columns: { a: { decimal: '.', tousands: ' ' } } },
    /the column a of a file format has no option tousands.*Did you mean thousands\?/,
  );
  wrong({ columns: { a: { time: 'dd/MM/yyyy', zone: 'UTC' } } }, / has dd: /);
  wrong({ columns: { a: { time: 'MM/DD', zone: 'UTC' } } }, / lacks the year: /);
  wrong({ columns: { a: { time: 'DD/MM/YYYY' } } }, /zone of a file format is missing/);
  wrong({ columns: { a: { time: 'DD/MM/YYYY', zone: 'Europe/Pari' } } }, /zone/);
  wrong({ suffixes: ['csv'] }, /suffixes/);
  wrong({ nested: 1 }, /nested/);
  wrong({ seperator: ';' }, /has no option seperator.*Did you mean separator\?/);
});
