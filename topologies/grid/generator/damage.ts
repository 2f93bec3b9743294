import type { DeadReason } from '../../../src/files/row-format.ts';
import type { Random } from './random.ts';

/** The fields of a good row, in the order of the columns. */
export type RowFields = readonly [
  id: string,
  occurred: string,
  arrived: string,
  type: string,
  equipmentType: string,
  equipment: string,
  info: string,
];

/** A damaged row without its line end, and the one reason for which it must be refused. */
export interface DamagedRow {
  readonly bytes: Buffer;
  readonly reason: DeadReason;
}

/** Dates around the row's own, for rows from the future. 'YYYY-MM-DD'. */
export interface DatesAround {
  /** A date before the row's. */
  readonly before: string;
  /** A date long after it. */
  readonly after: string;
}

/** So long is the longest row that must be read. */
const longestRowBytes = 1024 * 1024;
/** Which of the damaged rows are too long: few, because they are large. */
const tooLongRows: readonly number[] = [40, 2000, 40_000];

const badDates: readonly string[] = [
  '',
  'yesterday',
  '2018-02-30 00:00:00',
  '2017-02-29 12:00:00',
  '2018-13-01 00:00:00',
  '2018-00-10 00:00:00',
  '2018-04-31 08:00:00',
  '2018-01-00 00:00:00',
  '2018-01-05 24:00:00',
  '2018-01-05 23:60:00',
  '2018-01-05 23:59:60',
  '2018-01-05T10:00:00',
  '2018-01-05 10:00',
  '2018-01-05',
  '05/01/2018 10:00:00',
  '20180105100000',
  '2018-1-5 10:00:00',
  ' 2018-01-05 10:00:00',
  '2018-01-05 10:00:00Z',
  '0000-00-00 00:00:00',
  '18-01-05 10:00:00',
  '2018-01-05 1O:00:00',
];
const badTypes: readonly string[] = ['', 'ev_X', 'EV_C', 'ev_c', 'ev_CC', 'ev', 'ev-C', ' ev_C', 'C'];
const badEquipmentTypes: readonly string[] = ['', 'X', 'c', 'k', 'CK', ' C', '1'];
const badIds: readonly string[] = ['', '-1', '007', '1.5', 'abc', '1234567890123456', ' 8', '8 ', '+8', '0x1f', '1e3'];
const badEventIds: readonly string[] = ['', '2017121500000', '201712150000100', '2017-12-15 00:', '2017121500000a'];
/** Bytes that are no UTF-8: stray, cut, overlong, a surrogate, beyond Unicode. */
const badUtf8: readonly Buffer[] = ['ff', '80', 'c3', 'e282', 'c0af', 'eda080', 'f4908080'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

type Way = (fields: RowFields, random: Random, dates: DatesAround) => DamagedRow;

/** Each way of damage, as often as it stands here. Every one breaks one thing only, so that there is one reason. */
const ways: readonly Way[] = [
  missingFields,
  extraFields,
  replaced(1, badDates, 'date'),
  replaced(2, badDates, 'date'),
  replaced(3, badTypes, 'event-type'),
  replaced(4, badEquipmentTypes, 'equipment-type'),
  contradiction,
  replaced(5, badIds, 'id'),
  replaced(0, badEventIds, 'id'),
  invalidUtf8,
  strayQuote,
  fromTheFuture,
];

/** Damages rows, one after the other, in many ways. */
export class Damage {
  readonly #random: Random;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A damaged row. `last`: nothing follows it in its file; then no quote is left open, for it might be waited for its end. */
  damage(fields: RowFields, dates: DatesAround, last: boolean): DamagedRow {
    this.#count++;
    if (tooLongRows.includes(this.#count)) return tooLong(fields, this.#random);
    const way = this.#random.pick(ways);
    return last && way === strayQuote ? missingFields(fields, this.#random) : way(fields, this.#random, dates);
  }
}

function row(fields: readonly string[], reason: DeadReason): DamagedRow {
  return { bytes: Buffer.from(fields.join(',')), reason };
}

function withField(fields: RowFields, index: number, value: string): string[] {
  return fields.map((field, i) => (i === index ? value : field));
}

function replaced(index: number, values: readonly string[], reason: DeadReason): Way {
  return (fields, random) => row(withField(fields, index, random.pick(values)), reason);
}

function missingFields(fields: RowFields, random: Random): DamagedRow {
  return row(fields.slice(0, 1 + random.below(fields.length - 1)), 'columns');
}

function extraFields(fields: RowFields, random: Random): DamagedRow {
  return row([...fields, ...random.pick([[''], ['0'], ['', '', ''], ['more', 'fields']])], 'columns');
}

/** A type of event that the type of equipment does not have. */
function contradiction(fields: RowFields): DamagedRow {
  return row(withField(fields, 4, fields[4] === 'C' ? 'K' : 'C'), 'equipment-type');
}

function invalidUtf8(fields: RowFields, random: Random): DamagedRow {
  const good = Buffer.from(fields.join(','));
  // In the free text at the end; or anywhere else, where it would be something else too, were it judged as text.
  const at = random.below(2) === 0 ? good.length : 1 + random.below(good.length);
  return { bytes: Buffer.concat([good.subarray(0, at), random.pick(badUtf8), good.subarray(at)]), reason: 'utf8' };
}

/** A quote where none may stand, or one that is never closed. None of these can pair with a quote of the next rows. */
function strayQuote(fields: RowFields, random: Random): DamagedRow {
  const info = random.pick(['5" pipe', '"closed" and more', '"never closed', '"a ""b" c', 'here" it ends']);
  return row(withField(fields, 6, info), 'quote');
}

/** It occurred hours after it arrived: either it arrived too early, or it occurred in a year's time. */
function fromTheFuture(fields: RowFields, random: Random, dates: DatesAround): DamagedRow {
  if (random.below(2) === 0) return row(withField(fields, 2, `${dates.before} 12:00:00`), 'future');
  const [, occurred] = fields;
  const time = occurred.slice(11);
  const id = dates.after.replaceAll('-', '') + time.replaceAll(':', '');
  return row([id, `${dates.after} ${time}`, ...fields.slice(2)], 'future');
}

function tooLong(fields: RowFields, random: Random): DamagedRow {
  return row(withField(fields, 6, 'x'.repeat(longestRowBytes + random.below(4096))), 'too-long');
}
