import test from 'ava';
import fc from 'fast-check';
import { StreamsBuilder, TimeWindows, untilWindowCloses } from '../../src/index.ts';
import { TextDriver, tell, texts } from '../dsl/text-driver.ts';

const sizeMs = 20;
const graceMs = 5;

async function suppressing(caching: boolean): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, graceMs))
    .count({ name: 'counts' });
  tell(counts.suppress(untilWindowCloses({ name: 'final' })));
  return TextDriver.of(builder, { caching });
}

test('with caches a window leaves with the flush after its close, with all that counted', async (t) => {
  const driver = await suppressing(true);
  await driver.pipe('in', 'b x @19');
  t.deepEqual(await driver.flush(), []);
  // b is updated after a, whose later update closes the window of b: a's row is told first.
  await driver.pipe('in', 'a x @21', 'b x @18', 'a x @30');
  t.deepEqual(await driver.flush(), ['out [b@0/20] 2 @19']);
  await driver.driver.finish();
  t.deepEqual(driver.outputs(), ['out [a@20/40] 2 @30']);
  t.deepEqual(await driver.rows('final'), []);
});

test('each window leaves once, with its final count, whatever waits in caches and is flushed when', async (t) => {
  const records = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      step: fc.integer({ min: -12, max: 9 }),
      flush: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 50 },
  );
  await fc.assert(
    fc.asyncProperty(records, fc.boolean(), async (steps, caching) => {
      const driver = await suppressing(caching);
      const counts = new Map<string, number>();
      const out: string[] = [];
      let time = 20;
      let stream = 0;
      for (const { key, step, flush } of steps) {
        time = Math.max(0, time + step);
        stream = Math.max(stream, time);
        const start = Math.floor(time / sizeMs) * sizeMs;
        const window = `[${key}@${start}/${start + sizeMs}]`;
        if (start + sizeMs > stream - graceMs) counts.set(window, (counts.get(window) ?? 0) + 1);
        out.push(...(await driver.pipe('in', `${key} x @${time}`)));
        if (flush === 0) out.push(...(await driver.flush()));
      }
      await driver.driver.finish();
      out.push(...driver.outputs());
      t.deepEqual(
        out.map((line) => line.replace(/^out | @\d+$/g, '')).sort(),
        [...counts].map(([window, n]) => `${window} ${n}`).sort(),
      );
      await driver.driver.close();
    }),
    { numRuns: 120 },
  );
});
