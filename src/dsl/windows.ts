import type { WindowEnds } from '../serde/windowed.ts';

/**
 * How event time is cut into windows. Half-open `[start, end)`. Immutable.
 *
 * A record at time `t` is accepted into a window iff `windowEnd > observedStreamTime - grace`.
 */
export interface Windows extends WindowEnds {
  /** How long after a window's end late records still count, ms. */
  readonly graceMs: number;
  /** How long rows are kept after their window's start, ms of operator time. Infinity: for ever. */
  readonly retentionMs: number;
  /** False where each time belongs to exactly one window (tumbling, calendar). */
  readonly overlapping: boolean;
  /** Start of the (for overlapping windows: newest) window that holds `timestampMs`. @throws RangeError if no window holds it. */
  startOf(timestampMs: number): number;
  /** Starts of all windows that hold `timestampMs`, ascending. */
  startsFor(timestampMs: number): readonly number[];
  /** First ms after the window that starts at `startMs`. @throws RangeError if no window starts there. */
  endOf(startMs: number): number;
  /**
   * Whether each window of `finer` lies in exactly one of these, so that a table over `finer` can be rolled up into one over these.
   *
   * Days lie in the ISO weeks, months and years of their own zone; a week lies in no month. Windows lie in themselves unless they overlap.
   * False also where it is not certain: windows of another kind, another zone.
   */
  covers(finer: Windows): boolean;
  /** One line that identifies the windows: part of the saved topology, such as `calendar day Europe/Paris grace 86400000`. */
  describe(): string;
}

/**
 * `valueMs` if it is a length of time that windows can have: an integer, not below `leastMs`.
 *
 * @throws TypeError if it is no number. RangeError if it is too small, or no integer that a double holds exactly. Both name the setting.
 */
export function checkedMs(setting: string, valueMs: number, leastMs: number): number {
  if (typeof valueMs !== 'number') throw new TypeError(`${setting} must be a number of ms, not ${typeof valueMs}`);
  if (!Number.isSafeInteger(valueMs) || valueMs < leastMs) {
    throw new RangeError(`${setting} must be an integer number of ms, ${leastMs} or more, not ${valueMs}`);
  }
  return valueMs;
}

/**
 * `retentionMs` if rows of windows of at most `sizeMs` can be kept so long: Infinity, or at least size + grace, since a window that still
 * takes late records must not lose its row.
 *
 * @throws TypeError if it is no number. RangeError if it is too short.
 */
export function checkedRetentionMs(retentionMs: number, sizeMs: number, graceMs: number): number {
  if (retentionMs === Number.POSITIVE_INFINITY) return retentionMs;
  if (checkedMs('retention', retentionMs, 0) < sizeMs + graceMs) {
    throw new RangeError(
      `retention must be window size + grace or more, ${sizeMs} + ${graceMs} ms, not ${retentionMs}`,
    );
  }
  return retentionMs;
}
