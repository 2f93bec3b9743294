import { type Figures, lineOf, median } from '../../lib/figures.ts';
import type { ChildRun } from '../../lib/run-child.ts';
import type { BenchBroker } from './bench-broker.ts';

/** What a piece of work on Kafka took. */
export interface KafkaFigures extends Figures {
  /** User and system time of the broker meanwhile; undefined where it is not told. */
  readonly brokerCpuSeconds: number | undefined;
}

/** Something that is measured in turn with others. */
export interface Contender {
  readonly title: string;
  /** Does the work once, checks its result and tells what the work took. */
  run(): Promise<KafkaFigures>;
}

/** Runs all contenders one after the other, so often, and prints the medians. */
export async function inTurn(contenders: readonly Contender[], runs: number): Promise<void> {
  const all = new Map<Contender, KafkaFigures[]>(contenders.map((contender) => [contender, []]));
  for (let run = 1; run <= runs; run++)
    for (const contender of contenders) {
      const figures = await contender.run();
      all.get(contender)!.push(figures);
      print(figures, `run ${run} of ${runs}`);
    }
  console.log(`medians of ${runs}`);
  for (const figures of all.values()) print(median(figures) as KafkaFigures, '');
}

/** Prints a line of figures. */
export function print(figures: KafkaFigures, remark: string): void {
  const { brokerCpuSeconds } = figures;
  const broker = brokerCpuSeconds === undefined ? '' : `  broker cpu ${brokerCpuSeconds.toFixed(2).padStart(7)} s`;
  console.log(`${lineOf(figures)}${broker}  ${remark}`.trimEnd());
}

/** Measures a process, and the broker beside it. */
export async function beside(
  broker: BenchBroker,
  title: string,
  count: number,
  run: () => Promise<ChildRun>,
): Promise<KafkaFigures> {
  const before = broker.cpuSeconds();
  const { wallSeconds, cpuSeconds, peakRssBytes } = await run();
  const after = broker.cpuSeconds();
  const brokerCpuSeconds = before === undefined || after === undefined ? undefined : after - before;
  return { title, count, perSecond: count / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes, brokerCpuSeconds };
}
