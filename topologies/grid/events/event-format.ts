import { fromUtf8Strict } from '../../../src/common/bytes.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { DeadReason, DecodedRow, RowFormat, RowView } from '../../../src/files/row-format.ts';
import type { EventType } from '../statistics/statistic.ts';
import { CivilTimeReader } from './civil-time.ts';
import { type EquipmentType, equipmentKeyOf } from './equipment-key.ts';
import type { GridEvent } from './grid-event.ts';

/** The columns of the event files, in the order in which {@link eventFormat} sees them and in which the serde writes them. */
export const eventColumns: readonly string[] = [
  'id_evt',
  'date_occur_evt',
  'date_system_evt',
  'type_evt',
  'type_equipement',
  'id_equipement',
  'info_div',
];

const zero = 0x30;
const letterC = 0x43;
const letterK = 0x4b;
const zeros = 0x30303030;
// 'ev_C' and so on, the first letter in the lowest byte.
const evC = 0x435f7665;
const evK = 0x4b5f7665;
const evN = 0x4e5f7665;
const eventIdDigits = 14;
const mostIdDigits = 15;

/**
 * How rows of the event files become records: the key is the equipment's, 'C:8', the value a {@link GridEvent}.
 *
 * The scanner has judged `too-long`, `quote`, `utf8` and `columns` before. A row must then have, judged in this order:
 * - two times 'YYYY-MM-DD HH:MM:SS' of existing dates from 1900 to 2200 (29 February in leap years only, no hour 24, no day that the zone left out), else `date`;
 * - a type_evt of `ev_C`, `ev_K` or `ev_N`, else `event-type`;
 * - a type_equipement of `C` for ev_C, `K` for ev_K and ev_N, else `equipment-type`;
 * - an id_equipement of 1 to 15 digits without a leading zero (`0` itself is an id) and an id_evt of 14 digits, else `id`;
 * - an info_div of well-formed UTF-8, else `utf8` (for rows that come from no file).
 *
 * @param zone - IANA name of the zone in which the rows' times are meant, such as 'Europe/Paris'.
 * @throws {@link StreamsError} `STREAMS_CONFIG` for an unknown zone.
 */
export function eventFormat(zone: string): RowFormat<string, GridEvent> {
  return new EventFormat(Zone.of(zone));
}

class EventFormat implements RowFormat<string, GridEvent> {
  readonly columns: readonly string[] = eventColumns;
  readonly #occurred: CivilTimeReader;
  readonly #arrived: CivilTimeReader;
  #bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes, to read four at once. */
  #words: DataView = new DataView(new ArrayBuffer(0));
  /** The first eight digits of the id_evt read last, as the rows after it mostly have them: four and four bytes, and what they count. */
  #idFirst = zeros;
  #idSecond = zeros;
  #idHigh = 0;

  constructor(zone: Zone) {
    // One each, for what they remember.
    this.#occurred = new CivilTimeReader(zone);
    this.#arrived = new CivilTimeReader(zone);
  }

  timestampOf(event: GridEvent): number {
    return event.occurredAtMs;
  }

  decode(row: RowView, out: DecodedRow<string, GridEvent>): DeadReason | undefined {
    const { bytes, starts, ends } = row;
    const words = bytes === this.#bytes ? this.#words : this.#wordsOf(bytes);
    if (!this.#occurred.read(words, starts[1]!, ends[1]!) || !this.#arrived.read(words, starts[2]!, ends[2]!)) {
      return 'date';
    }
    const type = readEventType(words, starts[3]!, ends[3]!);
    if (type === undefined) return 'event-type';
    const equipmentType = type === 'ev_C' ? 'C' : 'K';
    if (!isEquipmentType(bytes, starts[4]!, ends[4]!, equipmentType)) return 'equipment-type';
    const equipmentId = readId(bytes, starts[5]!, ends[5]!);
    const eventId = this.#readEventId(words, starts[0]!, ends[0]!);
    if (equipmentId < 0 || eventId < 0) return 'id';
    const info = readInfo(bytes, starts[6]!, ends[6]!);
    if (info === undefined) return 'utf8';
    out.key = equipmentKeyOf(equipmentType, equipmentId);
    const { instantMs: occurredAtMs } = this.#occurred;
    const { instantMs: arrivedAtMs } = this.#arrived;
    out.value = { eventId, occurredAtMs, arrivedAtMs, type, equipmentType, equipmentId, info };
    return undefined;
  }

  #readEventId(words: DataView, start: number, end: number): number {
    if (end - start !== eventIdDigits) return -1;
    const first = words.getInt32(start, true);
    const second = words.getInt32(start + 4, true);
    if ((first !== this.#idFirst || second !== this.#idSecond) && !this.#learnId(first, second)) return -1;
    const third = fourDigits(words.getInt32(start + 8, true));
    // The last two, with two zeros before them.
    const fourth = fourDigits((words.getUint16(start + 12, true) << 16) | 0x3030);
    return (third | fourth) < 0 ? -1 : this.#idHigh + (third * 100 + fourth);
  }

  #learnId(first: number, second: number): boolean {
    const a = fourDigits(first);
    const b = fourDigits(second);
    if ((a | b) < 0) return false;
    this.#idFirst = first;
    this.#idSecond = second;
    this.#idHigh = (a * 10_000 + b) * 1_000_000;
    return true;
  }

  /** Rows of one buffer follow each other. */
  #wordsOf(bytes: Uint8Array): DataView {
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#words;
  }
}

function readInfo(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return '';
  try {
    return fromUtf8Strict(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

function readEventType(words: DataView, start: number, end: number): EventType | undefined {
  if (end - start !== 4) return undefined;
  const word = words.getInt32(start, true);
  return word === evC ? 'ev_C' : word === evK ? 'ev_K' : word === evN ? 'ev_N' : undefined;
}

function isEquipmentType(bytes: Uint8Array, start: number, end: number, wanted: EquipmentType): boolean {
  return end - start === 1 && bytes[start] === (wanted === 'C' ? letterC : letterK);
}

function readId(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > mostIdDigits || (digits > 1 && bytes[start] === zero)) return -1;
  return readDigits(bytes, start, end);
}

/** The number of four digits, the first in the lowest byte; -1 if one is no digit. What is above 9 shows when 6 is added to it. */
function fourDigits(word: number): number {
  const digits = word ^ zeros;
  if (((digits | (digits + 0x06060606)) & 0xf0f0f0f0) !== 0) return -1;
  // Two and two of them at once.
  const pairs = (digits * 10 + (digits >>> 8)) & 0xff00ff;
  return (pairs & 255) * 100 + (pairs >>> 16);
}

/** A number of decimal digits; -1 if a byte is none. */
function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - zero;
    if (digit >>> 0 > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
