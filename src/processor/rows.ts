import type { Windowed } from '../serde/windowed.ts';

/** A key's value, and the event time of the newest record that made it. */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestamp: number;
}

/** One row of a window store. */
export interface WindowRow<K, V> {
  readonly windowed: Windowed<K>;
  readonly value: V;
  readonly timestamp: number;
}

/** What was valid from a time on, until the next version: `undefined` when nothing was. */
export interface Version<V> {
  readonly validFromMs: number;
  readonly value: V | undefined;
}
