import { randomBytes } from 'node:crypto';
import test from 'ava';
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts';
import { Random } from '../random-input.ts';
import { buildTopology } from './build.ts';
import { differencesFromModel } from './compare.ts';
import type { Outcome, RandomCase } from './description.ts';
import { randomCase } from './generate.ts';
import { runCase, sent, storesOf } from './run-case.ts';

const seed = randomBytes(4).toString('hex');
const cases = 200;

/** Runs a case in a driver with caches that are flushed now and then, and in the end. */
async function flushedAtRandom(given: RandomCase, random: Random): Promise<Outcome> {
  const { topology, outputs } = buildTopology(given.nodes);
  const driver = await TopologyTestDriver.create(topology, { caching: true });
  try {
    for (const [topic, key, value, timestamp] of given.input) {
      await driver.inputTopic(topic).pipeInput(key ?? undefined, value ?? undefined, timestamp);
      if (random.chance(25)) await driver.flush();
    }
    await driver.flush();
    const stores = await storesOf(driver, given.nodes, given.input);
    const dropped = Object.values(driver.dropped()).reduce((sum, count) => sum + count, 0);
    return { output: sent(driver, outputs), stores, dropped };
  } finally {
    await driver.close();
  }
}

test('without caches nothing depends on when commits happen', async (t) => {
  for (let i = 0; i < cases; i++) {
    const given = randomCase(`${seed}-${i}`);
    const uncached = { ...given, nodes: given.nodes.map((node) => ({ ...node, cached: false })) };
    const found = await flushedAtRandom(uncached, new Random(given.seed));
    t.deepEqual(found, await runCase(uncached, 'uncached'), `seed ${given.seed}`);
  }
});

test('with caches tables hold what is computed, whenever commits happen', async (t) => {
  for (let i = 0; i < cases; i++) {
    const given = randomCase(`${seed}-${i}`);
    const found = await flushedAtRandom(given, new Random(given.seed));
    t.deepEqual(differencesFromModel(given, found, await runCase(given, 'uncached')), [], `seed ${given.seed}`);
  }
});
