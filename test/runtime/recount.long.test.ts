import test from 'ava';
import fc from 'fast-check';
import type { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { anySteps, recount, tableNames, tablesOf, taken } from './recount.ts';

test('events and changes of the park in any order give the tables that a recount from scratch gives', async (t) => {
  await fc.assert(
    fc.asyncProperty(anySteps, fc.boolean(), fc.integer({ min: 1, max: 4 }), async (steps, caching, partitions) => {
      const driver = await taken(steps, { caching, partitions });
      t.deepEqual(await tablesOf(driver), recount(steps));
      await driver.close();
    }),
    { numRuns: 150 },
  );
});

test('the total never changes with the park, and no row is ever negative or 0 where 0 has no row', async (t) => {
  await fc.assert(
    fc.asyncProperty(anySteps, async (steps) => {
      let total = 0;
      let at = 0;
      const check = async (driver: TopologyTestDriver): Promise<void> => {
        const step = steps[at++]!;
        if (step.what === 'event') total += step.units;
        t.is(driver.keyValue<string, number>('total', 'all')?.value ?? 0, total);
        for (const name of tableNames)
          for (const { value } of await driver.rows<string, number>(name))
            t.true(value > 0 || (value === 0 && name === 'day-meter'));
      };
      await (await taken(steps, { caching: false, afterEach: check })).close();
    }),
    { numRuns: 60 },
  );
});

test('any number of partitions gives the same digest', async (t) => {
  const many = fc.sample(anySteps, { numRuns: 12, seed: 8 }).flat();
  const digests = new Set<string>();
  for (let partitions = 1; partitions <= 7; partitions++) {
    const driver = await taken(many, { caching: true, partitions });
    digests.add(await driver.digest());
    await driver.close();
  }
  t.is(digests.size, 1);
});

test('caches and the moments of their flushes leave no trace in the tables or the digest', async (t) => {
  await fc.assert(
    fc.asyncProperty(anySteps, anySteps, async (steps, more) => {
      const mixed = [...steps, ...more];
      const without = mixed.filter(({ what }) => what !== 'flush');
      const drivers = [
        await taken(without, { caching: false }),
        await taken(without, { caching: true }),
        await taken(mixed, { caching: true }),
        await taken(without, { caching: true, afterEach: (driver) => driver.flush() }),
      ];
      const digests = await Promise.all(drivers.map((driver) => driver.digest()));
      t.is(new Set(digests).size, 1);
      for (const driver of drivers) {
        t.deepEqual(await tablesOf(driver), recount(mixed));
        await driver.close();
      }
    }),
    { numRuns: 60 },
  );
});
