import test from 'ava';
import fc from 'fast-check';
import type { Grouping } from '../../../../topologies/grid/statistics/statistic.ts';
import { WindowRows } from '../../../../topologies/grid/statistics/window-rows.ts';

function sorted(grouping: Grouping, keys: readonly string[]): string[] {
  const rows = new WindowRows(grouping, 0, 1);
  keys.forEach((key, i) => {
    rows.add(key, { ev_C: 0, ev_K: i + 1, ev_N: 0 });
  });
  return [...rows.rows()].map(({ key, n }) => `${key} ${keys[n - 1]}`);
}

const shown = (keys: readonly string[]) => keys.map((key) => `${key} ${key}`);

test('any keys come in the order of their UTF-8 bytes, each with its own counts', (t) => {
  const words = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(words, (keys) => {
      const inOrder = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      t.deepEqual(sorted('pdk', keys), shown(inOrder));
    }),
    { numRuns: 200 },
  );
});

test('equipment comes in the order of its two columns', (t) => {
  t.deepEqual(
    sorted('equipment', ['K:1', 'CA:1', 'C:2', 'C:10', 'C:1:1', 'C!:1', 'C:1']),
    shown(['C:1', 'C:10', 'C:1:1', 'C:2', 'C!:1', 'CA:1', 'K:1']),
  );
});

test('several ascending runs, such as those of several tasks, are merged', (t) => {
  const keys = Array.from({ length: 3000 }, (_, i) => `C:${10_000 + i}`);
  for (const tasks of [2, 3, 7]) {
    const byTask = Array.from({ length: tasks }, (_, task) => keys.filter((_, i) => i % tasks === task)).flat();
    t.deepEqual(sorted('equipment', byTask), shown(keys));
  }
});

test('a window without rows has none', (t) => {
  const rows = new WindowRows('type', 0, 1);
  t.deepEqual([...rows.rows()], []);
  t.is(rows.size, 0);
});
