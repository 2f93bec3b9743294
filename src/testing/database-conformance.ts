import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseFactory } from '../../state/database.ts';
import { batchCases } from './database-conformance-batches.ts';
import {
  bytes,
  type Check,
  type DatabaseCase,
  isNotOpen,
  read,
  write,
  writeNumbers,
} from './database-conformance-kit.ts';
import { rangeCases } from './database-conformance-ranges.ts';
import { snapshotCases } from './database-conformance-snapshots.ts';

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
export async function withDatabase(factory: DatabaseFactory, check: Check): Promise<void> {
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

const openingCases: readonly DatabaseCase[] = [
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
];

const commonCases = [...openingCases, ...batchCases, ...rangeCases, ...snapshotCases];

const persistentCases: readonly DatabaseCase[] = [
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
