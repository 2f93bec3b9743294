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
  /** Start of the (for overlapping windows: newest) window that holds `timestampMs`. */
  startOf(timestampMs: number): number;
  /** Starts of all windows that hold `timestampMs`, ascending. */
  startsFor(timestampMs: number): readonly number[];
  /** First ms after the window that starts at `startMs`. */
  endOf(startMs: number): number;
  /** One line that identifies the windows: part of the saved topology, such as `calendar day Europe/Paris grace 86400000`. */
  describe(): string;
}
