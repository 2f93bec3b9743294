import { StreamsError } from '../../src/common/errors.ts';
import type { ServedEngine } from '../../src/http/served-engine.ts';
import type { EngineStats } from '../../src/runtime/engine-stats.ts';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
} from '../../src/runtime/read-only-stores.ts';
import { Windowed } from '../../src/serde/windowed.ts';
import { engineStats } from '../observability/fake-stats.ts';

/** A key-value store in memory. `onClose` is told when a range that was begun is closed. */
export function keyValueStore(
  name: string,
  rows: Readonly<Record<string, unknown>>,
  onClose: () => void = () => {},
): ReadOnlyKeyValueStore<string, unknown> {
  return {
    kind: 'key-value',
    name,
    get: async (key) => (Object.hasOwn(rows, key) ? { value: rows[key], timestamp: 1 } : undefined),
    async *all() {
      try {
        for (const [key, value] of Object.entries(rows)) yield { key, value, timestamp: 1 };
      } finally {
        onClose();
      }
    },
    parseKey(text) {
      if (text === 'bad') throw new Error('keys are not bad');
      return text;
    },
  };
}

/** An endless store: it counts the rows that were taken from it. */
export function endlessStore(name: string): ReadOnlyKeyValueStore<number, string> & { taken: number; closed: number } {
  return {
    kind: 'key-value',
    name,
    taken: 0,
    closed: 0,
    get: async () => undefined,
    async *all() {
      try {
        for (let key = 0; ; key++) {
          this.taken++;
          yield { key, value: 'x'.repeat(1000), timestamp: 1 };
        }
      } finally {
        this.closed++;
      }
    },
    parseKey: Number,
  };
}

/** A window store in memory, windows of 1000 ms. */
export function windowStore(
  name: string,
  rows: readonly [key: string, startMs: number, value: unknown][],
): ReadOnlyWindowStore<string, unknown> {
  const all = rows.map(([key, startMs, value]) => ({
    windowed: new Windowed(key, startMs, startMs + 1000),
    value,
    timestamp: startMs,
  }));
  return {
    kind: 'window',
    name,
    fetch: async () => undefined,
    async *fetchKey(key, fromMs, toMs) {
      for await (const row of this.fetchAll(fromMs, toMs)) if (row.windowed.key === key) yield row;
    },
    async *fetchAll(fromMs, toMs) {
      for (const row of all) if (row.windowed.startMs >= fromMs && row.windowed.startMs < toMs) yield row;
    },
    parseKey: (text) => text,
  };
}

/** A versioned store in memory with one key, `C:8`: 'a' from 1000 ms, 'b' from 2000 ms, nothing from 3000 ms. */
export function versionedStore(name: string): ReadOnlyVersionedStore<string, unknown> {
  const versions = [
    { validFromMs: 1000, value: 'a' },
    { validFromMs: 2000, value: 'b' },
    { validFromMs: 3000, value: undefined },
  ];
  return {
    kind: 'versioned',
    name,
    get: async (key, asOfMs = 9999) =>
      key === 'C:8' ? versions.findLast(({ validFromMs }) => validFromMs <= asOfMs)?.value : undefined,
    async *all() {
      yield { key: 'C:8', versions };
    },
    parseKey: (text) => text,
  };
}

/** An engine that only has stores and stats. */
export function fakeEngine(
  stores: readonly ReadOnlyStore[] = [],
  stats: () => EngineStats = () => engineStats(),
): ServedEngine {
  return {
    stats,
    describeTopology: (format) => (format === 'json' ? '{"sub":[]}' : `topology as ${format}`),
    storeNames: () => stores.map((store) => store.name),
    store(name) {
      const found = stores.find((store) => store.name === name);
      if (found === undefined) throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no store "${name}"`);
      return found;
    },
  };
}
