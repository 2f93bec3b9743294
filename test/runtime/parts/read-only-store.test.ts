import test from 'ava';
import { partitionOf, utf8 } from '../../../src/common/bytes.ts';
import { type Serde, Serdes, TimeWindows, Windowed, WindowedSerde } from '../../../src/index.ts';
import { lazyParts } from '../../../src/runtime/parts/lazy-parts.ts';
import { migratingPart } from '../../../src/runtime/parts/missing-part.ts';
import { readOnlyStore } from '../../../src/runtime/parts/read-only-store.ts';
import type { StorePart } from '../../../src/runtime/parts/store-part.ts';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
} from '../../../src/runtime/read-only-stores.ts';
import type { ByteRow } from '../../../src/runtime/stores/byte-rows.ts';
import { encodeHistory } from '../../../state/versioned-store.ts';
import { arrayPart, row, textStore } from './byte-parts.ts';

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of rows) found.push(each);
  return found;
}

/** Rows in the partitions that the broker would give their keys. */
function spread(rows: readonly ByteRow[], partitions: number): StorePart[] {
  return Array.from({ length: partitions }, (_, partition) =>
    arrayPart(
      partition,
      rows.filter(({ key }) => partitionOf(key, partitions) === partition),
    ),
  );
}

const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);

test('a key of a key-value store is looked for in its own partition only', async (t) => {
  const parts = spread(
    keys.map((key, i) => row(0, key, `v${i}`, i)),
    4,
  );
  const asked: number[] = [];
  const watched = parts.map((part) => ({
    ...part,
    get(startMs: number, key: Uint8Array) {
      asked.push(part.partition);
      return part.get(startMs, key);
    },
  }));
  const store = readOnlyStore(textStore('key-value'), watched.reverse()) as ReadOnlyKeyValueStore<string, string>;
  for (const [i, key] of keys.entries()) t.deepEqual(await store.get(key), { value: `v${i}`, timestamp: i });
  t.deepEqual(
    asked,
    keys.map((key) => partitionOf(utf8(key), 4)),
  );
  t.is(await store.get('none'), undefined);
});

test('all rows of a key-value store come in the order of their keys, whatever their partitions', async (t) => {
  const store = readOnlyStore(
    textStore('key-value'),
    spread(
      keys.map((key) => row(0, key, `of ${key}`, 9)),
      3,
    ),
  ) as ReadOnlyKeyValueStore<string, string>;
  t.deepEqual(
    await all(store.all()),
    [...keys].sort().map((key) => ({ key, value: `of ${key}`, timestamp: 9 })),
  );
});

test('a window store answers for a window, for a key over time, and for all by start and key', async (t) => {
  const rows = keys.flatMap((key) => [0, 10, 20].map((startMs) => row(startMs, key, `${key}@${startMs}`, startMs + 1)));
  const store = readOnlyStore(textStore('window'), spread(rows, 5)) as ReadOnlyWindowStore<string, string>;
  t.deepEqual(await store.fetch('key-7', 10), { value: 'key-7@10', timestamp: 11 });
  t.is(await store.fetch('key-7', 30), undefined);
  const windows = (found: Awaited<ReturnType<typeof everything>>): string[] =>
    found.map(({ windowed, value }) => `${windowed.key} [${windowed.startMs}, ${windowed.endMs}) ${value}`);
  const everything = (fromMs: number, toMs: number) => all(store.fetchAll(fromMs, toMs));
  t.deepEqual(windows(await all(store.fetchKey('key-7', 5, 25))), [
    'key-7 [10, 20) key-7@10',
    'key-7 [20, 30) key-7@20',
  ]);
  const expected = [10, 20].flatMap((startMs) =>
    [...keys].sort().map((key) => `${key} [${startMs}, ${startMs + 10}) ${key}@${startMs}`),
  );
  t.deepEqual(windows(await everything(1, Number.POSITIVE_INFINITY)), expected);
});

test('a versioned store with one part, whatever its number, has all keys there', async (t) => {
  const history = encodeHistory([
    { validFromMs: 100, value: utf8('a') },
    { validFromMs: 200, value: null },
    { validFromMs: 300, value: utf8('c') },
  ]);
  const part = arrayPart(0xffff, [{ startMs: 0, key: utf8('k'), value: history }]);
  const store = readOnlyStore(textStore('versioned'), [part]) as ReadOnlyVersionedStore<string, string>;
  t.is(await store.get('k', 99), undefined);
  t.is(await store.get('k', 199), 'a');
  t.is(await store.get('k', 250), undefined);
  t.is(await store.get('k'), 'c');
  t.is(await store.get('none'), undefined);
  t.deepEqual(await all(store.all()), [
    {
      key: 'k',
      versions: [
        { validFromMs: 100, value: 'a' },
        { validFromMs: 200, value: undefined },
        { validFromMs: 300, value: 'c' },
      ],
    },
  ]);
});

test('a partition on its way fails what needs it, and nothing else', async (t) => {
  const parts = spread(
    keys.map((key) => row(0, key, 'v')),
    4,
  );
  parts[2] = migratingPart('texts', 2);
  const store = readOnlyStore(textStore('key-value'), parts) as ReadOnlyKeyValueStore<string, string>;
  for (const key of keys) {
    if (partitionOf(utf8(key), 4) !== 2) t.is((await store.get(key))?.value, 'v');
    else await t.throwsAsync(async () => store.get(key), { code: 'STREAMS_TASK_MIGRATED' });
  }
  const error = await t.throwsAsync(all(store.all()), { code: 'STREAMS_TASK_MIGRATED' });
  t.is(error!.message, 'partition 2 of store texts is on its way to another instance. Ask again in a second.');
  t.true((error as { retriable?: boolean }).retriable);
});

test('a key whose partition nobody gave is an error, not an absent key', async (t) => {
  const parts = spread(
    keys.map((key) => row(0, key, 'v')),
    4,
  ).slice(0, 3);
  const store = readOnlyStore(textStore('key-value'), parts, (key) => partitionOf(utf8(String(key)), 4));
  const lost = keys.find((key) => partitionOf(utf8(key), 4) === 3)!;
  await t.throwsAsync(async () => (store as ReadOnlyKeyValueStore<unknown, unknown>).get(lost), {
    code: 'STREAMS_TASK_MIGRATED',
  });
});

test('lazy parts are made once, when one of them is read', async (t) => {
  let loads = 0;
  const made = spread(
    keys.map((key) => row(0, key, 'v')),
    3,
  );
  const parts = lazyParts(3, async () => {
    loads++;
    return made;
  });
  const store = readOnlyStore(textStore('key-value'), parts) as ReadOnlyKeyValueStore<string, string>;
  t.is(loads, 0);
  const [found, rows] = await Promise.all([store.get('key-3'), all(store.all())]);
  t.is(found?.value, 'v');
  t.is(rows.length, keys.length);
  t.is(loads, 1);
});

test('windowed keys of a key-value store are written as JSON, of windows of windows too', async (t) => {
  const tens = new WindowedSerde(Serdes.string, TimeWindows.ofSizeWithNoGrace(10));
  const keySerde = new WindowedSerde(tens, TimeWindows.ofSizeWithNoGrace(30));
  const keyed = (serde: Serde<unknown>): ReadOnlyKeyValueStore<unknown, unknown> =>
    readOnlyStore({ ...textStore('key-value'), keySerde: serde }, [arrayPart(0, [])]) as ReadOnlyKeyValueStore<
      unknown,
      unknown
    >;
  const flat = keyed(tens as Serde<unknown>);
  t.deepEqual(flat.parseKey('{"key":"a","startMs":10}'), new Windowed('a', 10, 20));
  t.deepEqual(
    keyed(keySerde as Serde<unknown>).parseKey('{"key":{"key":"a","startMs":10},"startMs":0}'),
    new Windowed(new Windowed('a', 10, 20), 0, 30),
  );
  t.throws(() => flat.parseKey('"a"'), { message: /a windowed key is written as/ });
  t.throws(() => flat.parseKey('{"key":"a","startMs":3}'), { message: /no window starts at 3/ });
});
