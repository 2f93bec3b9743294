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
const letterN = 0x4e;
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
  readonly #times: CivilTimeReader;

  constructor(zone: Zone) {
    this.#times = new CivilTimeReader(zone);
  }

  timestampOf(event: GridEvent): number {
    return event.occurredAtMs;
  }

  decode(row: RowView, out: DecodedRow<string, GridEvent>): DeadReason | undefined {
    const { bytes, starts, ends } = row;
    const occurredAtMs = this.#times.read(bytes, starts[1]!, ends[1]!);
    const arrivedAtMs = this.#times.read(bytes, starts[2]!, ends[2]!);
    if (Number.isNaN(occurredAtMs) || Number.isNaN(arrivedAtMs)) return 'date';
    const type = readEventType(bytes, starts[3]!, ends[3]!);
    if (type === undefined) return 'event-type';
    const equipmentType = type === 'ev_C' ? 'C' : 'K';
    if (!isEquipmentType(bytes, starts[4]!, ends[4]!, equipmentType)) return 'equipment-type';
    const equipmentId = readId(bytes, starts[5]!, ends[5]!);
    const eventId = readEventId(bytes, starts[0]!, ends[0]!);
    if (equipmentId < 0 || eventId < 0) return 'id';
    const info = readInfo(bytes, starts[6]!, ends[6]!);
    if (info === undefined) return 'utf8';
    out.key = equipmentKeyOf(equipmentType, equipmentId);
    out.value = { eventId, occurredAtMs, arrivedAtMs, type, equipmentType, equipmentId, info };
    return undefined;
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

function readEventType(bytes: Uint8Array, start: number, end: number): EventType | undefined {
  // 'ev_' as one number, so that the common case is one comparison.
  if (end - start !== 4 || ((bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!) !== 0x65765f) {
    return undefined;
  }
  const letter = bytes[start + 3];
  return letter === letterC ? 'ev_C' : letter === letterK ? 'ev_K' : letter === letterN ? 'ev_N' : undefined;
}

function isEquipmentType(bytes: Uint8Array, start: number, end: number, wanted: EquipmentType): boolean {
  return end - start === 1 && bytes[start] === (wanted === 'C' ? letterC : letterK);
}

function readId(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > mostIdDigits || (digits > 1 && bytes[start] === zero)) return -1;
  return readDigits(bytes, start, end);
}

function readEventId(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== eventIdDigits) return -1;
  // In two halves, which are small integers: cheaper than fourteen steps in floating point.
  const middle = start + eventIdDigits / 2;
  const high = readDigits(bytes, start, middle);
  const low = readDigits(bytes, middle, end);
  return high < 0 || low < 0 ? -1 : high * 10_000_000 + low;
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
