import { together } from '../../common/histogram.ts';
import type { EngineStats, TaskWork } from '../engine-stats.ts';
import { addedTimes, noTimes } from '../record-times.ts';
import type { KafkaGlobalStats, KafkaStats, KafkaTaskWork } from './kafka-stats.ts';
import { addedStores, addedTo } from './slot-work.ts';

/** Figures of a thread; of one that is no more, or hangs, what it has done. */
export interface ThreadFigures {
  readonly engine: EngineStats;
  readonly kafka: KafkaStats;
}

/** The work of threads that are no more, as one: of what they had nothing is left. */
export function pastWork(all: readonly ThreadFigures[]): ThreadFigures {
  const engine = mergedEngineStats(all.map((each) => each.engine));
  const kafka = mergedKafkaStats(all.map((each) => each.kafka));
  return {
    engine: {
      ...engine,
      tasks: [],
      stores: [],
      formerStores: addedStores([...engine.stores, ...(engine.formerStores ?? [])]).map((store) => ({
        ...store,
        cachedEntries: 0,
        dirtyBytes: 0,
      })),
      lastCommitAtMs: undefined,
    },
    kafka: { ...kafka, generation: -1, tasks: [], threads: [], storeBytes: {}, committedEventTimeMs: undefined },
  };
}

/** Looks at the threads of one instance, as one; its state is that of the first. */
export function mergedEngineStats(all: readonly EngineStats[]): EngineStats {
  const [first] = all as [EngineStats];
  if (all.length === 1) return first;
  const open = new Set(all.flatMap(({ stores }) => stores.map(({ store }) => store)));
  const former = all.flatMap(({ formerStores = [] }) => formerStores);
  return {
    ...first,
    tasks: onceEach(
      all.flatMap(({ tasks }) => tasks),
      ({ taskId }) => taskId,
    ),
    stores: addedStores([...all.flatMap(({ stores }) => stores), ...former.filter(({ store }) => open.has(store))]),
    formerStores: addedStores(former.filter(({ store }) => !open.has(store))),
    work: mergedWork(all.map(({ work }) => work)),
    feedWork: all.flatMap(({ feedWork }) => feedWork),
    commits: sumOf(all, ({ commits }) => commits),
    commitDurations: all.map(({ commitDurations }) => commitDurations).reduce(together),
    committedRows: sumOf(all, ({ committedRows }) => committedRows),
    lastCommitAtMs: greatest(all.map(({ lastCommitAtMs }) => lastCommitAtMs)),
    errors: summed(all.map(({ errors }) => errors)),
  };
}

/**
 * As {@link mergedEngineStats}, for what only the runtime on Kafka knows.
 *
 * @param past - Of threads that are no more.
 */
export function mergedKafkaStats(now: readonly KafkaStats[], past: readonly KafkaStats[] = []): KafkaStats {
  const [first] = now as [KafkaStats];
  const all = [...now, ...past];
  if (all.length === 1) return first;
  const outputs = new Map<string, { readonly topic: string; records: number; bytes: number }>();
  for (const { topic, records, bytes } of all.flatMap((each) => each.outputs)) {
    const sum = outputs.get(topic) ?? { topic, records: 0, bytes: 0 };
    sum.records += records;
    sum.bytes += bytes;
    outputs.set(topic, sum);
  }
  return {
    ...first,
    generation: Math.max(...all.map(({ generation }) => generation)),
    rebalances: Math.max(...all.map(({ rebalances }) => rebalances)),
    tasks: onceEach(
      all.flatMap(({ tasks }) => tasks),
      ({ taskId, kind }) => `${taskId} ${kind}`,
    ),
    threads: all.flatMap(({ threads }) => threads),
    work: mergedKafkaWork(all.map(({ work }) => work)),
    consumed: summed(all.map(({ consumed }) => consumed)),
    // Each thread reads all of every global topic.
    globals: first.globals.map((global) => leastGlobal(global, now)),
    unread: now.find(({ unread }) => unread.length > 0)?.unread ?? [],
    commitFailures: sumOf(all, ({ commitFailures }) => commitFailures),
    transactionsAborted: sumOf(all, ({ transactionsAborted }) => transactionsAborted),
    tasksMigrated: sumOf(all, ({ tasksMigrated }) => tasksMigrated),
    outputs: [...outputs.values()],
    deadLetters: summed(all.map(({ deadLetters }) => deadLetters)),
    letters: all.flatMap(({ letters = [] }) => letters),
    lateLetters: sumOf(all, ({ lateLetters }) => lateLetters),
    committedEventTimeMs: greatest(all.map(({ committedEventTimeMs }) => committedEventTimeMs)),
    storeBytes: summed(all.map(({ storeBytes }) => storeBytes)),
  };
}

/** How far all threads have come. One that has not begun to read is at 0. */
function leastGlobal({ topic, partition }: KafkaGlobalStats, all: readonly KafkaStats[]): KafkaGlobalStats {
  const same = all.map(({ globals }) => globals.find((each) => each.topic === topic && each.partition === partition));
  return {
    topic,
    partition,
    position: Math.min(...same.map((global) => global?.position ?? 0)),
    lag: Math.max(...same.map((global) => global?.lag ?? 0)),
  };
}

/** A task on its way between threads is told by both for a moment: the last one has it. */
function onceEach<T>(all: readonly T[], nameOf: (each: T) => string): readonly T[] {
  return [...new Map(all.map((each) => [nameOf(each), each])).values()];
}

function mergedWork(all: readonly EngineStats['work'][]): EngineStats['work'] {
  const sum: Record<string, TaskWork> = {};
  for (const [taskId, { processed, dropped, punctuations, times }] of all.flatMap((work) => Object.entries(work))) {
    const before = sum[taskId];
    sum[taskId] = {
      processed: processed + (before?.processed ?? 0),
      dropped: addedTo(before?.dropped ?? {}, dropped) as TaskWork['dropped'],
      punctuations: punctuations + (before?.punctuations ?? 0),
      times: addedTimes(before?.times ?? noTimes, times),
    };
  }
  return sum;
}

function mergedKafkaWork(all: readonly KafkaStats['work'][]): KafkaStats['work'] {
  const sum: Record<string, KafkaTaskWork> = {};
  for (const [taskId, { restored, restores }] of all.flatMap((work) => Object.entries(work))) {
    const before = sum[taskId];
    sum[taskId] = {
      restored: restored + (before?.restored ?? 0),
      restores: before === undefined ? restores : together(before.restores, restores),
    };
  }
  return sum;
}

function sumOf<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0);
}

function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  return all.reduce<Record<string, number>>(addedTo, {});
}

function greatest(all: readonly (number | undefined)[]): number | undefined {
  const known = all.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
