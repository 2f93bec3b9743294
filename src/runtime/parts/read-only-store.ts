import { decodeHistory, versionAt } from '../../../state/versioned-store.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { ValueAndTimestamp, Version } from '../../processor/rows.ts';
import { Windowed, WindowedSerde } from '../../serde/windowed.ts';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
  WindowRow,
} from '../read-only-stores.ts';
import { placement } from '../runtime-nodes.ts';
import { mergedRows } from '../stores/merged-rows.ts';
import { RowValueCodec } from '../stores/row-value.ts';
import { type StorePart, wholeTime } from './store-part.ts';
import { inTurns } from './turns.ts';

/** The partition that has the rows of a key. */
export type PlaceOf = (key: unknown) => number;

/**
 * A store as its topology knows it, over the parts it is spread over.
 *
 * @param parts - All its partitions: a range over fewer would be a short answer. In any order.
 * @param placeOf - @defaultValue as records are placed: by the bytes of the (base) key over the parts' partitions, 0 to n - 1
 */
export function readOnlyStore(
  spec: StoreSpec,
  parts: readonly StorePart[],
  placeOf: PlaceOf = keyPlacement(spec, parts),
): ReadOnlyStore {
  const store = new PartedStore(spec, parts, placeOf);
  if (spec.kind === 'versioned') return versionedStore(store);
  return spec.kind === 'window' ? windowStore(store) : keyValueStore(store);
}

/** The partition of a key where its records are placed by the key's bytes. A store of one part, such as a global one, has all keys there. */
export function keyPlacement(spec: StoreSpec, parts: readonly StorePart[]): PlaceOf {
  if (parts.length !== 1) return placement(spec.keySerde, parts.length);
  const [{ partition }] = parts as [StorePart];
  return () => partition;
}

/** What stores of all kinds have in common. */
class PartedStore {
  readonly spec: StoreSpec;
  readonly #parts: ReadonlyMap<number, StorePart>;
  readonly #placeOf: PlaceOf;

  constructor(spec: StoreSpec, parts: readonly StorePart[], placeOf: PlaceOf) {
    this.spec = spec;
    this.#parts = new Map(parts.map((part) => [part.partition, part]));
    this.#placeOf = placeOf;
  }

  partOf(key: unknown): StorePart {
    const partition = this.#placeOf(key);
    const part = this.#parts.get(partition);
    if (part !== undefined) return part;
    throw new StreamsError(
      'STREAMS_TASK_MIGRATED',
      `partition ${partition} of store ${this.spec.name} is nowhere to be read. Ask again.`,
      { partition, retriable: true },
    );
  }

  rows(fromMs: number, toMs: number): ReturnType<typeof mergedRows> {
    return mergedRows([...this.#parts.values()].map((part) => part.rows(fromMs, toMs)));
  }

  /** Reads a key given as text: as it is where keys are text, as digits where they are bigints, else as JSON; a windowed one as `{"key": "a", "startMs": 0}`. */
  parseKey(text: string): unknown {
    const { keySerde } = this.spec;
    if (keySerde.name === 'string') return text;
    // A number of JSON would lose the digits that bigints are for.
    if (keySerde.name === 'bigint') return keySerde.deserialize(keySerde.serialize(BigInt(text)));
    const value = keySerde instanceof WindowedSerde ? windowedOf(keySerde, JSON.parse(text)) : JSON.parse(text);
    keySerde.serialize(value);
    return value;
  }
}

function windowedOf(serde: WindowedSerde<unknown>, json: unknown): Windowed<unknown> {
  const { key, startMs } = (json ?? {}) as Partial<Windowed<unknown>>;
  if (startMs === undefined) throw new Error('a windowed key is written as {"key": KEY, "startMs": START}');
  const base = serde.inner instanceof WindowedSerde ? windowedOf(serde.inner, key) : key;
  return new Windowed(base, startMs, serde.windows.endOf(startMs));
}

function rowOfBytes(
  codec: RowValueCodec<unknown>,
  bytes: Uint8Array | undefined,
): ValueAndTimestamp<unknown> | undefined {
  return bytes === undefined ? undefined : { value: codec.value(bytes), timestamp: codec.timestamp(bytes) };
}

function keyValueStore(store: PartedStore): ReadOnlyKeyValueStore<unknown, unknown> {
  const { name, keySerde, valueSerde } = store.spec;
  const codec = new RowValueCodec(valueSerde);
  return {
    kind: 'key-value',
    name,
    parseKey: (text) => store.parseKey(text),
    get: async (key) => rowOfBytes(codec, await store.partOf(key).get(0, keySerde.serialize(key))),
    async *all() {
      for await (const rows of inTurns(store.rows(wholeTime.fromMs, wholeTime.toMs)))
        for (const { key, value } of rows)
          yield { key: keySerde.deserialize(key), value: codec.value(value), timestamp: codec.timestamp(value) };
    },
  };
}

function windowStore(store: PartedStore): ReadOnlyWindowStore<unknown, unknown> {
  const { name, keySerde, valueSerde } = store.spec;
  const codec = new RowValueCodec(valueSerde);
  const windows = store.spec.windows!;
  const rowOf = (key: unknown, startMs: number, value: Uint8Array): WindowRow<unknown, unknown> => ({
    windowed: new Windowed(key, startMs, windows.endOf(startMs)),
    value: codec.value(value),
    timestamp: codec.timestamp(value),
  });
  return {
    kind: 'window',
    name,
    parseKey: (text) => store.parseKey(text),
    fetch: async (key, startMs) => rowOfBytes(codec, await store.partOf(key).get(startMs, keySerde.serialize(key))),
    async *fetchKey(key, fromMs, toMs) {
      for await (const rows of inTurns(store.partOf(key).rowsOfKey(keySerde.serialize(key), fromMs, toMs)))
        for (const { startMs, value } of rows) yield rowOf(key, startMs, value);
    },
    async *fetchAll(fromMs, toMs) {
      for await (const rows of inTurns(store.rows(fromMs, toMs)))
        for (const { startMs, key, value } of rows) yield rowOf(keySerde.deserialize(key), startMs, value);
    },
  };
}

function versionedStore(store: PartedStore): ReadOnlyVersionedStore<unknown, unknown> {
  const { name, keySerde, valueSerde } = store.spec;
  const versionsOf = (history: Uint8Array): readonly Version<unknown>[] =>
    decodeHistory(history).map(({ validFromMs, value }) => ({
      validFromMs,
      value: value === null ? undefined : valueSerde.deserialize(value),
    }));
  return {
    kind: 'versioned',
    name,
    parseKey: (text) => store.parseKey(text),
    async get(key, asOfMs) {
      const history = await store.partOf(key).get(0, keySerde.serialize(key));
      const found = history === undefined ? undefined : versionAt(decodeHistory(history), asOfMs);
      return found === undefined ? undefined : valueSerde.deserialize(found.value);
    },
    async *all() {
      for await (const rows of inTurns(store.rows(wholeTime.fromMs, wholeTime.toMs)))
        for (const { key, value } of rows) yield { key: keySerde.deserialize(key), versions: versionsOf(value) };
    },
  };
}
