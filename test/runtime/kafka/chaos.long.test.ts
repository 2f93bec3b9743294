import test from 'ava';
import { ChaosRun, type RunReport } from './chaos-run.ts';
import { scheduleOf } from './chaos-schedule.ts';

const runs = Number(process.env.CHAOS_RUNS ?? 6);
const atOnce = 6;
const firstSeed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9));
const only = process.env.TEST_SEED !== undefined && process.env.CHAOS_RUNS === undefined;

async function chaos(guarantee: 'exactly_once' | 'at_least_once', count: number): Promise<readonly RunReport[]> {
  const seeds = Array.from({ length: only ? 1 : count }, (_, i) => firstSeed + i);
  const reports: RunReport[] = [];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
      try {
        reports.push(await new ChaosRun(scheduleOf(seed), guarantee).run());
      } catch (error) {
        failures.push(error);
      }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const failure of failures) console.log(failure);
  if (failures.length > 0) throw failures[0];
  return reports;
}

function total(reports: readonly RunReport[]): Record<string, number> {
  const sums: Record<string, number> = { runs: reports.length };
  for (const { done, events, late } of reports) {
    for (const [what, times] of [...done, ['events', events], ['late', late]] as const)
      sums[what] = (sums[what] ?? 0) + times;
  }
  return sums;
}

test('exactly once: whatever happens to the instances, every result is that of an undisturbed count', async (t) => {
  t.timeout(3_600_000);
  const reports = await chaos('exactly_once', runs);
  t.log(`TEST_SEED=${firstSeed}`, JSON.stringify(total(reports)));
  t.pass();
});
