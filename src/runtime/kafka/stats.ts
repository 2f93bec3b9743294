import type { Topology } from '../../topology/topology.ts';
import type { EngineStats, StoreStats, StreamsState } from '../engine-stats.ts';
import type { GlobalTables } from './global-tables.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { KafkaGlobalStats, KafkaStats, KafkaTaskStats, UnreadPartition } from './kafka-stats.ts';
import type { OutputCounts } from './output-counts.ts';
import type { TaskSlot } from './task-slot.ts';

/** Counters of a client that outlive its tasks. */
export interface StatsCounts {
  commitFailures: number;
  migrated: number;
  rebalances: number;
  aborted: number;
}

/** What a look at a client is made from. */
export interface StatsSource {
  readonly topology: Topology;
  readonly options: FilledOptions;
  readonly state: StreamsState;
  readonly slots: readonly TaskSlot[];
  readonly globals: GlobalTables | undefined;
  readonly generation: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly counts: Readonly<StatsCounts>;
  readonly outputs: OutputCounts;
  readonly storeBytes: Readonly<Record<string, number>>;
  readonly clusterId: string | undefined;
  readonly unread: readonly UnreadPartition[];
}

/** State, tasks and stores as they are without a broker too. */
export function engineStats({ options, state, slots, globals, errors }: StatsSource): EngineStats {
  const tasks = slots.flatMap(({ task }) => (task === undefined ? [] : [task]));
  const stores = new Map<string, StoreStats>();
  for (const { engine } of tasks) for (const table of engine.tables) addStore(stores, table.snapshotStats());
  for (const store of globals?.stores.values() ?? []) addStore(stores, store.snapshotStats());
  const sum = (of: (task: (typeof tasks)[number]) => number): number => tasks.reduce((all, task) => all + of(task), 0);
  return {
    applicationId: options.applicationId,
    state,
    tasks: tasks.map(({ task, inputs }) => {
      task.stats.streamTimeMs = task.streamTimeMs;
      task.stats.operatorTimeMs = task.operatorTimes();
      task.stats.bufferedRecords = inputs.reduce((all, { buffered }) => all + buffered, 0);
      return task.stats;
    }),
    stores: [...stores.values()],
    feeds: [],
    commits: sum(({ commits }) => commits),
    commitSeconds: sum(({ commitSeconds }) => commitSeconds),
    committedRows: sum(({ committedRows }) => committedRows),
    lastCommitAtMs: tasks.reduce<number | undefined>(
      (last, { lastCommitAtMs: at }) => (at !== undefined && (last === undefined || at > last) ? at : last),
      undefined,
    ),
    errors,
    final: false,
  };
}

function addStore(stores: Map<string, StoreStats>, stats: StoreStats): void {
  const sum = stores.get(stats.store);
  if (sum === undefined) {
    stores.set(stats.store, { ...stats });
    return;
  }
  sum.hits += stats.hits;
  sum.misses += stats.misses;
  sum.puts += stats.puts;
  sum.cachedEntries += stats.cachedEntries;
  sum.dirtyBytes += stats.dirtyBytes;
  sum.expired += stats.expired;
}

/** What only the runtime on Kafka knows. */
export function kafkaStats(source: StatsSource): KafkaStats {
  const { options, slots, globals, generation, counts, outputs } = source;
  let newest = -1;
  for (const { task } of slots) {
    if (task === undefined) continue;
    newest = Math.max(newest, task.committedStreamTimeMs);
  }
  return {
    clientId: source.options.applicationId,
    clusterId: source.clusterId,
    processingGuarantee: options.guarantee,
    generation,
    rebalances: counts.rebalances,
    tasks: slots.filter(({ role }) => role !== 'none').map(taskStats),
    globals: globalStats(globals),
    unread: source.unread,
    commitFailures: counts.commitFailures,
    transactionsAborted: counts.aborted,
    tasksMigrated: counts.migrated,
    outputs: outputs.all().map((each) => ({ ...each })),
    deadLetters: { ...outputs.deadLetters },
    lateLetters: outputs.lateLetters,
    committedEventTimeMs: newest < 0 ? undefined : newest,
    storeBytes: source.storeBytes,
  };
}

function taskStats(slot: TaskSlot): KafkaTaskStats {
  const { task, follower, role, status, taskId } = slot;
  const progress = follower?.progress ?? [];
  const seconds =
    status === 'restoring' ? (Date.now() - (slot.restoreStartedMs ?? Date.now())) / 1000 : slot.restoreSeconds;
  const total = progress.reduce((sum, { endOffset, fromOffset }) => sum + Math.max(0, endOffset - fromOffset), 0);
  const restored = progress.reduce((sum, { position, fromOffset }) => sum + position - fromOffset, 0);
  return {
    taskId,
    kind: role === 'standby' ? 'standby' : 'active',
    status,
    inputs: (task?.inputs ?? []).map((input) => ({
      topic: input.topic,
      partition: input.partition,
      position: input.position,
      stableEnd: input.stableEnd,
      lag: Math.max(0, input.lag),
      consumed: input.consumed,
      buffered: input.buffered,
    })),
    ...(role === 'active' ? { restore: { restored, total, seconds } } : {}),
    ...(role === 'standby' && follower !== undefined ? { standbyLag: Math.max(0, follower.lag) } : {}),
    latenessMs: task?.task.latenessMs ?? 0,
  };
}

function globalStats(globals: GlobalTables | undefined): readonly KafkaGlobalStats[] {
  return globals === undefined ? [] : globals.lags();
}
