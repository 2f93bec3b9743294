import test from 'ava';
import fc from 'fast-check';
import { compareBytes } from '../../src/common/bytes.ts';
import { SortedTree } from '../../state/sorted-tree.ts';

type Change = readonly [Uint8Array, Uint8Array | null];

/** Runs of neighbouring keys, so that nodes fill, split and empty. */
const changes = fc
  .array(
    fc.record({
      from: fc.integer({ min: 0, max: 1200 }),
      count: fc.integer({ min: 1, max: 400 }),
      step: fc.constantFrom(1, -1, 7),
      remove: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((runs) =>
    runs.flatMap(({ from, count, step, remove }, run): Change[] =>
      Array.from({ length: count }, (_, i) => [
        keyOf(Math.abs(from + i * step)),
        remove ? null : Uint8Array.of(run, i & 255),
      ]),
    ),
  );

function keyOf(n: number): Uint8Array {
  return n % 5 === 0 ? Uint8Array.of(n >> 8, n & 255, 0) : Uint8Array.of(n >> 8, n & 255);
}

function applyTo(model: Map<string, Change>, edits: readonly Change[]): void {
  for (const [key, value] of edits) {
    const name = key.join();
    if (value === null) model.delete(name);
    else model.set(name, [key, value]);
  }
}

function sorted(model: Map<string, Change>): Change[] {
  return [...model.values()].sort(([a], [b]) => compareBytes(a, b));
}

test('a tree edited at random holds what a sorted map holds, and the trees before it do not change', (t) => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 6 }), (edits) => {
      const model = new Map<string, Change>();
      let tree = SortedTree.empty;
      const versions: [SortedTree, Change[]][] = [];
      for (const edit of edits) {
        versions.push([tree, sorted(model)]);
        tree = tree.edit(edit);
        applyTo(model, edit);
      }
      versions.push([tree, sorted(model)]);
      for (const [version, expected] of versions) {
        t.deepEqual([...version.entries({})], expected as never);
        t.deepEqual([...version.entries({ reverse: true })], [...expected].reverse() as never);
        for (const [key, value] of expected.slice(0, 50)) t.is(version.get(key), value!);
      }
      t.is(tree.get(Uint8Array.of(99)), undefined);
    }),
    { numRuns: 30 },
  );
  t.deepEqual([...SortedTree.empty.entries({})], []);
});
