import { compareBytes } from '../common/bytes.ts';
import { Windowed } from '../serde/windowed.ts';
import { eventTime, wholeMs } from './event-time.ts';
import type { NodeContext } from './node.ts';
import type { KeyValueStore, VersionedKeyValueStore, WindowRow, WindowStore } from './state-store.ts';

/** A task's key-value store for a processor. */
export function keyValueStoreOf<K, V>(context: NodeContext, name: string): KeyValueStore<K, V> {
  const table = context.table<K, V>(name);
  if (table.windowed)
    throw new TypeError(
      `store ${name} has rows of windows, as tables of windowed keys have: ask for it with windowStore()`,
    );
  return {
    name,
    get: (key) => table.read(key, 0)?.value,
    put(key, value, timestampMs = Math.max(0, context.streamTimeMs)) {
      table.set(key, 0, value, eventTime(timestampMs, `a row of store ${name}`));
    },
    delete(key) {
      const old = table.read(key, 0)?.value;
      table.set(key, 0, undefined, Math.max(0, context.streamTimeMs));
      return old;
    },
    async *range(from, to) {
      const low = from === undefined ? undefined : table.keySerde.serialize(from);
      const high = to === undefined ? undefined : table.keySerde.serialize(to);
      for await (const page of table.rows())
        for (const { key, value } of page) {
          if (value === undefined) continue;
          const bytes = table.keySerde.serialize(key);
          if (low !== undefined && compareBytes(bytes, low) < 0) continue;
          if (high !== undefined && compareBytes(bytes, high) > 0) continue;
          yield [key, value] as const;
        }
    },
  };
}

/**
 * A task's window store for a processor. The newest window in which there was a row ends the retention of others.
 *
 * Kafka Streams: `state/internals/InMemoryWindowStore.java`.
 */
export function windowStoreOf<K, V>(context: NodeContext, name: string, nodeName: string): WindowStore<K, V> {
  const table = context.table<K, V>(name);
  if (!table.windowed) throw new TypeError(`store ${name} has no windows: ask for it with keyValueStore()`);
  const { retentionMs } = table;
  let knownStart = Number.NaN;
  let newest = Number.NEGATIVE_INFINITY;
  const begin = (startMs: number): void => {
    newest = startMs;
    table.expireBefore(startMs - retentionMs + 1);
  };
  const known = table.startsIn(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).at(-1);
  if (known !== undefined) begin(known);
  return {
    name,
    fetch: (key, startMs) => table.read(key, startMs)?.value,
    put(key, value, startMs, timestampMs = Math.max(0, startMs)) {
      if (startMs !== knownStart) {
        // A row in a window that is none could be written, and made every listing of the store fail.
        table.endOf(wholeMs(startMs, `the start of a window of store ${name}`));
        knownStart = startMs;
      }
      if (startMs > newest) begin(startMs);
      if (startMs <= newest - retentionMs) {
        context.dropLate(nodeName, newest - startMs);
        return;
      }
      table.set(key, startMs, value, eventTime(timestampMs, `a row of store ${name}`));
    },
    async *fetchRange(key, fromMs, toMs): AsyncGenerator<WindowRow<K, V>> {
      for (const startMs of table.startsIn(fromMs, toMs)) {
        const row = table.read(key, startMs);
        if (row !== undefined) yield { windowed: new Windowed(key, startMs, table.endOf(startMs)), ...row };
      }
    },
  };
}

/** A task's versioned store for a processor. */
export function versionedStoreOf<K, V>(context: NodeContext, name: string): VersionedKeyValueStore<K, V> {
  const table = context.versioned<K, V>(name);
  return {
    name,
    get: (key, asOfMs) => (asOfMs === undefined ? table.latest(key) : table.get(key, asOfMs)),
    put(key, value, validFromMs) {
      if (table.global) throw new TypeError(`store ${name} is a global table: processors only read it`);
      table.put(key, value, wholeMs(validFromMs, `the time from which a version of store ${name} is valid`));
    },
    history: (key) => table.history(key),
  };
}
