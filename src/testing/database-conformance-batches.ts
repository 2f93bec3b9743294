import assert from 'node:assert/strict';
import type { Entry } from '../../state/database.ts';
import { compareBytes, utf8 } from '../common/bytes.ts';
import { asText, bytes, type DatabaseCase, keys, read, write } from './database-conformance-kit.ts';

/** What a batch does, when, and whose the bytes are that it is given and that are read. */
export const batchCases: readonly DatabaseCase[] = [
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
    'removing a key that is not there does nothing',
    async (database) => {
      await write(database, [bytes(1), bytes(1)]);
      await write(database, [bytes(2), null]);
      assert.deepEqual(await keys(database), ['01']);
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
