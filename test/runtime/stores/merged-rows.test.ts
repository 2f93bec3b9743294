import test from 'ava';
import fc from 'fast-check';
import { compareBytes } from '../../../src/common/bytes.ts';
import type { ByteRow } from '../../../src/runtime/stores/byte-rows.ts';
import { mergedRows } from '../../../src/runtime/stores/merged-rows.ts';
import { arrayPart, row, rowsIn, shown } from '../parts/byte-parts.ts';

const everything = (rows: readonly ByteRow[], pageRows: number): AsyncIterable<readonly ByteRow[]> =>
  arrayPart(0, rows, pageRows).rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

test('rows of any parts come by start, then key', async (t) => {
  const rows = fc.array(
    fc.record({
      startMs: fc.integer({ min: -3, max: 3 }),
      key: fc.uint8Array({ maxLength: 3 }),
      value: fc.uint8Array({ maxLength: 1 }),
    }),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { maxLength: 9 }), fc.integer({ min: 1, max: 4 }), async (parts, pageRows) => {
      const merged = await rowsIn(mergedRows(parts.map((part) => everything(part, pageRows))));
      const order = (a: ByteRow, b: ByteRow): number => a.startMs - b.startMs || compareBytes(a.key, b.key);
      for (let i = 1; i < merged.length; i++) t.true(order(merged[i - 1]!, merged[i]!) <= 0);
      const bag = (list: readonly ByteRow[]): string[] =>
        list.map(({ startMs, key, value }) => `${startMs} ${key} ${value}`).sort();
      t.deepEqual(bag(merged), bag(parts.flat()));
    }),
  );
});

test('more rows than a page has come whole', async (t) => {
  const rows = Array.from({ length: 5000 }, (_, i) => row(0, String(i).padStart(5, '0'), `v${i}`));
  const parts = [0, 1, 2].map((part) => rows.filter((_, i) => i % 3 === part));
  t.deepEqual(shown(await rowsIn(mergedRows(parts.map((part) => everything(part, 700))))), shown(rows));
});

/** Rows without end, which tells how often it was closed. */
function endless(closed: string[], name: string): AsyncIterable<readonly ByteRow[]> {
  async function* pages(): AsyncGenerator<readonly ByteRow[]> {
    try {
      for (let i = 0; ; i++) yield [row(i, name, 'v')];
    } finally {
      closed.push(name);
    }
  }
  return pages();
}

test('all parts are closed when the reader has seen enough', async (t) => {
  const closed: string[] = [];
  for await (const page of mergedRows(['a', 'b', 'c'].map((name) => endless(closed, name)))) {
    t.true(page.length > 0);
    break;
  }
  t.deepEqual(closed.sort(), ['a', 'b', 'c']);
});

test('a part that fails fails the whole, and the others are closed', async (t) => {
  for (const good of [0, 3]) {
    const closed: string[] = [];
    async function* failing(): AsyncGenerator<readonly ByteRow[]> {
      for (let i = 0; i < good; i++) yield [row(i, 'f', 'v')];
      throw new Error('gone');
    }
    await t.throwsAsync(rowsIn(mergedRows([endless(closed, 'a'), failing(), endless(closed, 'b')])), {
      message: 'gone',
    });
    t.deepEqual(closed.sort(), ['a', 'b'], `${good} good pages`);
  }
});
