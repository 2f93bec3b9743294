import { StreamsError } from '../../../../src/common/errors.ts';
import { parseCivilDate } from '../../../../src/common/time/civil.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import type { ReadOnlyVersionedStore, Version, WindowRow } from '../../../../src/runtime/read-only-stores.ts';
import { Windowed } from '../../../../src/serde/windowed.ts';
import { periodWindows } from '../../../../topologies/grid/statistics/period-windows.ts';
import {
  type Counts,
  type EventType,
  type Grouping,
  groupings,
  type Period,
  periods,
  storeName,
} from '../../../../topologies/grid/statistics/statistic.ts';
import type { StatisticStore } from '../../../../topologies/grid/statistics/statistic-stores.ts';

/** A window store of counts in memory. */
export class FakeStore implements StatisticStore {
  readonly kind = 'window';
  readonly name: string;
  /** Ranges that were read, as `key from to` (key * for all). */
  readonly reads: string[] = [];
  /** Rows that were given out. */
  given = 0;
  readonly #rows: Map<string, WindowRow<string, Counts>> = new Map();

  constructor(name: string) {
    this.name = name;
  }

  put(key: string, startMs: number, endMs: number, counts: Counts): void {
    this.#rows.set(`${startMs} ${key}`, {
      windowed: new Windowed(key, startMs, endMs),
      value: counts,
      timestamp: startMs,
    });
  }

  add(key: string, startMs: number, endMs: number, type: EventType, n: number): void {
    const counts = this.#rows.get(`${startMs} ${key}`)?.value ?? { ev_C: 0, ev_K: 0, ev_N: 0 };
    counts[type] += n;
    this.put(key, startMs, endMs, counts);
  }

  async fetch(key: string, startMs: number): Promise<WindowRow<string, Counts> | undefined> {
    return this.#rows.get(`${startMs} ${key}`);
  }

  async *fetchKey(key: string, fromMs: number, toMs: number): AsyncIterable<WindowRow<string, Counts>> {
    this.reads.push(`${key} ${fromMs} ${toMs}`);
    for (const row of this.#sorted()) {
      const { startMs } = row.windowed;
      if (row.windowed.key === key && startMs >= fromMs && startMs < toMs) yield this.#give(row);
    }
  }

  async *fetchAll(fromMs: number, toMs: number): AsyncIterable<WindowRow<string, Counts>> {
    this.reads.push(`* ${fromMs} ${toMs}`);
    for (const row of this.#sorted()) {
      const { startMs } = row.windowed;
      if (startMs >= fromMs && startMs < toMs) yield this.#give(row);
    }
  }

  parseKey(text: string): string {
    return text;
  }

  #give(row: WindowRow<string, Counts>): WindowRow<string, Counts> {
    this.given++;
    return row;
  }

  #sorted(): WindowRow<string, Counts>[] {
    return [...this.#rows.values()].sort(
      (a, b) =>
        a.windowed.startMs - b.windowed.startMs ||
        Buffer.compare(Buffer.from(a.windowed.key), Buffer.from(b.windowed.key)),
    );
  }
}

/** All 24 stores, empty. */
export class FakeStores {
  readonly zone: string;
  readonly #stores: Map<string, FakeStore> = new Map();

  constructor(zone: string) {
    this.zone = zone;
    for (const period of periods) {
      for (const grouping of groupings) {
        const name = storeName(period, grouping);
        this.#stores.set(name, new FakeStore(name));
      }
    }
  }

  readonly get = (name: string): FakeStore => {
    const store = this.#stores.get(name);
    if (store === undefined) throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no store ${name}`);
    return store;
  };

  /** Adds events of the window that starts on a civil date. */
  add(period: Period, grouping: Grouping, windowStart: string, key: string, type: EventType, n: number): void {
    const startMs = Zone.of(this.zone).startOfDay(parseCivilDate(windowStart)!);
    const endMs = periodWindows(period, this.zone).endOf(startMs);
    this.get(storeName(period, grouping)).add(key, startMs, endMs, type, n);
  }
}

/** A park in memory. */
export function fakePark(
  rows: Readonly<Record<string, readonly Version<unknown>[]>>,
): ReadOnlyVersionedStore<string, unknown> & { scans: number } {
  return {
    kind: 'versioned',
    name: 'grid-park',
    scans: 0,
    get: async (key) => rows[key]?.at(-1)?.value,
    async *all() {
      this.scans++;
      for (const [key, versions] of Object.entries(rows)) yield { key, versions };
    },
    parseKey: (text) => text,
  };
}
