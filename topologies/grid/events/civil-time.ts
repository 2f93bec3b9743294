import { daysFromCivil, isCivilDate } from '../../../src/common/time/civil.ts';
import type { Zone } from '../../../src/common/time/zone.ts';

const slots = 64;
const dash = 0x2d;
const zero = 0x30;
const space = 0x20;
/** Length of 'YYYY-MM-DD HH:MM:SS'. */
const textLength = 19;
const firstYear = 1900;
const lastYear = 2200;

/**
 * Reads civil times of a zone from bytes: 'YYYY-MM-DD HH:MM:SS', years 1900 to 2200, nothing else.
 *
 * Rows come in runs of few days, so the days read last are remembered by their bytes, each in the slot of its day of the month. A time of a
 * known day costs five 4-byte loads and a little arithmetic.
 */
export class CivilTimeReader {
  readonly #zone: Zone;
  /** Per slot the eleven bytes 'YYYY-MM-DD ', packed: four, four and three. -1 is no three bytes: nothing is known there. */
  readonly #words: Int32Array = new Int32Array(slots * 3).fill(-1);
  readonly #days: Int32Array = new Int32Array(slots);
  /**
   * The time read last, for rows that arrived together have the same, and its instant: a result would be an object of its own for each row. At first none that bytes
   * can be, for the third and the fourth share one.
   */
  readonly #last: Int32Array = Int32Array.of(0, 0, 0, -1, 0);
  readonly #instant: Float64Array = new Float64Array(1);

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** The instant of the time read last, ms. */
  get instantMs(): number {
    return this.#instant[0]!;
  }

  /** Reads the civil time at `[start .. end)` of the bytes; false if there is none: bad text, no such date, or a day that the zone left out. */
  read(bytes: DataView, start: number, end: number): boolean {
    if (end - start !== textLength) return false;
    const year = bytes.getInt32(start, true);
    const month = bytes.getInt32(start + 4, true);
    const date = bytes.getInt32(start + 8, true);
    const hour = bytes.getInt32(start + 11, true);
    const minute = bytes.getInt32(start + 15, true);
    const last = this.#last;
    if (minute === last[4] && hour === last[3] && date === last[2] && month === last[1] && year === last[0]) {
      return true;
    }
    const slot = ((date & 3) << 4) | ((date >>> 8) & 15);
    const at = slot * 3;
    const words = this.#words;
    const day = date & 0xffffff;
    if (words[at] !== year || words[at + 1] !== month || words[at + 2] !== day) {
      if (!this.#learn(bytes, start, slot)) return false;
      words[at] = year;
      words[at + 1] = month;
      words[at + 2] = day;
    }
    const msOfDay = timeOf(hour, minute);
    if (msOfDay < 0) return false;
    last[0] = year;
    last[1] = month;
    last[2] = date;
    last[3] = hour;
    last[4] = minute;
    this.#instant[0] = this.#zone.toMs(this.#days[slot]!, msOfDay);
    return true;
  }

  #learn(bytes: DataView, start: number, slot: number): boolean {
    if (bytes.getUint8(start + 4) !== dash || bytes.getUint8(start + 7) !== dash) return false;
    if (bytes.getUint8(start + 10) !== space) return false;
    const century = twoDigits(bytes, start);
    const yearOfCentury = twoDigits(bytes, start + 2);
    const month = twoDigits(bytes, start + 5);
    const date = twoDigits(bytes, start + 8);
    const year = century * 100 + yearOfCentury;
    if (century < 0 || yearOfCentury < 0 || year < firstYear || year > lastYear || !isCivilDate(year, month, date)) {
      return false;
    }
    const day = daysFromCivil(year, month, date);
    if (!this.#zone.exists(day)) return false;
    this.#days[slot] = day;
    return true;
  }
}

/**
 * The ms of the day of 'HH:MM:SS', given as 'HH:M' and 'M:SS', the first byte lowest; -1 if it is no time.
 *
 * All bytes are judged at once: xor with '00:0' and '0:00' leaves 0 to 9 of a digit and 0 of a colon; what is above 9, or above 15 when 6 is added to it, is none.
 */
function timeOf(first: number, second: number): number {
  const a = first ^ 0x303a3030;
  const b = second ^ 0x30303a30;
  if ((((a | (a + 0x06000606)) & 0xf0fff0f0) | ((b | (b + 0x06060006)) & 0xf0f0fff0)) !== 0) return -1;
  const hours = (a & 15) * 10 + ((a >>> 8) & 15);
  const minutes = (a >>> 24) * 10 + (b & 15);
  const seconds = ((b >>> 16) & 15) * 10 + (b >>> 24);
  return hours > 23 || minutes > 59 || seconds > 59 ? -1 : (hours * 3600 + minutes * 60 + seconds) * 1000;
}

/** A number of two digits; -1 if one is no digit. */
function twoDigits(bytes: DataView, at: number): number {
  const tens = bytes.getUint8(at) - zero;
  const ones = bytes.getUint8(at + 1) - zero;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}
