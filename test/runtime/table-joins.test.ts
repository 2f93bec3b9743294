import test from 'ava';
import fc from 'fast-check';
import { Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { texts } from '../dsl/text-driver.ts';

/** A change of one side's row, or a flush of all caches. */
type Step = { readonly side: 'left' | 'right'; readonly key: string; readonly value: string | undefined } | 'flush';

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        side: fc.constantFrom('left' as const, 'right' as const),
        key: fc.constantFrom('a', 'b'),
        value: fc.constantFrom('1', '2', '7', undefined),
      }),
    },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  ),
  { maxLength: 40 },
);

interface Shape {
  readonly leftJoin: boolean;
  readonly materialized: boolean;
  /** A filter and a mapper stand between the left table and the join. */
  readonly derived: boolean;
}

/** Sums of the left values by right value, over a join of two tables. */
function grouped({ leftJoin, materialized, derived }: Shape): Topology {
  const builder = new StreamsBuilder();
  const table = builder.table('left', { ...texts, name: 'left' });
  const left = derived ? table.filter((_key, value) => value !== '7').mapValues((value) => `${value}0`) : table;
  const right = builder.table('right', { ...texts, name: 'right' });
  const pair = (value: string, group: string | undefined): string => `${value}/${group ?? 'none'}`;
  const options = materialized ? { ...texts, name: 'joined', materialize: true } : {};
  (leftJoin ? left.leftJoin(right, pair, options) : left.join(right, pair, options))
    .groupBy((_key, value) => [value.split('/')[1]!, Number(value.split('/')[0])], {
      name: 'by-right',
      keySerde: Serdes.string,
      valueSerde: Serdes.int64,
    })
    .aggregate(
      () => 0,
      (_group, value, sum) => sum + value,
      (_group, value, sum) => (sum === value ? undefined : sum - value),
      { name: 'sums', valueSerde: Serdes.int64 },
    );
  return builder.build();
}

/** The sums counted from the last values of both sides. */
function recount(steps: readonly Step[], { leftJoin, derived }: Shape): string[] {
  const sides = { left: new Map<string, string>(), right: new Map<string, string>() };
  for (const step of steps) {
    if (step === 'flush') continue;
    if (step.value === undefined) sides[step.side].delete(step.key);
    else sides[step.side].set(step.key, step.value);
  }
  const sums = new Map<string, number>();
  for (const [key, value] of sides.left) {
    const group = sides.right.get(key) ?? (leftJoin ? 'none' : undefined);
    if (group === undefined || (derived && value === '7')) continue;
    sums.set(group, (sums.get(group) ?? 0) + Number(derived ? `${value}0` : value));
  }
  return [...sums].map(([group, sum]) => `${group} ${sum}`).sort();
}

for (const leftJoin of [false, true])
  for (const materialized of [false, true]) {
    const kind = `${leftJoin ? 'a left' : 'an inner'} join of tables${materialized ? ' with a store' : ''}`;
    test(`groups over ${kind} are those of a recount, whatever waits in caches and is flushed when`, async (t) => {
      await fc.assert(
        fc.asyncProperty(anySteps, fc.boolean(), fc.boolean(), async (steps, caching, derived) => {
          const shape: Shape = { leftJoin, materialized, derived };
          const driver = await TopologyTestDriver.create(grouped(shape), { caching, partitions: 2 });
          for (const [at, step] of steps.entries()) {
            if (step === 'flush') await driver.flush();
            else await driver.inputTopic<string, string>(step.side).pipeInput(step.key, step.value, at);
          }
          await driver.flush();
          const rows = await driver.rows<string, number>('sums');
          t.deepEqual(rows.map(({ key, value }) => `${key} ${value}`).sort(), recount(steps, shape));
          await driver.close();
        }),
        { numRuns: 80 },
      );
    });
  }
