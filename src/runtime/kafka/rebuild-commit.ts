import { randomUUID } from 'node:crypto';
import { type CommittedOffset, type OffsetToCommit, partitionKey } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { DescribedStore } from '../../topology/read-description.ts';
import { withClocks } from '../changed-state.ts';
import { type SavedTask, taskIdText } from '../task.ts';
import { topicsFrom } from './application-topics.ts';
import { type CommittedTask, hasCommitted } from './committed-tasks.ts';
import { changelogTopic } from './internal-names.ts';
import type { RebuildPlan } from './rebuild-plan.ts';
import { decodeTaskMetadata, encodeTaskMetadata, noNames, pointerTo, type TaskMetadata } from './task-metadata.ts';
import { type PartTopics, programOf, type TaskProgram } from './task-program.ts';
import { marksOf } from './topic-marks.ts';
import { storesOf } from './topics-plan.ts';

/** What a commit calls a store between the first and the last step: no program has such a one. */
const halfMade: DescribedStore = { text: 'left half made by a rebuild that was interrupted', topics: [] };

/** What was made of a task. */
export interface MadeTask {
  /** Clocks and counters as of the records that were read again. */
  readonly saved: SavedTask | undefined;
  /** Ends of the changelogs that were written, by topic. */
  readonly ends: ReadonlyMap<string, number>;
}

/** What the tasks commit when their stores are made. */
export interface MadeAnew {
  readonly tasks: ReadonlyMap<string, MadeTask>;
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** Ids of the application's topics, the changelogs that were made among them. */
  readonly ids: ReadonlyMap<string, string>;
}

/** Positions as they are, which say of all tasks that the stores are half made: whatever ends the process from now on, every program is refused that has them, until they are made again. */
export function markedHalfMade(
  plan: RebuildPlan,
  applicationId: string,
  ids: ReadonlyMap<string, string>,
): readonly OffsetToCommit[] {
  const { topology, behind, tasks, former } = plan;
  const changelogs = behind.stores.map((store) => changelogTopic(applicationId, store));
  const others = new Map([...ids].filter(([topic]) => !changelogs.includes(topic)));
  const half = Object.fromEntries(behind.stores.map((store) => [store, halfMade]));
  const marked = tasks.filter(hasCommitted).flatMap((task) => {
    const said = task.said!;
    const program = said.program!;
    const topics = marksOf(topicsFrom(topology, applicationId, topology.subTopology(task.id.subTopology)), others);
    const stores = { ...without(program.stores, behind.stores), ...half };
    return placed(
      task,
      task.committed.map((each) => each?.offset),
      { ...said, program: { ...program, stores }, basis: { ...said.basis!, reached: reachedOf(stores, said), topics } },
    );
  });
  // One that had such a store, grouped in another way, has it no more.
  const freed = former.map(({ place, said }) => {
    const stores = without(said.program.stores, behind.stores);
    const basis = said.basis === undefined ? {} : { basis: { ...said.basis, reached: reachedOf(stores, said) } };
    return { ...place, metadata: written({ ...said, program: { ...said.program, stores }, ...basis }) };
  });
  return [...marked, ...freed];
}

/** The same positions, with the stores as they are now made. */
export function committedAnew(plan: RebuildPlan, applicationId: string, made: MadeAnew): readonly OffsetToCommit[] {
  const anew = randomUUID().slice(0, 8);
  return plan.tasks.flatMap((task) => {
    const offsets = offsetsOf(task, plan, made);
    return offsets === undefined
      ? []
      : placed(task, offsets, { ...metadataOf(task, offsets, { plan, applicationId, made }), anew });
  });
}

/** Where the inputs of a task go on; undefined for one that has nothing to go on from. */
function offsetsOf(
  { id, inputs, committed }: CommittedTask,
  { passed }: RebuildPlan,
  { tasks }: MadeAnew,
): readonly (number | undefined)[] | undefined {
  const offsets = inputs.map(({ topic }, i) => passed.get(partitionKey(topic, id.partition)) ?? committed[i]?.offset);
  if (committed.some((each) => each !== undefined)) return offsets;
  const rows = [...(tasks.get(taskIdText(id))?.ends.values() ?? [])].some((end) => end > 0);
  // Without any store too: what is on its way to it is in the new rows behind it.
  return rows || offsets.some((offset) => (offset ?? 0) > 0) ? offsets : undefined;
}

function metadataOf(
  task: CommittedTask,
  offsets: readonly (number | undefined)[],
  {
    plan,
    applicationId,
    made,
  }: { readonly plan: RebuildPlan; readonly applicationId: string; readonly made: MadeAnew },
): TaskMetadata {
  const { id, inputs, said } = task;
  const { topology, behind } = plan;
  const part = topology.subTopology(id.subTopology);
  const { saved, ends = new Map<string, number>() } = made.tasks.get(taskIdText(id)) ?? {};
  const known = inputs.flatMap(({ name }, i) => (offsets[i] === undefined ? [] : [[name, offsets[i]] as const]));
  const positions = { ...said?.basis?.positions, ...Object.fromEntries(known) };
  const program = programAnew(task, Object.keys(positions).sort(), plan);
  const clocks = said === undefined ? saved! : saved === undefined ? said.task : withClocks(said.task, saved, behind);
  const partitionTimeMs = Object.fromEntries(
    Object.keys(positions).map((name) => [
      name,
      Math.max(said?.task.partitionTimeMs[name] ?? -1, saved?.partitionTimeMs[name] ?? -1),
    ]),
  );
  const newEnds = new Map(
    storesOf(topology, part).map(({ name }) => [name, ends.get(changelogTopic(applicationId, name))]),
  );
  const reached = reachedOf(program.stores, said);
  for (const store of Object.keys(program.stores)) reached[store] = newEnds.get(store) ?? reached[store]!;
  return {
    task: { ...clocks, partitionTimeMs },
    globalPositions: said?.globalPositions ?? made.globalPositions,
    basis: { positions, reached, topics: marksOf(topicsFrom(topology, applicationId, part), made.ids) },
    program,
  };
}

/** What a task has committed as its program, with the stores that were made anew, and what feeds them, as the program has them now. */
function programAnew(
  { id, said }: CommittedTask,
  own: readonly string[],
  { topology, behind, tasks, passed }: RebuildPlan,
): TaskProgram {
  const now = programOf(topology, topology.subTopology(id.subTopology));
  const before = said?.program;
  const knownParts = Object.assign({}, ...tasks.map((task) => task.said?.program?.parts ?? {})) as PartTopics;
  const parts = { ...only(now.parts, [...behind.parts].map(String)), ...(before?.parts ?? knownParts) };
  const feeding = [...topology.repartitions.keys()].filter((name) =>
    tasks.some(({ inputs, id: { partition } }) =>
      inputs.some((input) => input.name === name && passed.has(partitionKey(input.topic, partition))),
    ),
  );
  return {
    part: id.subTopology,
    parts: { ...parts, [id.subTopology]: own },
    former: without(before?.former ?? topology.formerParts, Object.keys(parts)),
    stores: { ...without(before?.stores ?? {}, behind.stores), ...only(now.stores, behind.stores) },
    carried: { ...before?.carried, ...only(now.carried, feeding) },
  };
}

/** The ends of the changelogs of these stores as a task has committed them; 0 for those that it did not have. */
function reachedOf(stores: Readonly<Record<string, unknown>>, said: TaskMetadata | undefined): Record<string, number> {
  return Object.fromEntries(Object.keys(stores).map((store) => [store, said?.basis?.reached[store] ?? 0]));
}

/** Positions of a task's inputs: with the first that it has stands the metadata, with the others where that is. */
function placed(
  { id: { partition }, inputs }: CommittedTask,
  offsets: readonly (number | undefined)[],
  metadata: TaskMetadata,
): readonly OffsetToCommit[] {
  const found = inputs.flatMap(({ topic }, i) =>
    offsets[i] === undefined ? [] : [{ topic, partition, offset: offsets[i] }],
  );
  return found.map((each, i) => ({ ...each, metadata: i === 0 ? written(metadata) : pointerTo(found[0]!.topic) }));
}

/** @throws StreamsError `STREAMS_TOPOLOGY` where there is no room for the program */
function written(metadata: TaskMetadata): string {
  const text = encodeTaskMetadata(metadata);
  if (decodeTaskMetadata(text, noNames)?.program !== undefined) return text;
  throw new StreamsError(
    'STREAMS_TOPOLOGY',
    'no store can be made anew: the names of the program do not fit into the 4096 bytes that brokers keep with a position, so nothing could say whether the stores are whole. Split the sub-topology, for instance by repartition(); or run weir reset and start over.',
  );
}

/** Whether two looks at a group have found the same. */
export function isCommittedAlike(a: readonly CommittedTask[], b: readonly CommittedTask[]): boolean {
  const textOf = (tasks: readonly CommittedTask[]): string =>
    JSON.stringify(tasks.map(({ committed }) => committed.map((each: CommittedOffset | undefined) => each ?? null)));
  return textOf(a) === textOf(b);
}

function only<V>(values: Readonly<Record<string, V>>, names: readonly string[]): Record<string, V> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

function without<V>(values: Readonly<Record<string, V>>, names: readonly string[]): Record<string, V> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
