import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { taskIdText } from '../task.ts';
import { topicRoles, topicsFrom, topicsNow } from './application-topics.ts';
import { type CommittedTask, committedTasks, hasCommitted, namesOf } from './committed-tasks.ts';
import { isWhole } from './copy-check.ts';
import { fillChangelogs } from './fill-changelogs.ts';
import { changelogTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { checkOthers } from './loss-check.ts';
import { partsBefore } from './prepare-application.ts';
import { numberedInGroup } from './program-numbers.ts';
import { storedTasks, withThreads } from './stored-tasks.ts';
import { TaskFolder } from './task-folder.ts';
import { pointerTo, withMarks } from './task-metadata.ts';
import { marksOf, TopicMarks } from './topic-marks.ts';
import { expires, storesOf, type TopicsPlan } from './topics-plan.ts';

/** A changelog that is to be made again. */
interface LostChangelog {
  readonly spec: StoreSpec;
  readonly topic: string;
  readonly subTopology: number;
}

/** What a refill works with. */
interface Refill {
  readonly topology: Topology;
  readonly options: FilledOptions;
  readonly plan: TopicsPlan;
  readonly tasks: readonly CommittedTask[];
  readonly lost: readonly LostChangelog[];
}

/**
 * Makes changelogs that were lost again, out of copies of the state that stand for what the group has committed. It can be interrupted and run again: until it is done the application is refused.
 *
 * @param options - of the application; nobody runs it
 * @param execute - false: nothing is changed
 * @returns the changelogs that were, or would be, made again
 * @throws StreamsError `STREAMS_INPUT_REFUSED` where a task has no whole copy in the state folder; what {@link checkStart} throws for everything that no copy makes good
 */
export async function refillChangelogs(
  given: Topology,
  options: FilledOptions,
  execute: boolean,
): Promise<readonly string[]> {
  const { broker, applicationId, replicationFactor } = options;
  const place = { admin: broker.admin, applicationId, replicationFactor };
  const { topology, plan } = await numberedInGroup(given, place, () => partsBefore(options));
  const tasks = await committedTasks(topology, plan.tasks, { admin: broker.admin, applicationId });
  await checkOthers(topology, tasks, options);
  const lost = await lostChangelogs(topology, tasks, options);
  const refill: Refill = { topology, options, plan, tasks, lost };
  const folders = await wholeCopies(refill);
  try {
    if (execute && lost.length > 0) await carryOut(refill, folders);
    return lost.map(({ topic }) => topic);
  } finally {
    for (const folder of folders.values()) await folder.close();
  }
}

/** Changelogs of tasks that have committed, and that are gone, another topic than before, or not whole. */
async function lostChangelogs(
  topology: Topology,
  tasks: readonly CommittedTask[],
  { broker, applicationId }: FilledOptions,
): Promise<readonly LostChangelog[]> {
  const ran = tasks.filter(hasCommitted);
  const now = await topicsNow(broker.admin, [...topicRoles(topology, applicationId).keys()]);
  const found: LostChangelog[] = [];
  for (const part of topology.subTopologies)
    for (const spec of storesOf(topology, part)) {
      const topic = changelogTopic(applicationId, spec.name);
      const own = ran.filter(({ id }) => id.subTopology === part.id);
      if (own.length === 0) continue;
      const id = now.ids.get(topic);
      const isOther = ran.some(({ said }) => new TopicMarks(said?.basis?.topics ?? '').differs(topic, id ?? ''));
      const isLost =
        id === undefined ||
        isOther ||
        (await hasLostRows(
          { spec, topic },
          own.map((task) => ({
            partition: task.id.partition,
            reached: task.said?.basis?.reached[spec.name] ?? 0,
          })),
          broker,
        ));
      if (isLost) found.push({ spec, topic, subTopology: part.id });
    }
  return found;
}

async function hasLostRows(
  { spec, topic }: Pick<LostChangelog, 'spec' | 'topic'>,
  tasks: readonly { readonly partition: number; readonly reached: number }[],
  { admin }: FilledOptions['broker'],
): Promise<boolean> {
  const partitions = tasks.map(({ partition }) => ({ topic, partition }));
  const [starts, ends] = await Promise.all([
    admin.offsets(partitions, 'earliest'),
    admin.offsets(partitions, 'latest'),
  ]);
  return tasks.some(({ reached }, i) => ends[i]! < reached || (starts[i]! > 0 && !expires(spec)));
}

/** The copies of all tasks that have committed, of the sub-topologies whose changelogs are lost. */
async function wholeCopies(refill: Refill): Promise<ReadonlyMap<string, TaskFolder>> {
  const { topology, options, tasks, lost } = refill;
  const { stateDir, applicationId } = options;
  const folders = new Map<string, TaskFolder>();
  const parts = new Set(lost.map(({ subTopology }) => subTopology));
  try {
    for (const task of tasks) {
      const { id } = task;
      if (!parts.has(id.subTopology) || !hasCommitted(task)) continue;
      const taskId = taskIdText(id);
      const place = withThreads(stateDir).find((dir) => storedTasks(dir).some(([stored]) => stored === taskId));
      if (place === undefined) throw noCopy(taskId, `${stateDir} has no copy of it`);
      const specs = storesOf(topology, topology.subTopology(id.subTopology));
      const folder = await TaskFolder.open({ taskId, partition: id.partition }, specs, {
        stateDir: place,
        topology,
        applicationId,
        settings: {},
        run: '',
        openDatabase: options.openDatabase,
      });
      folders.set(taskId, folder);
      if (!isWhole(folder.commit, task))
        throw noCopy(taskId, `its copy in ${place} does not stand for what the group has committed`);
    }
    return folders;
  } catch (error) {
    for (const folder of folders.values()) await folder.close();
    throw error;
  }
}

function noCopy(taskId: string, why: string): StreamsError {
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `the changelogs cannot be made again: task ${taskId} has no whole copy (${why}). Name the folder that has one with --state, or run weir reset without --refill: then all is counted again, from the topics.`,
    { taskId },
  );
}

async function carryOut(refill: Refill, folders: ReadonlyMap<string, TaskFolder>): Promise<void> {
  const { topology, options, plan, tasks, lost } = refill;
  const { broker, applicationId } = options;
  const { admin } = broker;
  const names = lost.map(({ topic }) => topic);
  await admin.deleteTopics([...(await admin.partitionCounts(names)).keys()]);
  await admin.createTopics(plan.internal.filter(({ topic }) => names.includes(topic)));
  const { ids } = await topicsNow(admin, [...topicRoles(topology, applicationId).keys()]);
  const reached = new Map<string, ReadonlyMap<string, number>>();
  for (const [taskId, folder] of folders) reached.set(taskId, await writeRows(folder, refill));
  for (const { id, inputs, committed, metadata: before, said } of tasks) {
    if (said?.basis === undefined) continue;
    const { basis } = said;
    const taskId = taskIdText(id);
    const part = topology.subTopology(id.subTopology);
    const written = reached.get(taskId);
    const ends = storesOf(topology, part).flatMap(({ name }) => {
      const end = written?.get(changelogTopic(applicationId, name));
      return end === undefined ? [] : [[name, end] as const];
    });
    const metadata = withMarks(
      before,
      {
        positions: basis.positions,
        reached: { ...basis.reached, ...Object.fromEntries(ends) },
        topics: marksOf(topicsFrom(topology, applicationId, part), ids),
      },
      namesOf(topology, applicationId, part),
    );
    const positions = committed.map((each) => each?.offset ?? 0);
    await folders.get(taskId)?.refilled(written ?? new Map(), ids, { positions, metadata });
    // One that has come to the program since has no position yet.
    const found = inputs.flatMap(({ topic }, i) =>
      committed[i] === undefined ? [] : [{ topic, partition: id.partition, offset: committed[i].offset }],
    );
    await admin.setCommitted(
      applicationId,
      found.map((each, i) => ({ ...each, metadata: i === 0 ? metadata : pointerTo(found[0]!.topic) })),
    );
  }
}

/** Writes a copy's rows to the changelogs that are lost. Gives their ends. */
function writeRows(folder: TaskFolder, { options, lost }: Refill): Promise<ReadonlyMap<string, number>> {
  const { taskId, partition, database } = folder;
  const own = lost
    .filter(({ topic }) => folder.positions.has(topic))
    .map(({ spec }) => ({ spec, prefix: folder.prefixOf(spec.name) }));
  return fillChangelogs({ taskId, partition, database }, own, options);
}
