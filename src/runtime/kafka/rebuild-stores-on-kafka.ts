import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StreamsError } from '../../common/errors.ts';
import { feeders } from '../../topology/behind.ts';
import type { Topology } from '../../topology/topology.ts';
import { digestOf } from '../digest.ts';
import { refuseOtherKind } from '../folder-kind.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { otherFeeders, type Rebuilt } from '../rebuild-stores.ts';
import { rebuildFolder, rowPrefix } from '../state-folder.ts';
import { taskIdText } from '../task.ts';
import { fence, refuseWhileRunning } from './alone.ts';
import { topicRoles, topicsNow } from './application-topics.ts';
import { changelogParts } from './changelog-parts.ts';
import { committedTasks } from './committed-tasks.ts';
import { fillChangelogs } from './fill-changelogs.ts';
import { changelogTopic } from './internal-names.ts';
import { checkKafkaOptions, type FilledOptions, filledOptions, type KafkaStreamsOptions } from './kafka-options.ts';
import { prepareTopics } from './prepare-topics.ts';
import { committedAnew, isCommittedAlike, type MadeTask, markedHalfMade } from './rebuild-commit.ts';
import { planRebuild, type RebuildPlan } from './rebuild-plan.ts';
import { type MadeBeside, readAgain } from './rebuild-run.ts';
import { expires, storesOf } from './topics-plan.ts';

/** Which stores of an application on Kafka are made anew. */
export interface KafkaRebuildRequest {
  /** Their names. Stores that they feed are made anew with them. */
  readonly stores: readonly string[];
  /** Aborted: the application stays as it is. */
  readonly signal?: AbortSignal;
}

/**
 * Makes stores of an application on Kafka anew, as a first run of the program over all that the application has read would make them; all other stores, the positions in your topics and the letters stay as
 * they are. It is for a store whose windows, serde or grouping have changed, for one that is new and would begin empty, and for one that is counted in another way. No instance may run.
 *
 * The topics are read again from their first records up to the positions of the group, through those sub-topologies that make the stores, in this process; nothing is written to topics of yours. Then the
 * changelogs of the stores are made again, with the new rows, and the group's positions say that. Until those rows are made the application is as it was, for the old program too; if the process ends while
 * the changelogs are written, every program that has the stores is refused until they are made anew again.
 *
 * @param options - Those of the client that is started afterwards. With `acceptLoss` it goes on where an input does not have its first records any more.
 * @returns undefined if the signal came first, and for an application that has committed nothing yet
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` for a store that the program does not have; `STREAMS_CONFIG` where `autoOffsetReset` is `latest`; `STREAMS_STATE_INCOMPATIBLE` where another store has changed too; `STREAMS_INPUT_REFUSED` while an instance runs, where an
 * input does not have its first records any more, where records are on their way through a repartition topic to stores that stay, and where a store that stays and feeds them does not hold what its input gives; `STREAMS_INTERNAL_TOPIC`, `STREAMS_BROKER`
 * @example
 * ```ts
 * const options = { broker, applicationId: 'counts', stateDir: '.data/state' };
 * await rebuildStoresOnKafka(topology, options, { stores: ['by-day'] });
 * const streams = new KafkaStreams(topology, options);
 * ```
 */
export async function rebuildStoresOnKafka(
  given: Topology,
  options: KafkaStreamsOptions,
  { stores, signal }: KafkaRebuildRequest,
): Promise<Rebuilt | undefined> {
  checkKafkaOptions(options);
  const filled = filledOptions(options);
  const { stateDir, broker, applicationId, logger } = filled;
  await refuseOtherKind(stateDir, 'instance');
  await refuseWhileRunning(broker.admin, applicationId);
  const plan = await planRebuild(given, stores, filled);
  if (plan === undefined) return undefined;
  const place = join(stateDir, rebuildFolder);
  await rm(place, { recursive: true, force: true });
  try {
    logger.info({ stores: plan.behind.stores }, `makes anew: ${plan.behind.stores.join(', ')}`);
    const beside = await readAgain(plan, place, filled, signal);
    if (beside === undefined) return undefined;
    try {
      await refuseOtherFeeders(plan, beside, filled);
      await exchange(plan, beside, filled);
    } finally {
      await beside.folder.close();
    }
    tell(plan, beside, filled);
    const { rows, dead, late } = beside;
    return { stores: plan.behind.stores, rows, dead, late };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** A store that stays tells those behind it what to subtract: they must have added that. */
async function refuseOtherFeeders(plan: RebuildPlan, beside: MadeBeside, options: FilledOptions): Promise<void> {
  const { broker, applicationId } = options;
  const { database, saved } = beside.folder;
  const others: string[] = [];
  for (const name of feeders(plan.topology, plan.behind)) {
    const spec = plan.topology.stores.find((store) => store.name === name)!;
    // The broker deletes rows of such a one at times of its own.
    if (expires(spec)) continue;
    const topic = changelogTopic(applicationId, name);
    const partitions = (await broker.admin.partitionCounts([topic])).get(topic) ?? 0;
    const made = Array.from({ length: partitions }, (_, partition) =>
      localPart(spec, database, rowPrefix(saved!.stores[name]!, partition), partition),
    );
    const held = partitions === 0 ? [] : await changelogParts(broker, applicationId, spec);
    const digestOfParts = async (parts: readonly StorePart[]): Promise<string> =>
      (await digestOf([spec], () => parts)).all;
    if (partitions === 0 || (await digestOfParts(made)) !== (await digestOfParts(held))) others.push(name);
  }
  if (others.length > 0) throw otherFeeders(others, plan.behind);
}

/** Puts the new rows into the place of the old ones. */
async function exchange(plan: RebuildPlan, beside: MadeBeside, options: FilledOptions): Promise<void> {
  const { topology, behind, topics } = plan;
  const { broker, applicationId, logger } = options;
  const { admin } = broker;
  await refuseMoved(plan, options);
  const names = [...topicRoles(topology, applicationId).keys()];
  const { ids } = await topicsNow(admin, names);
  await admin.setCommitted(applicationId, markedHalfMade(plan, applicationId, ids));
  const changelogs = behind.stores.map((store) => changelogTopic(applicationId, store));
  await admin.deleteTopics([...(await admin.partitionCounts(changelogs)).keys()]);
  await prepareTopics(admin, topics.internal, logger);
  const tasks = new Map<string, MadeTask>();
  for (const { subTopology, partition } of topics.tasks) {
    if (!behind.parts.has(subTopology)) continue;
    const taskId = taskIdText({ subTopology, partition });
    const own = storesOf(topology, topology.subTopology(subTopology))
      .filter(({ name }) => behind.stores.includes(name))
      .map((spec) => ({ spec, prefix: rowPrefix(beside.folder.saved!.stores[spec.name]!, partition) }));
    const { database } = beside.folder;
    const ends = own.length === 0 ? new Map() : await fillChangelogs({ taskId, partition, database }, own, options);
    tasks.set(taskId, { saved: beside.folder.savedTask(taskId), ends });
  }
  const made = { tasks, globalPositions: beside.globalPositions, ids: (await topicsNow(admin, names)).ids };
  await refuseWhileRunning(admin, applicationId);
  await admin.setCommitted(applicationId, committedAnew(plan, applicationId, made));
}

/** What was made is only of use while the application stands where it stood. Whoever sleeps, and takes itself for at work, wakes in vain. */
async function refuseMoved({ topology, topics, tasks }: RebuildPlan, options: FilledOptions): Promise<void> {
  const { broker, applicationId } = options;
  const partitions = Math.max(...topics.partitionsOf.values());
  const former = Object.keys(topology.formerParts).flatMap((subTopology) =>
    Array.from({ length: partitions }, (_, partition) => ({ subTopology: Number(subTopology), partition })),
  );
  await fence(broker, applicationId, [...topics.tasks, ...former].map(taskIdText));
  const now = await committedTasks(topology, topics.tasks, { admin: broker.admin, applicationId });
  if (!isCommittedAlike(tasks, now))
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `application ${applicationId} has run while its stores were made anew: they are of no use. Nothing was changed. Stop every instance, and make them anew again.`,
    );
}

function tell(
  { behind }: RebuildPlan,
  { rows, dead, late }: MadeBeside,
  { applicationId, logger }: FilledOptions,
): void {
  const stores = behind.stores.join(', ');
  logger.info({ stores: behind.stores, rows, dead, late }, `made anew in application ${applicationId}: ${stores}`);
  if (late > 0)
    logger.warn(
      { stores: behind.stores, late },
      `${late} records came too late for stores that were made anew (${stores}): they are in no topic of letters`,
    );
}
