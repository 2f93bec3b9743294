import test from 'ava';
import { differenceOf, differences } from './differences.ts';
import { loadExpected, loadScenario, type ParityExpected, scenarioNames } from './load-scenarios.ts';
import { runScenario, topologyNames } from './run-scenario.ts';

for (const name of scenarioNames()) {
  const difference = differenceOf(name);
  if (difference?.compared === 'skipped') continue;
  const comparable = (result: ParityExpected): ParityExpected =>
    difference === undefined
      ? result
      : { ...result, output: difference.compared === 'by topic' ? byTopic(result.output) : inOneOrder(result.output) };
  test(`${name}: outputs, stores and drops are those of Kafka Streams`, async (t) => {
    const expected = loadExpected(name);
    t.deepEqual(comparable(await runScenario(loadScenario(name), expected, { cached: false })), comparable(expected));
  });
  if (Object.keys(loadExpected(name).stores).length > 0)
    test(`${name}, with caches flushed after each record: as Kafka Streams with caches`, async (t) => {
      const expected = loadExpected(name, { cached: true });
      t.deepEqual(comparable(await runScenario(loadScenario(name), expected, { cached: true })), comparable(expected));
    });
}

test('every topology of the scenarios is built here, and none besides', (t) => {
  t.deepEqual(
    [...topologyNames].sort(),
    [...new Set(scenarioNames().map((name) => loadScenario(name).topology))].sort(),
  );
});

test('every difference is about some scenario', (t) => {
  for (const { scenarios } of differences)
    t.true(
      scenarioNames().some((name) => scenarios.test(name)),
      String(scenarios),
    );
});

function byTopic<T extends { readonly topic: string }>(output: readonly T[]): readonly T[] {
  return [...output].sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
}

function inOneOrder<T>(output: readonly T[]): readonly T[] {
  return [...output].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
