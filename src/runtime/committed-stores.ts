import type { Database } from '../../state/database.ts';
import { type History, VersionedBytesStore, versionAt } from '../../state/versioned-store.ts';
import type { StoreSpec } from '../processor/node.ts';
import type { ValueAndTimestamp } from '../processor/rows.ts';
import { Windowed } from '../serde/windowed.ts';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
  WindowRow,
} from './read-only-stores.ts';
import { type ByteRows, keyText, keyValueRows, windowRows } from './stores/byte-rows.ts';
import { mergedRows } from './stores/merged-rows.ts';
import { RowValueCodec } from './stores/row-value.ts';

/** Reads a key given as text: as it is where keys are text or numbers, else as JSON. */
function keyParser(spec: StoreSpec): (text: string) => unknown {
  const { name } = spec.keySerde;
  if (name === 'string') return (text) => text;
  return (text) => {
    const value: unknown = JSON.parse(text);
    spec.keySerde.serialize(value);
    return value;
  };
}

/** The rows of each of a store's tasks; a key's row is looked for in the task that its key belongs to. */
export interface StorePlaces {
  readonly prefixes: readonly Uint8Array[];
  /** Which of the tasks has the rows of a key. */
  placeOf(key: unknown): number;
}

/** A store's committed rows: what is in the database, and nothing of any cache. */
export function committedStore(spec: StoreSpec, database: Database, places: StorePlaces): ReadOnlyStore {
  if (spec.kind === 'versioned') return versionedStore(spec, database, places);
  const make = spec.kind === 'window' ? windowRows : keyValueRows;
  const parts = places.prefixes.map((prefix) => make(database, prefix));
  return spec.kind === 'window'
    ? windowStore(spec, database, parts, places)
    : keyValueStore(spec, database, parts, places);
}

function rowOfBytes(
  codec: RowValueCodec<unknown>,
  bytes: Uint8Array | undefined,
): ValueAndTimestamp<unknown> | undefined {
  return bytes === undefined ? undefined : { value: codec.value(bytes), timestamp: codec.timestamp(bytes) };
}

function keyValueStore(
  spec: StoreSpec,
  database: Database,
  parts: readonly ByteRows[],
  places: StorePlaces,
): ReadOnlyKeyValueStore<unknown, unknown> {
  const codec = new RowValueCodec(spec.valueSerde);
  return {
    kind: 'key-value',
    name: spec.name,
    parseKey: keyParser(spec),
    get: (key) => rowOfBytes(codec, parts[places.placeOf(key)]!.read(0, keyText(spec.keySerde, key))),
    async *all() {
      const snapshot = database.snapshot();
      try {
        for (const part of parts)
          for await (const page of part.pages(0, 1, snapshot))
            for (const { key, value } of page)
              yield {
                key: spec.keySerde.deserialize(key),
                value: codec.value(value),
                timestamp: codec.timestamp(value),
              };
      } finally {
        await snapshot.close();
      }
    },
  };
}

function windowStore(
  spec: StoreSpec,
  database: Database,
  parts: readonly ByteRows[],
  places: StorePlaces,
): ReadOnlyWindowStore<unknown, unknown> {
  const codec = new RowValueCodec(spec.valueSerde);
  const windows = spec.windows!;
  const rowOf = (key: unknown, startMs: number, value: Uint8Array): WindowRow<unknown, unknown> => ({
    windowed: new Windowed(key, startMs, windows.endOf(startMs)),
    value: codec.value(value),
    timestamp: codec.timestamp(value),
  });
  return {
    kind: 'window',
    name: spec.name,
    parseKey: keyParser(spec),
    fetch: (key, startMs) => rowOfBytes(codec, parts[places.placeOf(key)]!.read(startMs, keyText(spec.keySerde, key))),
    async *fetchKey(key, fromMs, toMs) {
      const part = parts[places.placeOf(key)]!;
      const text = keyText(spec.keySerde, key);
      const snapshot = database.snapshot();
      try {
        for (const startMs of await part.starts(snapshot)) {
          const value = startMs >= fromMs && startMs < toMs ? part.read(startMs, text, snapshot) : undefined;
          if (value !== undefined) yield rowOf(key, startMs, value);
        }
      } finally {
        await snapshot.close();
      }
    },
    async *fetchAll(fromMs, toMs) {
      const snapshot = database.snapshot();
      try {
        const pages = parts.map((part) => part.pages(fromMs, toMs, snapshot));
        for await (const page of mergedRows(pages))
          for (const { startMs, key, value } of page) yield rowOf(spec.keySerde.deserialize(key), startMs, value);
      } finally {
        await snapshot.close();
      }
    },
  };
}

function versionedStore(
  spec: StoreSpec,
  database: Database,
  places: StorePlaces,
): ReadOnlyVersionedStore<unknown, unknown> {
  const parts = places.prefixes.map((prefix) => new VersionedBytesStore(database, prefix));
  const decode = (history: History<Uint8Array>): { readonly validFromMs: number; readonly value: unknown }[] =>
    history.map(({ validFromMs, value }) => ({
      validFromMs,
      value: value === null ? undefined : spec.valueSerde.deserialize(value),
    }));
  return {
    kind: 'versioned',
    name: spec.name,
    parseKey: keyParser(spec),
    get(key, asOfMs) {
      const found = versionAt(parts[places.placeOf(key)]!.history(spec.keySerde.serialize(key)), asOfMs);
      return found === undefined ? undefined : spec.valueSerde.deserialize(found.value);
    },
    async *all() {
      const snapshot = database.snapshot();
      try {
        for (const part of parts)
          for await (const page of part.range({}, snapshot))
            for (const { key, history } of page)
              yield { key: spec.keySerde.deserialize(key), versions: decode(history) };
      } finally {
        await snapshot.close();
      }
    },
  };
}
