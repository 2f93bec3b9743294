import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, DatabaseFactory, Entry, KeyRange, Reader } from '../../state/database.ts';
import { compareBytes, utf8 } from '../common/bytes.ts';
import { StreamsError } from '../common/errors.ts';

/** One behaviour of a port, to be run by any test runner. */
export interface ConformanceCase {
  /** A sentence. */
  readonly title: string;
  /** Rejects with an AssertionError if the adapter behaves otherwise. */
  run(): Promise<void>;
}

/** What an adapter promises beyond the port. */
export interface DatabaseConformanceOptions {
  /** Whether what was written is there after the same place is opened again. @defaultValue false */
  readonly persistent?: boolean;
}

/**
 * The conformance suite of the database port: every adapter of `Database` passes it.
 *
 * @example
 * ```ts
 * import test from 'node:test';
 * import { databaseConformance } from 'weir-streams/testing';
 * import { openMyDatabase } from './my-database.ts';
 *
 * for (const { title, run } of databaseConformance(openMyDatabase, { persistent: true })) test(title, run);
 * ```
 *
 * @param factory - Opens the adapter. Each case has a new folder below the system's temporary one, and removes it.
 */
export function databaseConformance(
  factory: DatabaseFactory,
  options: DatabaseConformanceOptions = {},
): readonly ConformanceCase[] {
  const cases = options.persistent ? [...commonCases, ...persistentCases] : commonCases;
  return cases.map(([title, check]) => ({ title, run: () => withDatabase(factory, check) }));
}

/** Runs a check with a new database in a new folder, and cleans up. */
export async function withDatabase(
  factory: DatabaseFactory,
  check: (database: Database, reopen: () => Promise<Database>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-database-'));
  const location = join(folder, 'created', 'with', 'parents');
  let database = await factory(location);
  try {
    await check(database, async () => {
      await database.close();
      database = await factory(location);
      return database;
    });
  } finally {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Check = (database: Database, reopen: () => Promise<Database>) => Promise<void>;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const asText = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString('hex');

/** Writes entries of single bytes or byte strings in one batch. */
async function write(
  database: Database,
  ...entries: readonly (readonly [Uint8Array, Uint8Array | null])[]
): Promise<void> {
  const batch = database.batch();
  for (const [key, value] of entries) {
    if (value === null) batch.del(key);
    else batch.put(key, value);
  }
  await batch.write({ sync: false });
}

async function read(reader: Reader, range: KeyRange = {}, pageSize?: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of reader.pages(range, pageSize)) {
    assert.ok(page.length > 0, 'a page is never empty');
    assert.ok(page.length <= (pageSize ?? 1000), 'a page has at most pageSize entries');
    entries.push(...page);
  }
  return entries;
}

async function keys(reader: Reader, range: KeyRange = {}): Promise<string[]> {
  return (await read(reader, range)).map(([key]) => asText(key)!);
}

const isNotOpen = (error: unknown): boolean => StreamsError.is(error) && error.code === 'STREAMS_STATE_STORE_NOT_OPEN';

async function writeNumbers(database: Database, count: number): Promise<void> {
  const batch = database.batch();
  // Written in an order that is not the keys'.
  for (let i = 0; i < count; i++) {
    const n = (i * 7919) % count;
    batch.put(bytes(n >> 8, n & 255), bytes(n & 255));
  }
  await batch.write({ sync: false });
}

const commonCases: readonly (readonly [string, Check])[] = [
  [
    'a new database is open and empty',
    async (database) => {
      assert.equal(database.status, 'open');
      assert.equal(database.get(bytes(1)), undefined);
      assert.deepEqual(await read(database), []);
      assert.deepEqual(await database.getMany([]), []);
    },
  ],
  [
    'what a batch put is read by get, getMany and a range',
    async (database) => {
      await write(database, [bytes(1), bytes(10)], [bytes(2), bytes(20)]);
      assert.deepEqual(database.get(bytes(1)), bytes(10));
      assert.deepEqual(await database.getMany([bytes(2), bytes(3), bytes(1), bytes(2)]), [
        bytes(20),
        undefined,
        bytes(10),
        bytes(20),
      ]);
      assert.deepEqual(await read(database), [
        [bytes(1), bytes(10)],
        [bytes(2), bytes(20)],
      ]);
    },
  ],
  [
    'keys are in unsigned byte order, a prefix before what it starts',
    async (database) => {
      const sorted = [
        bytes(),
        bytes(0),
        bytes(0, 0),
        bytes(0, 255),
        bytes(1),
        bytes(127),
        bytes(128),
        bytes(128, 0),
        bytes(254, 255),
        bytes(255),
        bytes(255, 0),
        bytes(255, 255),
        bytes(255, 255, 255),
      ];
      await write(database, ...[...sorted].reverse().map((key) => [key, bytes(1)] as const));
      assert.deepEqual(await keys(database), sorted.map(asText));
      assert.deepEqual(await keys(database, { reverse: true }), [...sorted].reverse().map(asText));
    },
  ],
  [
    'a range has any kind of bound, in both directions, with any limit',
    async (database) => {
      const sorted = [bytes(1), bytes(1, 0), bytes(1, 255), bytes(2), bytes(255)];
      await write(database, ...sorted.map((key) => [key, bytes(0)] as const));
      const bounds = [undefined, bytes(), bytes(0), ...sorted, bytes(1, 1), bytes(3), bytes(255, 255)];
      for (const low of bounds) {
        for (const high of bounds) {
          for (const [lowKind, highKind] of [
            ['gte', 'lt'],
            ['gt', 'lte'],
            ['gte', 'lte'],
            ['gt', 'lt'],
          ] as const) {
            const range: KeyRange = { ...(low && { [lowKind]: low }), ...(high && { [highKind]: high }) };
            const expected = sorted.filter((key) => within(key, range)).map(asText);
            assert.deepEqual(await keys(database, range), expected, describe(range));
            assert.deepEqual(await keys(database, { ...range, reverse: true }), expected.reverse(), describe(range));
          }
        }
      }
      assert.deepEqual(await keys(database, { limit: 2 }), ['01', '0100']);
      assert.deepEqual(await keys(database, { limit: 2, reverse: true }), ['ff', '02']);
      assert.deepEqual(await keys(database, { gt: bytes(1), limit: 1 }), ['0100']);
      assert.deepEqual(await keys(database, { lt: bytes(2), limit: 1, reverse: true }), ['01ff']);
      assert.deepEqual(await keys(database, { limit: 0 }), []);
      assert.deepEqual(await keys(database, { limit: 100 }), sorted.map(asText));
    },
  ],
  [
    'pages have at most pageSize entries and together are the range',
    async (database) => {
      await writeNumbers(database, 2500);
      for (const pageSize of [1, 7, 1000, 5000]) {
        const entries = await read(database, {}, pageSize);
        assert.equal(entries.length, 2500);
        entries.forEach(([key, value], n) => {
          assert.deepEqual([...key, ...value], [n >> 8, n & 255, n & 255]);
        });
      }
      assert.equal((await read(database, { limit: 1001 })).length, 1001);
      const down = await read(database, { reverse: true, gte: bytes(1, 0) }, 100);
      assert.deepEqual(down[0]![0], bytes(2499 >> 8, 2499 & 255));
      assert.deepEqual(down.at(-1)![0], bytes(1, 0));
      await assert.rejects(read(database, {}, 0), RangeError);
    },
  ],
  [
    'pages of few bytes hold all entries of a range, in order, however large they are',
    async (database) => {
      await writeNumbers(database, 300);
      for (const pageBytes of [1, 100, 1 << 20]) {
        let next = 0;
        for await (const page of database.pages({}, 64, pageBytes)) {
          assert.ok(page.length > 0 && page.length <= 64);
          for (const [key] of page) assert.deepEqual(key, bytes(next >> 8, next++ & 255));
        }
        assert.equal(next, 300);
      }
    },
  ],
  [
    'a range may be left before its end',
    async (database) => {
      await writeNumbers(database, 50);
      for await (const page of database.pages({}, 10)) {
        assert.equal(page.length, 10);
        break;
      }
      assert.equal((await read(database)).length, 50);
    },
  ],
  [
    'nothing of a batch is there before it is written, all of it after',
    async (database) => {
      await write(database, [bytes(1), bytes(1)]);
      const batch = database.batch();
      batch.put(bytes(2), bytes(2));
      batch.del(bytes(1));
      assert.equal(batch.length, 2);
      assert.deepEqual(await keys(database), ['01']);
      await batch.write({ sync: true });
      assert.deepEqual(await keys(database), ['02']);
    },
  ],
  [
    'a later change of a key in a batch wins',
    async (database) => {
      await write(database, [bytes(3), bytes(3)]);
      await write(
        database,
        [bytes(1), bytes(1)],
        [bytes(1), bytes(2)],
        [bytes(2), bytes(1)],
        [bytes(2), null],
        [bytes(3), null],
        [bytes(3), bytes(9)],
      );
      assert.deepEqual(await read(database), [
        [bytes(1), bytes(2)],
        [bytes(3), bytes(9)],
      ]);
    },
  ],
  [
    'a batch that is closed leaves no trace',
    async (database) => {
      const batch = database.batch();
      batch.put(bytes(1), bytes(1));
      await batch.close();
      await batch.close();
      assert.deepEqual(await keys(database), []);
    },
  ],
  [
    'a batch without changes can be written',
    async (database) => {
      const batch = database.batch();
      assert.equal(batch.length, 0);
      await batch.write({ sync: true });
      assert.deepEqual(await keys(database), []);
    },
  ],
  [
    'a batch is of no use after write or close: a TypeError tells',
    async (database) => {
      const written = database.batch();
      written.put(bytes(1), bytes(1));
      await written.write({ sync: false });
      const closed = database.batch();
      await closed.close();
      for (const batch of [written, closed]) {
        assert.throws(() => batch.put(bytes(2), bytes(2)), TypeError);
        assert.throws(() => batch.del(bytes(1)), TypeError);
        await assert.rejects(batch.write({ sync: false }), TypeError);
      }
      await written.close();
      assert.deepEqual(await keys(database), ['01']);
    },
  ],
  [
    'batches are applied in the order in which they are written',
    async (database) => {
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 50; i++) {
        const batch = database.batch();
        // Batches of different sizes: a small one must not pass a large one.
        for (let j = i % 2 === 0 ? 2000 : 1; j > 0; j--) batch.put(bytes(j >> 8, j & 255), bytes(i));
        writes.push(batch.write({ sync: false }));
      }
      await Promise.all(writes);
      assert.deepEqual(database.get(bytes(0, 1)), bytes(49));
      assert.deepEqual(database.get(bytes(0, 2)), bytes(48));
    },
  ],
  [
    'the caller may reuse its buffers after put, del and the reads',
    async (database) => {
      await write(database, [bytes(9), bytes(9)]);
      const key = bytes(1);
      const value = bytes(1);
      const batch = database.batch();
      for (let i = 1; i <= 3; i++) {
        key[0] = i;
        value[0] = i * 10;
        batch.put(key, value);
      }
      key[0] = 9;
      batch.del(key);
      key[0] = 77;
      value[0] = 77;
      await batch.write({ sync: false });
      assert.deepEqual(await read(database), [
        [bytes(1), bytes(10)],
        [bytes(2), bytes(20)],
        [bytes(3), bytes(30)],
      ]);
      key[0] = 2;
      const many = database.getMany([key]);
      const range = read(database, { gte: key });
      key[0] = 3;
      assert.deepEqual(await many, [bytes(20)]);
      assert.equal((await range).length, 2);
    },
  ],
  [
    'keys and values may be views into larger buffers, and Buffers',
    async (database) => {
      const large = bytes(0, 1, 2, 3, 4, 5);
      await write(
        database,
        [large.subarray(1, 3), large.subarray(3, 5)],
        [Buffer.from([7, 8]), Buffer.from('abc').subarray(1)],
      );
      assert.deepEqual(database.get(bytes(1, 2)), bytes(3, 4));
      assert.deepEqual(database.get(Buffer.from([7, 8])), utf8('bc'));
      assert.deepEqual(database.get(large.subarray(1, 3)), bytes(3, 4));
    },
  ],
  [
    'the caller owns what get, getMany and a range give, as plain Uint8Arrays',
    async (database) => {
      await write(database, [bytes(1), bytes(1, 2, 3)]);
      const owned = [
        database.get(bytes(1))!,
        (await database.getMany([bytes(1)]))[0]!,
        ...(await read(database))[0]!,
        database.get(bytes(1))!,
      ];
      for (const own of owned) {
        assert.equal(Object.getPrototypeOf(own), Uint8Array.prototype);
        own.fill(9);
      }
      assert.deepEqual(await read(database), [[bytes(1), bytes(1, 2, 3)]]);
      assert.deepEqual(database.get(bytes(1)), bytes(1, 2, 3));
    },
  ],
  [
    'an empty key and an empty value are a key and a value',
    async (database) => {
      await write(database, [bytes(), bytes(1)], [bytes(1), bytes()]);
      assert.deepEqual(database.get(bytes()), bytes(1));
      assert.deepEqual(database.get(bytes(1)), bytes());
      assert.deepEqual(await database.getMany([bytes(), bytes(1)]), [bytes(1), bytes()]);
      assert.deepEqual(await read(database), [
        [bytes(), bytes(1)],
        [bytes(1), bytes()],
      ]);
      await write(database, [bytes(), null]);
      assert.deepEqual(await keys(database), ['01']);
    },
  ],
  [
    'keys of 0xff bytes, and keys above a long row of them, are found',
    async (database) => {
      const long = new Uint8Array(40).fill(255);
      await write(database, [bytes(255), bytes(1)], [bytes(255, 255), bytes(2)], [long, bytes(3)]);
      assert.deepEqual(database.get(long), bytes(3));
      assert.deepEqual(await keys(database, { gt: bytes(255, 255) }), [asText(long)]);
      assert.deepEqual(await keys(database, { lte: bytes(255, 255), reverse: true }), ['ffff', 'ff']);
    },
  ],
  [
    'removing a key that is not there does nothing',
    async (database) => {
      await write(database, [bytes(1), bytes(1)]);
      await write(database, [bytes(2), null]);
      assert.deepEqual(await keys(database), ['01']);
    },
  ],
  [
    'values of 1 MiB are kept, and a range of them is complete',
    async (database) => {
      const value = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 31 + (i >> 8)) & 255);
      await write(database, ...[1, 2, 3].map((n) => [bytes(n), value] as const));
      assert.equal(compareBytes(database.get(bytes(2))!, value), 0);
      const entries = await read(database);
      assert.deepEqual(
        entries.map(([key]) => asText(key)),
        ['01', '02', '03'],
      );
      for (const [, read] of entries) assert.equal(compareBytes(read, value), 0);
    },
  ],
  [
    'a snapshot is fixed in time: get, getMany and ranges of it',
    async (database) => {
      await write(database, [bytes(1), bytes(1)], [bytes(2), bytes(1)]);
      const snapshot = database.snapshot();
      await write(database, [bytes(1), bytes(2)], [bytes(2), null], [bytes(3), bytes(2)]);
      const later = database.snapshot();
      await write(database, [bytes(1), null]);
      assert.deepEqual(snapshot.get(bytes(1)), bytes(1));
      assert.deepEqual(snapshot.get(bytes(2)), bytes(1));
      assert.deepEqual(await snapshot.getMany([bytes(1), bytes(3)]), [bytes(1), undefined]);
      assert.deepEqual(await keys(snapshot), ['01', '02']);
      assert.deepEqual(await keys(later), ['01', '03']);
      assert.deepEqual(later.get(bytes(1)), bytes(2));
      assert.deepEqual(await keys(database), ['03']);
      await snapshot.close();
      assert.deepEqual(later.get(bytes(1)), bytes(2));
      await later.close();
    },
  ],
  [
    'a closed snapshot refuses to be read, and can be closed twice',
    async (database) => {
      await write(database, [bytes(1), bytes(1)], [bytes(2), bytes(1)]);
      const snapshot = database.snapshot();
      const underWay = snapshot.pages({}, 1)[Symbol.asyncIterator]();
      assert.equal((await underWay.next()).done, false);
      await snapshot.close();
      await snapshot.close();
      assert.throws(() => snapshot.get(bytes(1)), isNotOpen);
      await assert.rejects(snapshot.getMany([bytes(1)]), isNotOpen);
      await assert.rejects(read(snapshot), isNotOpen);
      await assert.rejects(underWay.next(), isNotOpen);
      assert.deepEqual(database.get(bytes(1)), bytes(1));
    },
  ],
  [
    'a range sees one state while batches are written',
    async (database) => {
      await writeNumbers(database, 600);
      let pages = 0;
      let seen = 0;
      for await (const page of database.pages({}, 100)) {
        await write(
          database,
          [bytes(0, 0, pages), bytes(0)],
          [bytes(2, 80 + pages), null],
          [bytes(9, pages), bytes(0)],
        );
        pages++;
        seen += page.length;
        for (const [key] of page) assert.equal(key.length, 2, 'a key that was written later');
      }
      assert.equal(seen, 600);
      assert.equal((await read(database)).length, 600 + pages);
    },
  ],
  [
    'readers see a batch wholly or not at all',
    async (database) => {
      let writing = true;
      const readers = [0, 1, 2].map(async () => {
        while (writing) {
          const values = new Set((await read(database, {}, 10)).map(([, value]) => asText(value)));
          assert.ok(values.size <= 1, `values of ${values.size} batches`);
          const many = await database.getMany([bytes(0), bytes(99)]);
          assert.deepEqual(many[0], many[1]);
          // Reads in memory take no time: without this, nothing else would run.
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      for (let i = 0; i < 20; i++) {
        await write(database, ...Array.from({ length: 100 }, (_, n) => [bytes(n), bytes(i)] as const));
        await new Promise((resolve) => setImmediate(resolve));
      }
      writing = false;
      await Promise.all(readers);
    },
  ],
  [
    'many changes and removals over many batches leave what a map has',
    async (database) => {
      const model = new Map<string, Entry>();
      let random = 1;
      for (let round = 0; round < 40; round++) {
        const batch = database.batch();
        for (let i = 0; i < 250; i++) {
          random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
          const key = bytes((random >>> 20) & 7, (random >>> 12) & 255);
          if (round % 5 === 4 || (random & 3) === 0) {
            batch.del(key);
            model.delete(asText(key)!);
          } else {
            const value = bytes(round, i);
            batch.put(key, value);
            model.set(asText(key)!, [key, value]);
          }
        }
        await batch.write({ sync: false });
      }
      const expected = [...model.values()].sort(([a], [b]) => compareBytes(a, b));
      assert.deepEqual(await read(database), expected);
      assert.deepEqual(await read(database, { reverse: true }), expected.reverse());
    },
  ],
  [
    'the approximate size of a range is a number of bytes, for any bounds',
    async (database) => {
      await writeNumbers(database, 1000);
      for (const range of [{}, { gte: bytes(1) }, { lt: bytes(1) }, { gt: bytes(0), lte: bytes(1) }]) {
        const size = await database.approximateSize(range);
        assert.ok(Number.isInteger(size) && size >= 0, `${size}`);
      }
    },
  ],
  [
    'a closed database refuses everything with STREAMS_STATE_STORE_NOT_OPEN, and can be closed twice',
    async (database) => {
      await write(database, [bytes(1), bytes(1)], [bytes(2), bytes(2)]);
      const snapshot = database.snapshot();
      const batch = database.batch();
      const underWay = database.pages({}, 1)[Symbol.asyncIterator]();
      assert.equal((await underWay.next()).done, false);
      const closing = database.close();
      assert.notEqual(database.status, 'open');
      await closing;
      await database.close();
      assert.equal(database.status, 'closed');
      assert.throws(() => database.get(bytes(1)), isNotOpen);
      assert.throws(() => database.batch(), isNotOpen);
      assert.throws(() => database.snapshot(), isNotOpen);
      assert.throws(() => batch.put(bytes(1), bytes(1)), isNotOpen);
      assert.throws(() => batch.del(bytes(1)), isNotOpen);
      assert.throws(() => snapshot.get(bytes(1)), isNotOpen);
      await assert.rejects(database.getMany([bytes(1)]), isNotOpen);
      await assert.rejects(database.approximateSize({}), isNotOpen);
      await assert.rejects(batch.write({ sync: false }), isNotOpen);
      await assert.rejects(read(database), isNotOpen);
      await assert.rejects(read(snapshot), isNotOpen);
      await assert.rejects(underWay.next(), isNotOpen);
      await snapshot.close();
      await batch.close();
    },
  ],
  [
    'a batch under way when the database is closed is written',
    async (database) => {
      const batch = database.batch();
      for (let i = 0; i < 5000; i++) batch.put(bytes(i >> 8, i & 255), bytes(1));
      const written = batch.write({ sync: false });
      await database.close();
      await written;
    },
  ],
];

const persistentCases: readonly (readonly [string, Check])[] = [
  [
    'what was written is there after the database is opened again, an unwritten batch is not',
    async (database, reopen) => {
      await writeNumbers(database, 3000);
      await write(database, [bytes(0, 0), null], [bytes(), bytes(7)]);
      database.batch().put(bytes(99, 99), bytes(1));
      const again = await reopen();
      assert.equal(database.status, 'closed');
      const entries = await read(again);
      assert.equal(entries.length, 3000);
      assert.deepEqual(entries[0], [bytes(), bytes(7)]);
      assert.deepEqual(entries[1], [bytes(0, 1), bytes(1)]);
      assert.equal(again.get(bytes(99, 99)), undefined);
      await write(again, [bytes(1), bytes(1)]);
      assert.deepEqual((await reopen()).get(bytes(1)), bytes(1));
    },
  ],
  [
    'the approximate size follows what was written',
    async (database, reopen) => {
      // Noise, which cannot be compressed.
      let noise = 1;
      const batch = database.batch();
      for (let i = 0; i < 2000; i++) {
        const value = new Uint8Array(1000);
        for (let j = 0; j < value.length; j++) {
          noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
          value[j] = noise >>> 24;
        }
        batch.put(bytes(i >> 8, i & 255), value);
      }
      await batch.write({ sync: false });
      const again = await reopen();
      const all = await again.approximateSize({});
      const quarter = await again.approximateSize({ lt: bytes(1, 244) });
      assert.ok(all > 1_000_000 && all < 4_000_000, `all: ${all}`);
      assert.ok(quarter > all / 8 && quarter < all / 2, `a quarter of ${all}: ${quarter}`);
    },
  ],
];

function within(key: Uint8Array, { gte, gt, lt, lte }: KeyRange): boolean {
  if (gte && compareBytes(key, gte) < 0) return false;
  if (gt && compareBytes(key, gt) <= 0) return false;
  if (lt && compareBytes(key, lt) >= 0) return false;
  return !(lte && compareBytes(key, lte) > 0);
}

function describe(range: KeyRange): string {
  return Object.entries(range)
    .map(([kind, bound]) => `${kind} ${bound instanceof Uint8Array ? asText(bound) || 'empty' : bound}`)
    .join(' ');
}
