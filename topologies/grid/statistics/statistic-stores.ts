import { dayMs, firstCivilDay, lastCivilDay } from '../../../src/common/time/civil.ts';
import type { ReadOnlyWindowStore, StoreReadOptions } from '../../../src/runtime/read-only-stores.ts';
import type { Counts } from './statistic.ts';

/** The store of one statistic, to read. */
export type StatisticStore = ReadOnlyWindowStore<string, Counts>;

/** The statistics' stores by name. */
export type StatisticStores = (name: string, options?: StoreReadOptions) => StatisticStore;

/** `[fromMs, toMs)` with every window in it. */
export const allTime: { readonly fromMs: number; readonly toMs: number } = {
  fromMs: firstCivilDay * dayMs,
  toMs: (lastCivilDay + 1) * dayMs,
};
