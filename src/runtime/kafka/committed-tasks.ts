import type { BrokerAdmin, CommittedOffset, OffsetToCommit } from '../../clients/broker.ts';
import type { SubTopology } from '../../topology/sub-topology.ts';
import type { Topology } from '../../topology/topology.ts';
import type { TaskId } from '../task.ts';
import { changelogTopic, repartitionTopic } from './internal-names.ts';
import {
  decodeTaskMetadata,
  isTaskMetadata,
  noNames,
  pointedAt,
  type TaskMetadata,
  type TaskNames,
} from './task-metadata.ts';
import { type TaskProgram, topicsRead } from './task-program.ts';
import { TopicMarks } from './topic-marks.ts';
import { inputsOf, storesOf, type TaskInput } from './topics-plan.ts';

/** What a group has committed of a task. */
export interface CommittedTask {
  readonly id: TaskId;
  readonly inputs: readonly TaskInput[];
  readonly committed: readonly (CommittedOffset | undefined)[];
  /** The task's metadata, wherever it stands; '' where none does. */
  readonly metadata: string;
  /** What that says, clocks left out where it has no names for them; undefined for none, and for somebody else's. */
  readonly said: TaskMetadata | undefined;
  /** Its inputs were those of several tasks, each of which has committed its own. */
  readonly moreThanOne: boolean;
}

/** Where an application's tasks have committed. */
export interface CommittedPlace {
  readonly admin: BrokerAdmin;
  readonly applicationId: string;
}

/** Names of a task of this program that are needed where what was committed has none. */
export function namesOf(topology: Topology, applicationId: string, part: SubTopology): TaskNames {
  return {
    ...noNames,
    inputs: inputsOf(topology, applicationId, part).map(({ name }) => name),
    stores: storesOf(topology, part)
      .map(({ name }) => ({ name, topic: changelogTopic(applicationId, name) }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1))
      .map(({ name }) => name),
  };
}

/** What the group has committed of these tasks. */
export async function committedTasks(
  topology: Topology,
  taskIds: readonly TaskId[],
  { admin, applicationId }: CommittedPlace,
): Promise<readonly CommittedTask[]> {
  const tasks = taskIds.map((id) => {
    const part = topology.subTopology(id.subTopology);
    return { id, part, inputs: inputsOf(topology, applicationId, part) };
  });
  const all = tasks.flatMap(({ id, inputs }) => inputs.map(({ topic }) => ({ topic, partition: id.partition })));
  const offsets = await admin.committed(applicationId, all);
  let at = 0;
  const found = tasks.map((task) => ({ ...task, committed: task.inputs.map(() => offsets[at++]) }));
  // A program of other inputs has committed before: its metadata stands with a topic that this one does not read, or not first.
  const elsewhere = found.flatMap(({ id, inputs, committed }) => {
    const topic = elsewhereOf(inputs, committed);
    return topic === undefined ? [] : [{ topic, partition: id.partition }];
  });
  const further = elsewhere.length === 0 ? [] : await admin.committed(applicationId, elsewhere);
  let next = 0;
  return found.map(({ id, part, inputs, committed }) => {
    const names = namesOf(topology, applicationId, part);
    const own = ownMetadata(inputs, committed, names);
    const metadata =
      own[0] ?? (elsewhereOf(inputs, committed) === undefined ? committed[0] : further[next++])?.metadata ?? '';
    const said = decodeTaskMetadata(metadata, names);
    return { id, inputs, committed, metadata, said, moreThanOne: own.length > 1 };
  });
}

/** Metadata that stands with the inputs. One that names an input with which metadata stands too is older than that: else that would be a pointer to it. */
function ownMetadata(
  inputs: readonly TaskInput[],
  committed: readonly (CommittedOffset | undefined)[],
  names: TaskNames,
): readonly string[] {
  const found = inputs.flatMap(({ name }, i) => {
    const text = committed[i]?.metadata ?? '';
    const said = decodeTaskMetadata(text, names);
    return said === undefined
      ? []
      : [{ name, text, topics: said.program === undefined ? [] : topicsRead(said.program) }];
  });
  return found
    .filter(({ name, topics }) => !found.some((other) => other.name !== name && topics.includes(other.name)))
    .map(({ text }) => text);
}

/** The topic with which the metadata stands, if that is none of the task's inputs. */
function elsewhereOf(
  inputs: readonly TaskInput[],
  committed: readonly (CommittedOffset | undefined)[],
): string | undefined {
  const texts = committed.map((each) => each?.metadata ?? '');
  if (texts.some(isTaskMetadata)) return undefined;
  const topic = texts.map(pointedAt).find((each) => each !== undefined);
  return inputs.some((input) => input.topic === topic) ? undefined : topic;
}

/** What a task of a former sub-topology has committed, and where that stands. */
export interface FormerTask {
  readonly place: OffsetToCommit;
  readonly said: TaskMetadata & { readonly program: TaskProgram };
}

/** What the group has committed of sub-topologies that the program does not have, and that those who have committed had. */
export async function formerTasks(
  topology: Topology,
  tasks: readonly CommittedTask[],
  { admin, applicationId }: CommittedPlace,
): Promise<readonly FormerTask[]> {
  const had = new Set(tasks.flatMap(({ said }) => Object.keys(said?.program?.parts ?? {})));
  const topics = Object.entries(topology.formerParts)
    .filter(([id]) => had.has(id))
    .flatMap(([, names]) => names.flatMap((name) => [name, repartitionTopic(applicationId, name)]));
  if (topics.length === 0) return [];
  const counts = await admin.partitionCounts(topics);
  const places = topics.flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
  const found = await admin.committed(applicationId, places);
  return places.flatMap((place, i): FormerTask[] => {
    const said = decodeTaskMetadata(found[i]?.metadata ?? '', noNames);
    if (said?.program === undefined || !(said.program.part in topology.formerParts)) return [];
    return [{ place: { ...place, ...found[i]! }, said: { ...said, program: said.program } }];
  });
}

/** The programs of {@link formerTasks}. */
export async function formerPrograms(
  topology: Topology,
  tasks: readonly CommittedTask[],
  place: CommittedPlace,
): Promise<readonly TaskProgram[]> {
  return (await formerTasks(topology, tasks, place)).map(({ said }) => said.program);
}

/** Whether a task has committed anything, of whichever input. */
export function hasCommitted({ committed }: CommittedTask): boolean {
  return committed.some((each) => each !== undefined);
}

/** Whether an input was one of the task's when it committed; where nothing tells, it was. */
export function wasRead({ said }: CommittedTask, { name, topic }: TaskInput): boolean {
  if (said?.program !== undefined) return topicsRead(said.program).includes(name);
  return said?.basis === undefined || name in said.basis.positions || new TopicMarks(said.basis.topics).has(topic);
}

/** Whether the task read or wrote a repartition topic when it committed; where nothing tells, it did. */
export function usedTopic({ said }: CommittedTask, { name, topic }: Pick<TaskInput, 'name' | 'topic'>): boolean {
  if (said?.program !== undefined) return name in said.program.carried;
  return said?.basis === undefined || new TopicMarks(said.basis.topics).has(topic);
}

/** Whether the task had a store when it committed; where nothing tells, it had. */
export function hadStore({ said }: CommittedTask, store: string, applicationId: string): boolean {
  if (said?.program !== undefined) return store in said.program.stores;
  if (said?.basis === undefined || store in said.basis.reached) return true;
  return new TopicMarks(said.basis.topics).has(changelogTopic(applicationId, store));
}
