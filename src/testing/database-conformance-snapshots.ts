import assert from 'node:assert/strict';
import {
  asText,
  bytes,
  type DatabaseCase,
  isNotOpen,
  keys,
  read,
  write,
  writeNumbers,
} from './database-conformance-kit.ts';

/** What readers see while batches are written. */
export const snapshotCases: readonly DatabaseCase[] = [
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
];
