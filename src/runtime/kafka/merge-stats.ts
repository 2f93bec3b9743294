import type { EngineStats, StoreStats, StreamsState } from '../engine-stats.ts';
import type { KafkaGlobalStats, KafkaStats } from './kafka-stats.ts';

/** The state of several clients as one: the worst of them. */
const worstFirst: readonly StreamsState[] = [
  'ERROR',
  'PENDING_SHUTDOWN',
  'CREATED',
  'REBALANCING',
  'NOT_RUNNING',
  'RUNNING',
];

/** Looks at the threads of one process, as one. */
export function mergedEngineStats(all: readonly EngineStats[]): EngineStats {
  const [first] = all as [EngineStats];
  if (all.length === 1) return first;
  const stores = new Map<string, StoreStats>();
  for (const stats of all.flatMap((each) => each.stores)) {
    const sum = stores.get(stats.store);
    if (sum === undefined) {
      stores.set(stats.store, { ...stats });
      continue;
    }
    for (const field of ['hits', 'misses', 'puts', 'cachedEntries', 'dirtyBytes', 'expired'] as const)
      sum[field] += stats[field];
  }
  return {
    ...first,
    state: worstFirst.find((state) => all.some((stats) => stats.state === state)) ?? first.state,
    tasks: all.flatMap(({ tasks }) => tasks),
    stores: [...stores.values()],
    commits: sumOf(all, ({ commits }) => commits),
    commitSeconds: sumOf(all, ({ commitSeconds }) => commitSeconds),
    committedRows: sumOf(all, ({ committedRows }) => committedRows),
    lastCommitAtMs: greatest(all.map(({ lastCommitAtMs }) => lastCommitAtMs)),
    errors: summed(all.map(({ errors }) => errors)),
  };
}

/** As {@link mergedEngineStats}, for what only the runtime on Kafka knows. */
export function mergedKafkaStats(all: readonly KafkaStats[]): KafkaStats {
  const [first] = all as [KafkaStats];
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
    tasks: all.flatMap(({ tasks }) => tasks),
    // Each thread reads all of every global topic.
    globals: first.globals.map((global) => leastGlobal(global, all)),
    unread: all.find(({ unread }) => unread.length > 0)?.unread ?? [],
    commitFailures: sumOf(all, ({ commitFailures }) => commitFailures),
    transactionsAborted: sumOf(all, ({ transactionsAborted }) => transactionsAborted),
    tasksMigrated: sumOf(all, ({ tasksMigrated }) => tasksMigrated),
    outputs: [...outputs.values()],
    deadLetters: summed(all.map(({ deadLetters }) => deadLetters)),
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

function sumOf<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0);
}

function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const each of all) for (const [name, value] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function greatest(all: readonly (number | undefined)[]): number | undefined {
  const known = all.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
