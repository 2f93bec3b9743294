import type { ExecutionContext } from 'ava';
import fc from 'fast-check';

/** Checks a property and prints its seed, so that a run can be had again: `TEST_SEED=<seed>`. */
export async function check<T>(t: ExecutionContext, property: fc.IRawProperty<T>, numRuns: number): Promise<void> {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 0x7fffffff));
  t.log(`seed ${seed}, ${numRuns} runs`);
  await fc.assert(property as fc.IProperty<T>, { seed, numRuns });
  t.pass();
}
