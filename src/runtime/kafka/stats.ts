import { partitionKey } from '../../clients/broker.ts';
import { together } from '../../common/histogram.ts';
import type { EngineStats, StoreStats, StreamsState } from '../engine-stats.ts';
import type { GlobalTables } from './global-tables.ts';
import type { FilledOptions } from './kafka-options.ts';
import type {
  KafkaGlobalStats,
  KafkaInstanceStats,
  KafkaStats,
  KafkaTaskStats,
  KafkaTaskWork,
  UnreadPartition,
} from './kafka-stats.ts';
import type { AssignmentData } from './member-data.ts';
import type { OutputCounts } from './output-counts.ts';
import { addedStores, addedTo, noWork, type SlotWork } from './slot-work.ts';
import type { TaskRole, TaskSlot } from './task-slot.ts';

/** Counters of a client that outlive its tasks. */
export interface StatsCounts {
  commitFailures: number;
  migrated: number;
  rebalances: number;
  aborted: number;
}

/** What a look at a client is made from. */
export interface StatsSource {
  readonly options: FilledOptions;
  readonly state: StreamsState;
  readonly thread: { readonly name: string; readonly number: number };
  readonly slots: readonly TaskSlot[];
  readonly globals: GlobalTables | undefined;
  readonly generation: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly counts: Readonly<StatsCounts>;
  readonly outputs: OutputCounts;
  readonly storeBytes: Readonly<Record<string, number>>;
  readonly clusterId: string | undefined;
  readonly unread: readonly UnreadPartition[];
  readonly hosts: AssignmentData['hosts'];
  /** Its own name among the hosts. */
  readonly processId: string;
}

/** State, tasks and stores as they are without a broker too. */
export function engineStats({ options, state, slots, globals, errors }: StatsSource): EngineStats {
  const tasks = slots.flatMap(({ task }) => (task === undefined ? [] : [task]));
  const work = slots.map((slot) => slot.work);
  const open = new Set(tasks.flatMap(({ engine }) => engine.tables.map(({ stats }) => stats.store)));
  const workOfStores = work.flatMap(({ stores }) => stores);
  const sum = (of: (each: SlotWork) => number): number => work.reduce((all, each) => all + of(each), 0);
  return {
    applicationId: options.applicationId,
    state,
    tasks: tasks.map(({ engine, source }) => {
      const stats = engine.tasks[0]!.statsNow();
      stats.bufferedRecords = source.queues.reduce((all, { buffered }) => all + buffered, 0);
      return stats;
    }),
    stores: addedStores([
      ...workOfStores.filter(({ store }) => open.has(store)),
      ...tasks.flatMap(({ engine }) => engine.tables.map(cacheOf)),
      ...[...(globals?.stores.values() ?? [])].map((store) => store.snapshotStats()),
    ]),
    formerStores: addedStores(workOfStores.filter(({ store }) => !open.has(store))),
    feeds: [],
    work: Object.fromEntries(
      slots.map(({ taskId }, i) => {
        const { processed, dropped, punctuations, times } = work[i]!;
        return [taskId, { processed, dropped, punctuations, times }];
      }),
    ),
    feedWork: [],
    commits: sum(({ commits }) => commits),
    commitDurations: work.map(({ commitDurations }) => commitDurations).reduce(together, noWork.commitDurations),
    committedRows: sum(({ committedRows }) => committedRows),
    lastCommitAtMs: tasks.reduce<number | undefined>(
      (last, { lastCommitAtMs: at }) => (at !== undefined && (last === undefined || at > last) ? at : last),
      undefined,
    ),
    errors,
    final: false,
  };
}

/** What a table's cache holds now: what was done with it is in the work of its slot. */
function cacheOf(table: { snapshotStats(): StoreStats }): StoreStats {
  return { ...table.snapshotStats(), hits: 0, misses: 0, puts: 0, expired: 0 };
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
    threads: [{ ...source.thread, active: countOf(slots, 'active'), standby: countOf(slots, 'standby') }],
    tasks: slots.filter(({ role }) => role !== 'none').map((slot) => taskStats(slot, source.thread.name)),
    ...workOf(slots),
    globals: globalStats(globals),
    unread: source.unread,
    instances: instancesOf(source),
    commitFailures: counts.commitFailures,
    transactionsAborted: counts.aborted,
    tasksMigrated: counts.migrated,
    outputs: outputs.all().map((each) => ({ ...each })),
    deadLetters: { ...outputs.deadLetters },
    lateLetters: outputs.lateLetters,
    letters: outputs.samples.all(),
    committedEventTimeMs: newest < 0 ? undefined : newest,
    storeBytes: source.storeBytes,
  };
}

/** The members of the group, the threads of an instance together. */
function instancesOf({ hosts, processId: own }: StatsSource): readonly KafkaInstanceStats[] {
  const instances = new Map<string, KafkaInstanceStats>();
  for (const { processId, hostProcess = processId, endpoint, active, standby } of hosts) {
    const others = instances.get(hostProcess);
    instances.set(hostProcess, {
      endpoint,
      own: processId === own || others?.own === true,
      active: [...(others?.active ?? []), ...active],
      standby: [...(others?.standby ?? []), ...standby],
    });
  }
  return [...instances.values()];
}

function workOf(slots: readonly TaskSlot[]): Pick<KafkaStats, 'work' | 'consumed'> {
  const work: Record<string, KafkaTaskWork> = {};
  let consumed: Record<string, number> = {};
  for (const { taskId, id, work: done, restores } of slots) {
    work[taskId] = { restored: done.restored, restores: restores.value };
    const here = Object.entries(done.consumed).map(([topic, n]) => [partitionKey(topic, id.partition), n] as const);
    consumed = addedTo(consumed, Object.fromEntries(here));
  }
  return { work, consumed };
}

function countOf(slots: readonly TaskSlot[], wanted: TaskRole): number {
  return slots.filter(({ role }) => role === wanted).length;
}

function taskStats(slot: TaskSlot, thread: string): KafkaTaskStats {
  const { task, follower, role, status, taskId } = slot;
  const progress = follower?.progress ?? [];
  const seconds =
    status === 'restoring'
      ? (performance.now() - (slot.restoreStartedMs ?? performance.now())) / 1000
      : slot.restoreSeconds;
  const total = progress.reduce((sum, { endOffset, fromOffset }) => sum + Math.max(0, endOffset - fromOffset), 0);
  const restored = progress.reduce((sum, { position, fromOffset }) => sum + position - fromOffset, 0);
  return {
    taskId,
    kind: role === 'standby' ? 'standby' : 'active',
    thread,
    status,
    inputs: (task?.source.queues ?? []).map((input) => ({
      topic: input.topic,
      partition: input.partition,
      position: input.position,
      stableEnd: input.stableEnd,
      lag: Math.max(0, input.lag),
      buffered: input.buffered,
    })),
    ...(task === undefined ? {} : { commitPaceMs: task.log.paceMs }),
    // Before its changelogs are looked at nobody knows how much there is.
    ...(role === 'active' && (follower !== undefined || status === 'running')
      ? { restore: { restored, total, seconds } }
      : {}),
    ...(role === 'standby' && follower !== undefined && follower.lag >= 0 ? { standbyLag: follower.lag } : {}),
  };
}

function globalStats(globals: GlobalTables | undefined): readonly KafkaGlobalStats[] {
  return globals === undefined ? [] : globals.lags();
}
