import assert from 'node:assert/strict';
import type { Database, DatabaseFactory, Entry, WriteBatch } from '../../state/database.ts';
import { KeyValueBytesStore } from '../../state/key-value-store.ts';
import { PagedWindowStore, type WindowRow } from '../../state/paged-window-store.ts';
import { type History, VersionedBytesStore } from '../../state/versioned-store.ts';
import { concatBytes } from '../common/bytes.ts';
import { type ConformanceCase, withDatabase } from './database-conformance.ts';

/**
 * The conformance suite of the byte stores (key-value, window, versioned) over a database: an adapter of the database port that passes it holds
 * the state of a topology.
 *
 * @param factory - Opens the adapter. Each case has a new folder below the system's temporary one, and removes it.
 */
export function byteStoresConformance(factory: DatabaseFactory): readonly ConformanceCase[] {
  return cases.map(([title, check]) => ({ title, run: () => withDatabase(factory, check) }));
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const dayMs = 86_400_000;

/** A store under prefix 7, between rows that belong to others. */
async function amongOthers<S>(
  database: Database,
  make: (database: Database, prefix: Uint8Array) => S,
): Promise<{ readonly store: S; readonly othersAreThere: () => void }> {
  const others = [
    bytes(),
    bytes(6),
    bytes(6, 255, 255, 255, 255, 255, 255, 255, 255, 255),
    bytes(8),
    bytes(8, 0),
    bytes(255),
  ];
  await change(database, (batch) => {
    for (const other of others) batch.put(other, bytes(99));
  });
  const prefix = bytes(7);
  const store = make(database, prefix);
  prefix[0] = 0;
  return {
    store,
    othersAreThere: () => {
      for (const other of others) assert.deepEqual(database.get(other), bytes(99));
    },
  };
}

async function change(database: Database, add: (batch: WriteBatch) => void): Promise<void> {
  const batch = database.batch();
  add(batch);
  await batch.write({ sync: false });
}

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const rows: T[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

async function keysOf(pages: AsyncIterable<readonly Entry[]>): Promise<number[][]> {
  return (await all(pages)).map(([key]) => [...key]);
}

async function rowsOf(pages: AsyncIterable<readonly WindowRow[]>): Promise<string[]> {
  return (await all(pages)).map(({ startMs, key, value }) => `${startMs} ${key.join('.')}=${value.join('.')}`);
}

const keyValueCases: readonly (readonly [string, (database: Database) => Promise<void>])[] = [
  [
    'a key-value store reads what was written, under its prefix only',
    async (database) => {
      const { store, othersAreThere } = await amongOthers(database, (db, prefix) => new KeyValueBytesStore(db, prefix));
      const batch = database.batch();
      const key = bytes(1, 2);
      store.put(batch, key, bytes(3));
      key[1] = 3;
      store.put(batch, key, bytes(4));
      store.put(batch, bytes(), bytes(5));
      store.put(batch, bytes(255), bytes());
      assert.equal(store.get(bytes(1, 2)), undefined, 'a batch is not seen before it is written');
      await batch.write({ sync: false });
      assert.deepEqual(store.get(bytes(1, 2)), bytes(3));
      assert.deepEqual(database.get(bytes(7, 1, 3)), bytes(4));
      assert.deepEqual(await store.getMany([bytes(255), bytes(9), bytes()]), [bytes(), undefined, bytes(5)]);
      await change(database, (next) => store.del(next, bytes(1, 2)));
      assert.equal(store.get(bytes(1, 2)), undefined);
      assert.deepEqual(await keysOf(store.range()), [[], [1, 3], [255]]);
      othersAreThere();
    },
  ],
  [
    'a key-value store gives ranges with any kind of bound, the prefix stripped',
    async (database) => {
      const { store } = await amongOthers(database, (db, prefix) => new KeyValueBytesStore(db, prefix));
      await change(database, (batch) => {
        for (const key of [[], [0], [1], [1, 0], [2], [255], [255, 255]]) store.put(batch, bytes(...key), bytes(1));
      });
      assert.deepEqual(await keysOf(store.range()), [[], [0], [1], [1, 0], [2], [255], [255, 255]]);
      assert.deepEqual(await keysOf(store.range({ reverse: true, limit: 2 })), [[255, 255], [255]]);
      assert.deepEqual(await keysOf(store.range({ gte: bytes(1), lt: bytes(2) })), [[1], [1, 0]]);
      assert.deepEqual(await keysOf(store.range({ gt: bytes(1), lte: bytes(2) })), [[1, 0], [2]]);
      assert.deepEqual(await keysOf(store.range({ gt: bytes() })), [[0], [1], [1, 0], [2], [255], [255, 255]]);
      assert.deepEqual(await keysOf(store.range({ lte: bytes(), reverse: true })), [[]]);
      assert.deepEqual(await keysOf(store.range({ gte: bytes(255) })), [[255], [255, 255]]);
    },
  ],
  [
    'a key-value store reads a snapshot where one is given',
    async (database) => {
      const { store } = await amongOthers(database, (db, prefix) => new KeyValueBytesStore(db, prefix));
      await change(database, (batch) => store.put(batch, bytes(1), bytes(1)));
      const snapshot = database.snapshot();
      await change(database, (batch) => {
        store.put(batch, bytes(1), bytes(2));
        store.put(batch, bytes(2), bytes(2));
      });
      assert.deepEqual(store.get(bytes(1), snapshot), bytes(1));
      assert.deepEqual(await store.getMany([bytes(1), bytes(2)], snapshot), [bytes(1), undefined]);
      assert.deepEqual(await keysOf(store.range({}, snapshot)), [[1]]);
      assert.deepEqual(await keysOf(store.range()), [[1], [2]]);
      await snapshot.close();
      assert.ok((await store.approximateSize()) >= 0);
    },
  ],
  [
    'a store whose prefix is all 0xff ends with the database',
    async (database) => {
      const store = new KeyValueBytesStore(database, bytes(255, 255));
      await change(database, (batch) => {
        batch.put(bytes(255, 254, 255), bytes(9));
        store.put(batch, bytes(255, 255, 255), bytes(1));
        store.put(batch, bytes(0), bytes(1));
      });
      assert.deepEqual(await keysOf(store.range()), [[0], [255, 255, 255]]);
      assert.deepEqual(await keysOf(store.range({ reverse: true })), [[255, 255, 255], [0]]);
      assert.ok((await store.approximateSize()) >= 0);
    },
  ],
  [
    'a store takes keys of any length, one after the other',
    async (database) => {
      const store = new KeyValueBytesStore(database, bytes(7));
      const lengths = [0, 300, 3, 70, 5000, 70, 255, 256];
      await change(database, (batch) => {
        lengths.forEach((length, i) => {
          store.put(batch, new Uint8Array(length).fill(length & 255), bytes(i));
        });
      });
      for (const [i, length] of lengths.entries()) {
        const last = lengths.lastIndexOf(length);
        assert.deepEqual(store.get(new Uint8Array(length).fill(length & 255)), bytes(last), `length ${length} at ${i}`);
      }
    },
  ],
];

/** A key of one byte as text. */
const key = (value: number): string => String.fromCharCode(value);

/** Changes a window store in one batch. */
async function changeWindows(database: Database, store: PagedWindowStore, add: () => void): Promise<void> {
  await change(database, (batch) => {
    add();
    store.seal(batch);
  });
  store.written();
}

/** Rows of keys 1 and 2 in windows at -1 day, 0, 1 day and 3 days; key 2 has none at 0. */
async function windowStore(database: Database): Promise<{ store: PagedWindowStore; othersAreThere: () => void }> {
  const made = await amongOthers(database, (db, prefix) => new PagedWindowStore(db, prefix));
  await changeWindows(database, made.store, () => {
    for (const day of [3, 0, -1, 1]) {
      made.store.put(day * dayMs, key(1), bytes(10 + day));
      if (day !== 0) made.store.put(day * dayMs, key(2), bytes(20 + day));
    }
  });
  return made;
}

const windowCases: readonly (readonly [string, (database: Database) => Promise<void>])[] = [
  [
    'a window store reads what was written, per key and window',
    async (database) => {
      const { store, othersAreThere } = await windowStore(database);
      assert.deepEqual(store.get(-dayMs, key(1)), bytes(9));
      assert.deepEqual(store.get(3 * dayMs, key(2)), bytes(23));
      assert.equal(store.get(0, key(2)), undefined);
      assert.equal(store.get(1, key(1)), undefined);
      await changeWindows(database, store, () => {
        store.del(0, key(1));
        store.put(dayMs, key(1), bytes());
        store.put(dayMs, '', bytes(5));
      });
      for (const read of [store, new PagedWindowStore(database, bytes(7))]) {
        assert.equal(read.get(0, key(1)), undefined);
        assert.deepEqual(read.get(dayMs, key(1)), bytes());
        assert.deepEqual(read.get(dayMs, ''), bytes(5));
        assert.deepEqual(read.read(database, dayMs, ''), bytes(5));
      }
      othersAreThere();
      assert.throws(() => store.put(0.5, key(1), bytes()), RangeError);
    },
  ],
  [
    'applied changes are read before their batch is written, by the store alone',
    async (database) => {
      const { store } = await windowStore(database);
      const batch = database.batch();
      store.put(dayMs, key(1), bytes(99));
      store.del(dayMs, key(2));
      store.apply();
      assert.deepEqual(store.get(dayMs, key(1)), bytes(99));
      assert.equal(store.get(dayMs, key(2)), undefined);
      assert.deepEqual(store.read(database, dayMs, key(1)), bytes(11));
      store.seal(batch);
      await batch.write({ sync: false });
      assert.deepEqual(store.read(database, dayMs, key(1)), bytes(99));
      store.written();
      assert.deepEqual(store.get(dayMs, key(1)), bytes(99));
    },
  ],
  [
    'a page that is merged several times goes into its batch once, as it is at the end',
    async (database) => {
      const store = new PagedWindowStore(database, bytes(7));
      const batch = database.batch();
      for (const value of [1, 2, 3]) {
        store.put(0, key(1), bytes(value));
        store.put(dayMs, key(value), bytes(value));
        store.apply();
      }
      assert.equal(batch.length, 0);
      store.del(0, key(1));
      store.seal(batch);
      assert.equal(batch.length, 2);
      await batch.write({ sync: false });
      store.written();
      const rows = await all(store.rows(database));
      assert.deepEqual(
        rows.map(({ startMs, value }) => [startMs, ...value]),
        [1, 2, 3].map((value) => [dayMs, value]),
      );
    },
  ],
  [
    'a page of a window store stands under prefix, start with its sign bit flipped, 1 and its first key',
    async (database) => {
      const store = new PagedWindowStore(database, bytes(7));
      await changeWindows(database, store, () => store.put(1490482800000, 'C!', bytes(1)));
      const row = Buffer.from('078000015b07b2a58001', 'hex');
      assert.equal(Buffer.from(database.get(row)!).toString('hex'), '0243210101');
    },
  ],
  [
    'a window of many rows stands in many pages, which come and go with the rows',
    async (database) => {
      const store = new PagedWindowStore(database, bytes(7));
      const text = (i: number): string => String(i).padStart(6, '0');
      await changeWindows(database, store, () => {
        for (let i = 0; i < 5000; i += 2) store.put(0, text(i), new Uint8Array(40).fill(i));
      });
      await changeWindows(database, store, () => {
        for (let i = 4999; i > 0; i -= 2) store.put(0, text(i), new Uint8Array(40).fill(i));
      });
      const fresh = new PagedWindowStore(database, bytes(7));
      for (const i of [0, 1, 2, 77, 2500, 4998, 4999])
        assert.deepEqual(fresh.get(0, text(i)), new Uint8Array(40).fill(i));
      assert.equal(fresh.get(0, text(5000)), undefined);
      const rows = await all(fresh.rows(database));
      assert.deepEqual(
        rows.map((row) => Buffer.from(row.key).toString()),
        Array.from({ length: 5000 }, (_, i) => text(i)),
      );
      await changeWindows(database, fresh, () => {
        for (let i = 0; i < 5000; i++) if (i !== 3333) fresh.del(0, text(i));
      });
      assert.equal((await all(fresh.rows(database))).length, 1);
      assert.deepEqual(new PagedWindowStore(database, bytes(7)).get(0, text(3333)), new Uint8Array(40).fill(3333));
      await changeWindows(database, fresh, () => fresh.del(0, text(3333)));
      assert.deepEqual(await fresh.starts(database), []);
    },
  ],
  [
    'the starts of a window store are distinct, ascending and in [from, to)',
    async (database) => {
      const { store } = await windowStore(database);
      assert.deepEqual(await store.starts(database), [-dayMs, 0, dayMs, 3 * dayMs]);
      assert.deepEqual(await store.starts(database, 0, 3 * dayMs), [0, dayMs]);
      assert.deepEqual(await store.starts(database, 1), [dayMs, 3 * dayMs]);
      assert.deepEqual(await store.starts(database, 0.5, dayMs + 0.5), [dayMs]);
      assert.deepEqual(await store.starts(database, dayMs, dayMs), []);
      assert.deepEqual(await store.starts(database, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY), []);
    },
  ],
  [
    'what lies beyond the integers that a number holds exactly is before or after all windows, and no start of one',
    async (database) => {
      const { store } = await windowStore(database);
      // 2^63 - 1 is the end of time in Java, 2^63 as a number.
      for (const end of [2 ** 53, 2 ** 63, 2 ** 64, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
        assert.deepEqual(await store.starts(database, -end, end), [-dayMs, 0, dayMs, 3 * dayMs]);
        assert.equal((await all(store.rows(database, -end, end))).length, 7);
        assert.deepEqual(await all(store.rows(database, end, end)), []);
        for (const startMs of [end, -end]) assert.equal(store.read(database, startMs, key(1)), undefined);
      }
      assert.equal(store.read(database, 0.5, key(1)), undefined);
      assert.deepEqual(store.read(database, 0, key(1)), bytes(10));
    },
  ],
  [
    'starts of up to 53 bits, negative ones too, are in numeric order',
    async (database) => {
      const store = new PagedWindowStore(database, bytes(255));
      const starts = [
        Number.MIN_SAFE_INTEGER,
        -(2 ** 32),
        -1,
        0,
        1,
        255,
        256,
        2 ** 31,
        2 ** 32,
        Number.MAX_SAFE_INTEGER,
      ];
      await changeWindows(database, store, () => {
        for (const start of [...starts].reverse()) store.put(start, key(1), bytes(1));
      });
      assert.deepEqual(await store.starts(database), starts);
      assert.deepEqual(
        (await all(store.rows(database))).map(({ startMs }) => startMs),
        starts,
      );
    },
  ],
  [
    'all rows of a time come by start and then key',
    async (database) => {
      const { store } = await windowStore(database);
      const every = [
        '-86400000 1=9',
        '-86400000 2=19',
        '0 1=10',
        '86400000 1=11',
        '86400000 2=21',
        '259200000 1=13',
        '259200000 2=23',
      ];
      assert.deepEqual(await rowsOf(store.rows(database)), every);
      assert.deepEqual(await rowsOf(store.rows(database, 0, 3 * dayMs)), every.slice(2, 5));
    },
  ],
  [
    'expireBefore removes the windows that start earlier, once its batch is written',
    async (database) => {
      const { store, othersAreThere } = await windowStore(database);
      const batch = database.batch();
      assert.equal(await store.expireBefore(batch, dayMs), 2);
      assert.deepEqual(await store.starts(database), [-dayMs, 0, dayMs, 3 * dayMs]);
      await batch.write({ sync: false });
      assert.deepEqual(await store.starts(database), [dayMs, 3 * dayMs]);
      assert.equal(store.get(0, key(1)), undefined);
      othersAreThere();
    },
  ],
  [
    'a window store reads a snapshot where one is given',
    async (database) => {
      const { store } = await windowStore(database);
      const snapshot = database.snapshot();
      const batch = database.batch();
      await store.expireBefore(batch, 3 * dayMs);
      store.put(3 * dayMs, key(1), bytes(99));
      store.seal(batch);
      await batch.write({ sync: false });
      store.written();
      assert.deepEqual(store.read(snapshot, 0, key(1)), bytes(10));
      assert.equal(store.read(database, 0, key(1)), undefined);
      assert.deepEqual(await store.starts(snapshot), [-dayMs, 0, dayMs, 3 * dayMs]);
      assert.equal((await all(store.rows(snapshot))).length, 7);
      assert.deepEqual(await rowsOf(store.rows(database)), ['259200000 1=99', '259200000 2=23']);
      await snapshot.close();
    },
  ],
];

const versionedCases: readonly (readonly [string, (database: Database) => Promise<void>])[] = [
  [
    'a versioned store keeps the whole history of a key in one row',
    async (database) => {
      const { store, othersAreThere } = await amongOthers(
        database,
        (db, prefix) => new VersionedBytesStore(db, prefix),
      );
      const history: History<Uint8Array> = [
        { validFromMs: -5, value: bytes(1) },
        { validFromMs: 100, value: null },
        { validFromMs: 200, value: bytes() },
      ];
      await change(database, (batch) => store.replaceHistory(batch, bytes(1), history));
      assert.deepEqual(store.history(bytes(1)), history);
      assert.deepEqual(store.history(bytes(2)), []);
      assert.deepEqual(await store.histories([bytes(2), bytes(1)]), [[], history]);
      assert.equal(store.get(bytes(1), -6), undefined);
      assert.deepEqual(store.get(bytes(1), -5), { value: bytes(1), validFromMs: -5, validToMs: 100 });
      assert.deepEqual(store.get(bytes(1), 99)?.value, bytes(1));
      assert.equal(store.get(bytes(1), 100), undefined);
      assert.deepEqual(store.get(bytes(1)), { value: bytes(), validFromMs: 200, validToMs: Infinity });
      othersAreThere();
    },
  ],
  [
    'a history without versions removes the row',
    async (database) => {
      const { store } = await amongOthers(database, (db, prefix) => new VersionedBytesStore(db, prefix));
      await change(database, (batch) => {
        store.replaceHistory(batch, bytes(1), [{ validFromMs: 0, value: bytes(1) }]);
        store.replaceHistory(batch, bytes(2), [{ validFromMs: 0, value: bytes(2) }]);
      });
      await change(database, (batch) => store.replaceHistory(batch, bytes(1), []));
      assert.deepEqual(await all(store.range()), [{ key: bytes(2), history: [{ validFromMs: 0, value: bytes(2) }] }]);
      assert.equal(database.get(concatBytes(bytes(7), bytes(1))), undefined);
    },
  ],
  [
    'a versioned store gives ranges of histories, and reads a snapshot where one is given',
    async (database) => {
      const { store } = await amongOthers(database, (db, prefix) => new VersionedBytesStore(db, prefix));
      await change(database, (batch) => {
        for (const n of [3, 1, 2]) store.replaceHistory(batch, bytes(n), [{ validFromMs: n, value: bytes(n) }]);
      });
      const snapshot = database.snapshot();
      await change(database, (batch) => store.replaceHistory(batch, bytes(2), []));
      const keysIn = async (pages: AsyncIterable<readonly { key: Uint8Array }[]>): Promise<number[]> =>
        (await all(pages)).map(({ key }) => key[0]!);
      assert.deepEqual(await keysIn(store.range()), [1, 3]);
      assert.deepEqual(await keysIn(store.range({}, snapshot)), [1, 2, 3]);
      assert.deepEqual(await keysIn(store.range({ gt: bytes(1), reverse: true }, snapshot)), [3, 2]);
      assert.deepEqual(store.get(bytes(2), Infinity, snapshot)?.value, bytes(2));
      assert.equal(store.get(bytes(2)), undefined);
      await snapshot.close();
      assert.ok((await store.approximateSize()) >= 0);
    },
  ],
];

const cases = [...keyValueCases, ...windowCases, ...versionedCases];
