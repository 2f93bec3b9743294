import test from 'ava';
import { differencesBetween, type Outcomes } from './compare.ts';
import type { RandomCase } from './description.ts';
import { loadKept } from './kept.ts';
import { keptCases } from './kept-cases.ts';
import { runCase } from './run-case.ts';

function caseOf(name: string): RandomCase {
  const { nodes, input } = keptCases.find((kept) => kept.name === name)!;
  return { seed: name, nodes, input };
}

async function oursOf(given: RandomCase): Promise<Outcomes> {
  return { uncached: await runCase(given, 'uncached'), cached: await runCase(given, 'cached') };
}

for (const { name, without, differs } of keptCases) {
  if (differs) continue;
  if (without === undefined)
    test(`${name}: as Kafka Streams`, async (t) => {
      const given = caseOf(name);
      t.deepEqual([...differencesBetween(given, await oursOf(given), loadKept(name).theirs)], []);
    });
  else
    test(`${name}: as Kafka Streams without ${Object.keys(without).join()}, and not as it is`, async (t) => {
      const given = caseOf(name);
      const ours = await oursOf(given);
      const { theirs, withoutCause } = loadKept(name);
      t.true(differencesBetween(given, ours, theirs).size > 0);
      t.deepEqual([...differencesBetween(given, ours, withoutCause!)], []);
    });
}

/** What both hold in a store. */
async function bothOf(name: string, store: string, mode: keyof Outcomes) {
  const ours = await runCase(caseOf(name), mode);
  return { ours: ours.stores[store], theirs: loadKept(name).theirs[mode].stores[store] };
}

test('a filter below joins that share a side keeps no row that does not pass', async (t) => {
  const { ours, theirs } = await bothOf('stored-filter-below-joins-that-share-a-side', 'n4', 'uncached');
  t.deepEqual(ours, []);
  t.deepEqual(theirs, []);
});

test('three rows of a count are three rows when they are counted; Kafka Streams without a cache counts one', async (t) => {
  const { ours, theirs } = await bothOf('new-row-of-an-aggregate', 'n4', 'uncached');
  t.deepEqual(ours, [['k0', '3', 3]]);
  t.deepEqual(theirs, [['k0', '1', 3]]);
});

test('two rows of a stored join of a table with itself are two rows; Kafka Streams counts each twice', async (t) => {
  const { ours, theirs } = await bothOf('stored-join-with-itself', 'n3', 'uncached');
  t.deepEqual(ours, [['k0', '2', 2]]);
  t.deepEqual(theirs, [['k0', '4', 2]]);
});

test('two windows that left suppression are two rows; Kafka Streams subtracts what it held back', async (t) => {
  const { ours, theirs } = await bothOf('groups-of-what-was-suppressed', 'n5', 'uncached');
  t.deepEqual(ours, [['k0', '2', 15]]);
  t.deepEqual(theirs, [['k0', '1', 15]]);
});

test('a deletion in the place of a version holds against what comes late; Kafka Streams forgets it', async (t) => {
  const name = 'deletion-in-the-place-of-a-version';
  const ours = await runCase(caseOf(name), 'uncached');
  const told = ({ output }: typeof ours): readonly unknown[] => output.map(([, , value]) => value);
  // As of its own time, and the latest: B is valid in [10, 20), and then nothing.
  t.deepEqual(told(ours), ['A|A', 'null|null', 'B|null']);
  t.deepEqual(told(loadKept(name).theirs.uncached), ['A|A', 'null|null', 'B|B']);
});

test('what was added of a join of cached tables is what is subtracted; Kafka Streams subtracts what it never added', async (t) => {
  const name = 'join-of-a-cached-table-with-what-it-is-made-of';
  const { ours, theirs } = await bothOf(name, 'n4', 'cached');
  const joined = (await bothOf(name, 'n1', 'cached')).ours;
  t.deepEqual(joined, [['a', '2!', 2]]);
  // The sum over one row is the number made of `2!/2`.
  t.deepEqual(ours, [['k0', '25', 2]]);
  t.notDeepEqual(theirs, ours);
});
