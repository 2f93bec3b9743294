import assert from 'node:assert/strict';
import type { KeyRange } from '../../state/database.ts';
import { compareBytes } from '../common/bytes.ts';
import { asText, bytes, type DatabaseCase, keys, read, write, writeNumbers } from './database-conformance-kit.ts';

/** How keys are ordered, and what a range of them gives. */
export const rangeCases: readonly DatabaseCase[] = [
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
    'the approximate size of a range is a number of bytes, for any bounds',
    async (database) => {
      await writeNumbers(database, 1000);
      for (const range of [{}, { gte: bytes(1) }, { lt: bytes(1) }, { gt: bytes(0), lte: bytes(1) }]) {
        const size = await database.approximateSize(range);
        assert.ok(Number.isInteger(size) && size >= 0, `${size}`);
      }
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
