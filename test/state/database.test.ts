import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { compareBytes, equalBytes } from '../../src/common/bytes.ts';
import type { DatabaseFactory, Entry, KeyRange, Reader, Snapshot } from '../../state/database.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';

// The model: an array of entries, sorted at each look.
type Model = readonly Entry[];

type Operation =
  | {
      readonly do: 'write';
      readonly changes: readonly (readonly [Uint8Array, Uint8Array | null])[];
      readonly sync: boolean;
    }
  | { readonly do: 'read'; readonly range: KeyRange; readonly pageSize: number; readonly from: number }
  | { readonly do: 'get'; readonly keys: readonly Uint8Array[]; readonly from: number }
  | { readonly do: 'snapshot' }
  | { readonly do: 'reopen' };

const key = fc.array(fc.constantFrom(0, 1, 127, 128, 255), { maxLength: 3 }).map((values) => Uint8Array.from(values));
const value = fc.uint8Array({ maxLength: 5 });
const range: fc.Arbitrary<KeyRange> = fc.record(
  { gte: key, gt: key, lt: key, lte: key, reverse: fc.boolean(), limit: fc.nat(6) },
  { requiredKeys: [] },
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      changes: fc.array(fc.tuple(key, fc.option(value)), { maxLength: 30 }),
      sync: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      range,
      pageSize: fc.integer({ min: 1, max: 9 }),
      from: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('get' as const), keys: fc.array(key, { maxLength: 5 }), from: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

function changed(model: Model, changes: readonly (readonly [Uint8Array, Uint8Array | null])[]): Model {
  let next = model;
  for (const [key, value] of changes) {
    next = next.filter(([other]) => !equalBytes(other, key));
    if (value !== null) next = [...next, [key, value]];
  }
  return [...next].sort(([a], [b]) => compareBytes(a, b));
}

function inRange(model: Model, { gte, gt, lt, lte, reverse, limit }: KeyRange): Model {
  const found = model.filter(
    ([key]) =>
      (gte ? compareBytes(key, gte) >= 0 : !gt || compareBytes(key, gt) > 0) &&
      (lte ? compareBytes(key, lte) <= 0 : !lt || compareBytes(key, lt) < 0),
  );
  return (reverse ? found.reverse() : found).slice(0, limit);
}

async function runOperations(
  t: ExecutionContext,
  factory: DatabaseFactory,
  persistent: boolean,
  operations: readonly Operation[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-model-'));
  let database = await factory(folder);
  let model: Model = [];
  let snapshots: { readonly reader: Snapshot; readonly model: Model }[] = [];
  const view = (from: number): { readonly reader: Reader; readonly model: Model } =>
    snapshots[from] ?? { reader: database, model };
  for (const step of operations) {
    if (step.do === 'write') {
      const batch = database.batch();
      for (const [key, value] of step.changes) {
        if (value === null) batch.del(key);
        else batch.put(key, value);
      }
      await batch.write({ sync: step.sync });
      model = changed(model, step.changes);
    } else if (step.do === 'read') {
      const { reader, model } = view(step.from);
      const entries: Entry[] = [];
      for await (const page of reader.pages(step.range, step.pageSize)) entries.push(...page);
      t.deepEqual(entries, inRange(model, step.range) as Entry[]);
    } else if (step.do === 'get') {
      const { reader, model } = view(step.from);
      const expected = step.keys.map((key) => model.find(([other]) => equalBytes(other, key))?.[1]);
      t.deepEqual(await reader.getMany(step.keys), expected);
      t.deepEqual(
        step.keys.map((key) => reader.get(key)),
        expected,
      );
    } else if (step.do === 'snapshot') {
      snapshots.push({ reader: database.snapshot(), model });
    } else if (persistent) {
      await database.close();
      snapshots = [];
      database = await factory(folder);
    }
  }
  await database.close();
  await rm(folder, { recursive: true });
}

for (const [name, factory, persistent, numRuns] of [
  ['LevelDB', (location: string) => openLevelDatabase(location), true, 40],
  ['memory', openMemoryDatabase, false, 150],
] as const) {
  test(`${name}: any sequence of batches, reads and snapshots gives what a sorted array gives`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), (operations) =>
        runOperations(t, factory, persistent, operations),
      ),
      { numRuns },
    );
    t.pass();
  });
}
