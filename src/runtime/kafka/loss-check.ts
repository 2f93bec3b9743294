import type { TopicPartition } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import { acceptLossOption } from '../../common/remedies.ts';
import type { Topology } from '../../topology/topology.ts';
import { type TaskId, taskIdText } from '../task.ts';
import { type TopicsNow, topicRoles, topicsNow } from './application-topics.ts';
import { type BegunAnew, begunAnew } from './begun-anew.ts';
import {
  type CommittedTask,
  committedTasks,
  formerPrograms,
  hadStore,
  hasCommitted,
  usedTopic,
  wasRead,
} from './committed-tasks.ts';
import { changesOfGroup, refuseOtherStores, refuseStranger, tellChanges } from './group-program.ts';
import { changelogTopic, repartitionTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { anewError, goneError, lossError, positionsError, type TopicRole } from './loss-errors.ts';
import type { CommitBasis } from './task-metadata.ts';
import { TopicMarks } from './topic-marks.ts';
import { storesOf } from './topics-plan.ts';

/** What is known of an application before it goes on. */
export interface ApplicationPast {
  /** Whether it has committed anything, or written to a changelog. */
  readonly hasRun: boolean;
  /** Positions of global topics up to which some task has joined them, by topic. */
  readonly joined: Readonly<Record<string, readonly number[]>>;
  /** Tasks of sub-topologies that the application did without until now, with where their inputs begin: what lies before was left on its way long ago. */
  readonly begunAnew: ReadonlyMap<string, BegunAnew>;
}

/** What the checks need of a client's options. */
export type CheckOptions = Pick<FilledOptions, 'broker' | 'applicationId' | 'acceptLoss' | 'logger'>;

/**
 * Throws the error, or goes on in spite of it where the user has said so. What an internal topic has lost cannot be accepted: nobody could say what the numbers stand for.
 */
export function refuseOrAccept(error: StreamsError, { acceptLoss, logger }: CheckOptions): void {
  if (!acceptLoss || error.code === 'STREAMS_INTERNAL_TOPIC') throw error;
  logger.warn({ error }, `accepted: ${error.message}`);
}

/**
 * Looks, before an application makes its topics, whether what it has committed still goes with what is there.
 *
 * @throws StreamsError `STREAMS_INTERNAL_TOPIC` for a changelog or repartition topic that is gone or another one; `STREAMS_INPUT_REFUSED` for an input or a global table, and for positions that are
 * not those that were committed; `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`
 */
export async function checkStart(
  topology: Topology,
  taskIds: readonly TaskId[],
  options: CheckOptions,
): Promise<ApplicationPast> {
  const { applicationId, broker } = options;
  const place = { admin: broker.admin, applicationId };
  const tasks = await committedTasks(topology, taskIds, place);
  const changes = changesOfGroup(topology, tasks, applicationId, await formerPrograms(topology, tasks, place));
  refuseOtherStores(changes, topology, applicationId);
  refuseStranger(changes, applicationId);
  // After the positions: a topic that these stand on was there before them.
  const roles = topicRoles(topology, applicationId);
  const now = await topicsNow(broker.admin, [...roles.keys()]);
  const ran = tasks.filter(hasCommitted);
  const past = {
    begunAnew: await begunAnew(topology, tasks, place),
    hasRun: ran.some(({ said }) => said !== undefined) || (await hasWritten(roles, now, options)),
    joined: joinedBy(tasks),
  };
  if (ran.length === 0) return past;
  for (const { said } of ran) checkTopics(said?.basis, roles, now, options);
  checkMissing(topology, ran, roles, now, options);
  checkTables(past, roles, now, options);
  tellChanges(changes, options);
  if (past.hasRun) await checkPositions(ran, options);
  else
    options.logger.warn(
      { applicationId },
      'the positions of the group were set by something else than the application, which begins there',
    );
  return past;
}

/**
 * The same for one task that is taken over: its former owner can commit no more.
 *
 * @returns whether something was accepted: then the task commits at once, so that it is known.
 */
export async function checkTask(
  task: CommittedTask,
  {
    roles,
    now,
    hasRun,
  }: { readonly roles: ReadonlyMap<string, TopicRole>; readonly now: TopicsNow; readonly hasRun: boolean },
  options: CheckOptions,
): Promise<boolean> {
  if (!hasCommitted(task)) return false;
  const accepted = checkTopics(task.said?.basis, roles, now, options);
  return (hasRun && (await checkPositions([task], options))) || accepted;
}

/**
 * What no copy of the state makes good again: everything but the changelogs.
 *
 * @throws StreamsError as {@link checkStart}
 */
export async function checkOthers(
  topology: Topology,
  tasks: readonly CommittedTask[],
  options: CheckOptions,
): Promise<void> {
  const refusing = { ...options, acceptLoss: false };
  const roles = new Map([...topicRoles(topology, options.applicationId)].filter(([, role]) => role !== 'changelog'));
  const now = await topicsNow(options.broker.admin, [...roles.keys()]);
  const ran = tasks.filter(hasCommitted);
  if (ran.length === 0) return;
  // A repartition topic of the program's that nobody has used yet is still to be made.
  const unused = [...topology.repartitions.keys()]
    .map((name) => ({ name, topic: repartitionTopic(options.applicationId, name) }))
    .filter((each) => !ran.some((task) => usedTopic(task, each)))
    .map(({ topic }) => topic);
  for (const [topic, role] of roles) if (!now.ids.has(topic) && !unused.includes(topic)) throw goneError(role, topic);
  for (const { said } of ran) checkTopics(said?.basis, roles, now, refusing);
  await checkPositions(ran, refusing);
}

/** Whether a changelog holds anything. */
async function hasWritten(
  roles: ReadonlyMap<string, TopicRole>,
  now: TopicsNow,
  { broker }: CheckOptions,
): Promise<boolean> {
  const partitions = [...roles].flatMap(([topic, role]): TopicPartition[] =>
    role === 'changelog'
      ? Array.from({ length: now.partitions.get(topic) ?? 0 }, (_, partition) => ({ topic, partition }))
      : [],
  );
  if (partitions.length === 0) return false;
  return (await broker.admin.offsets(partitions, 'latest')).some((end) => end > 0);
}

function joinedBy(tasks: readonly CommittedTask[]): Readonly<Record<string, readonly number[]>> {
  const joined: Record<string, number[]> = {};
  for (const { said } of tasks) {
    for (const [topic, positions] of Object.entries(said?.globalPositions ?? {})) {
      joined[topic] ??= [];
      for (const [partition, position] of positions.entries())
        joined[topic][partition] = Math.max(joined[topic][partition] ?? 0, position);
    }
  }
  return joined;
}

/** Topics that have other ids than those that were committed. */
function checkTopics(
  basis: CommitBasis | undefined,
  roles: ReadonlyMap<string, TopicRole>,
  { ids }: TopicsNow,
  options: CheckOptions,
): boolean {
  if (basis === undefined) return false;
  const marks = new TopicMarks(basis.topics);
  let accepted = false;
  for (const [topic, role] of roles) {
    const id = ids.get(topic);
    if (id === undefined ? !marks.has(topic) || role !== 'table' : !marks.differs(topic, id)) continue;
    refuseOrAccept(id === undefined ? goneError(role, topic) : anewError(role, topic), options);
    accepted = true;
  }
  return accepted;
}

/** Internal topics are made before anything is committed: one that is missing afterwards was lost. */
function checkMissing(
  topology: Topology,
  ran: readonly CommittedTask[],
  roles: ReadonlyMap<string, TopicRole>,
  { ids }: TopicsNow,
  { applicationId }: CheckOptions,
): void {
  for (const part of topology.subTopologies) {
    const tasks = ran.filter(({ id }) => id.subTopology === part.id);
    if (tasks.length === 0) continue;
    const internal = [
      ...storesOf(topology, part)
        .filter(({ name }) => tasks.some((task) => hadStore(task, name, applicationId)))
        .map(({ name }) => changelogTopic(applicationId, name)),
      ...[...part.sources.flatMap(({ topics }) => topics), ...part.sinks.map(({ topic }) => topic)]
        .filter((topic) => topology.repartitions.has(topic))
        .map((topic) => ({ name: topic, topic: repartitionTopic(applicationId, topic) }))
        .filter((each) => tasks.some((task) => usedTopic(task, each)))
        .map(({ topic }) => topic),
    ];
    const missing = internal.find((topic) => !ids.has(topic));
    if (missing !== undefined) throw goneError(roles.get(missing)!, missing);
  }
}

/** A key's records stand in one partition, in order; in a topic that has grown they stand in two. */
function checkTables(
  { joined }: ApplicationPast,
  roles: ReadonlyMap<string, TopicRole>,
  { partitions }: TopicsNow,
  options: CheckOptions,
): void {
  for (const [topic, positions] of Object.entries(joined)) {
    const count = partitions.get(topic);
    if (roles.get(topic) !== 'table' || count === undefined || positions.length === 0 || count <= positions.length)
      continue;
    refuseOrAccept(
      new StreamsError(
        'STREAMS_PARTITION_MISMATCH',
        `topic ${topic} of a global table has grown from ${positions.length} to ${count} partitions: which record of a key is the last cannot be said any more. Write the table into a new topic and run weir reset; or go on as it is with ${acceptLossOption}.`,
        { topic },
      ),
      options,
    );
  }
}

/** Whether the positions are those that the tasks have committed, and the topics still have what lies behind them. */
async function checkPositions(tasks: readonly CommittedTask[], options: CheckOptions): Promise<boolean> {
  const { broker, applicationId } = options;
  const { admin } = broker;
  const places = tasks.flatMap((task) =>
    task.inputs.map((input, i) => ({
      topic: input.topic,
      partition: task.id.partition,
      taskId: taskIdText(task.id),
      role: (input.internal ? 'repartition' : 'input') as TopicRole,
      committed: task.committed[i],
      known: wasRead(task, input),
      said: task.said?.basis?.positions[input.name],
      foreign: task.said === undefined,
    })),
  );
  const found = places.filter(({ committed }) => committed !== undefined);
  const [starts, ends] = await Promise.all([admin.offsets(found, 'earliest'), admin.offsets(found, 'latest')]);
  let accepted = false;
  const refuse = (error: StreamsError): void => {
    refuseOrAccept(error, options);
    accepted = true;
  };
  for (const place of places)
    if (place.committed === undefined && place.known)
      refuse(
        positionsError(place, 'the group has no position of it any more, and one of the other topics of the task'),
      );
  // Others run meanwhile: they commit, and delete behind it what they have read.
  const committed = found.some(({ committed: then }, i) => then!.offset < starts[i]!)
    ? await admin.committed(applicationId, found)
    : [];
  for (const [i, place] of found.entries()) {
    const { offset } = place.committed!;
    if (offset > ends[i]!)
      refuse(lossError(place.role, place, `ends at ${ends[i]}, and the application has committed ${offset}`));
    else if (place.foreign)
      refuse(positionsError(place, `the position ${offset} was set by something else than the application`));
    else if (place.said !== undefined && place.said !== offset)
      refuse(positionsError(place, `the application has committed position ${place.said}, and it is ${offset} now`));
    else if ((committed[i]?.offset ?? offset) < starts[i]!) refuse(deletedError(place.role, place, offset, starts[i]!));
  }
  return accepted;
}

/** Records are gone that were not read. */
export function deletedError(
  role: TopicRole,
  place: { readonly topic: string; readonly partition: number },
  offset: number,
  start: number,
): StreamsError {
  return lossError(
    role,
    { ...place, offset },
    `has lost the records ${offset} to ${start - 1}, which were deleted before they were read`,
  );
}
