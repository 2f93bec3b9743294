import { partitionKey } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import { acceptLossOption, rebuildOption } from '../../common/remedies.ts';
import { feeders, nodesBelow, type StoresBehind, storesBehind } from '../../topology/behind.ts';
import type { NodeSpec } from '../../topology/node-spec.ts';
import type { Topology } from '../../topology/topology.ts';
import { taskIdText } from '../task.ts';
import { type CommittedTask, committedTasks, type FormerTask, formerTasks, hasCommitted } from './committed-tasks.ts';
import { changesOfGroup, refuseOtherStores, refuseStranger } from './group-program.ts';
import { repartitionTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { checkOthers, refuseOrAccept } from './loss-check.ts';
import { partsBefore } from './prepare-application.ts';
import { numberedInGroup } from './program-numbers.ts';
import { type ReadRange, readRanges } from './read-to-end.ts';
import type { TopicsPlan } from './topics-plan.ts';

/** What is to be made anew in an application on Kafka, and of what. */
export interface RebuildPlan {
  /** With the numbers that its sub-topologies have in the group. */
  readonly topology: Topology;
  readonly topics: TopicsPlan;
  readonly behind: StoresBehind;
  /** All tasks, as the group has committed them. */
  readonly tasks: readonly CommittedTask[];
  readonly former: readonly FormerTask[];
  /** What is read again: the topics of the user's, up to the positions of the group. */
  readonly inputs: readonly ReadRange[];
  /**
   * Where readers of repartition topics go on, by `topic-partition`: behind all that these hold. What was still on its way is in the new rows, which are made of all that its writers have read.
   */
  readonly passed: ReadonlyMap<string, number>;
}

/** A repartition topic whose records are in the new rows. */
interface PassedTopic {
  readonly name: string;
  readonly topic: string;
  /** Stores that it feeds too and that stay, and what else would miss its records. */
  readonly others: readonly string[];
  readonly stays: readonly string[];
}

/**
 * Says what has to be read to make stores anew, and refuses what cannot be exact. Nothing is changed.
 *
 * @returns undefined where the application has committed nothing yet
 * @throws StreamsError as {@link rebuildStoresOnKafka}
 */
export async function planRebuild(
  given: Topology,
  stores: readonly string[],
  options: FilledOptions,
): Promise<RebuildPlan | undefined> {
  const { broker, applicationId, replicationFactor } = options;
  const place = { admin: broker.admin, applicationId };
  refuseLatest(options);
  const numbered = await numberedInGroup(given, { ...place, replicationFactor }, () => partsBefore(options));
  const { topology, plan: topics } = numbered;
  const behind = storesBehind(topology, stores);
  const tasks = await committedTasks(topology, topics.tasks, place);
  if (!tasks.some(hasCommitted)) return undefined;
  await checkOthers(topology, tasks, options);
  refuseUnnamed(tasks, applicationId);
  const former = await formerTasks(topology, tasks, place);
  const repartitions = passedTopics(topology, behind, applicationId);
  refuseOtherChanges({ topology, behind, tasks, former }, repartitions, applicationId);
  const passed = await endsOf(repartitions, topics, topology, options);
  await refuseOnTheWay(repartitions, passed, { tasks, behind }, options);
  const inputs = await inputsAgain({ topology, behind, tasks }, options);
  return { topology, topics, behind, tasks, former, inputs, passed };
}

/** Nothing tells where an application began that read what came after its start alone. */
function refuseLatest({ autoOffsetReset }: FilledOptions): void {
  if (autoOffsetReset === 'latest')
    throw new StreamsError(
      'STREAMS_CONFIG',
      'stores are made anew from the first records of their input, and auto.offset.reset is latest: what came before the application first ran would count too. Give auto.offset.reset=earliest if that is meant; what is committed stays where it is.',
    );
}

/** What is written with the positions is written again: all of it has to be known. */
function refuseUnnamed(tasks: readonly CommittedTask[], applicationId: string): void {
  const unnamed = tasks.find(
    (task) => hasCommitted(task) && (task.said?.program === undefined || task.said.basis === undefined),
  );
  if (unnamed !== undefined)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `what application ${applicationId} has committed for task ${taskIdText(unnamed.id)} does not say what program it is of: an earlier version committed it, or there was no room for it. No store can be made anew then: let this version run the program that committed it once, or run weir reset and start over.`,
      { taskId: taskIdText(unnamed.id) },
    );
}

function passedTopics(topology: Topology, behind: StoresBehind, applicationId: string): readonly PassedTopic[] {
  const known = new Set(topology.stores.map(({ name }) => name));
  return topology.subTopologies
    .filter(({ id }) => behind.parts.has(id))
    .flatMap(({ sources }) => sources.flatMap((source) => source.topics.map((name) => ({ name, source }))))
    .filter(({ name }) => topology.repartitions.has(name))
    .flatMap(({ name, source }): PassedTopic[] => {
      const below = nodesBelow(topology, [source.name]);
      if (![...below].some((node) => behind.nodes.has(node))) return [];
      const kept = topology.nodes.filter((node) => below.has(node.name) && !behind.nodes.has(node.name));
      const storesOf = (node: NodeSpec): readonly string[] =>
        node.kind === 'processor' ? node.stores.filter((store) => known.has(store)) : [];
      const stays = [...new Set(kept.flatMap(storesOf))];
      const ends = kept.filter((node) =>
        node.kind === 'sink'
          ? !topology.repartitions.has(node.topic)
          : storesOf(node).length === 0 &&
            !topology.nodes.some((other) => other.kind !== 'source' && other.parents.includes(node.name)),
      );
      const others = [
        ...stays.map((store) => `store ${store}`),
        ...ends.map((node) => (node.kind === 'sink' ? `topic ${node.topic}` : `node ${node.name}`)),
      ];
      return [{ name, topic: repartitionTopic(applicationId, name), others, stays }];
    });
}

/** Refuses a program that changes more than what is made anew. */
function refuseOtherChanges(
  { topology, behind, tasks, former }: Pick<RebuildPlan, 'topology' | 'behind' | 'tasks' | 'former'>,
  repartitions: readonly PassedTopic[],
  applicationId: string,
): void {
  const programs = former.map(({ said }) => said.program);
  const changes = changesOfGroup(topology, tasks, applicationId, programs);
  refuseStranger({ ...changes, kept: [...changes.kept, ...changes.changed] }, applicationId);
  // Records that nobody will read may be written in any way.
  const unread = repartitions.filter(({ others }) => others.length === 0).map(({ name }) => name);
  const left = changes.changed.filter((store) => !behind.stores.includes(store));
  const refused = [
    ...changes.refused
      .slice(0, changes.refused.length - changes.carried.size)
      .filter((_, i) => left.includes(changes.changed[i]!)),
    ...[...changes.carried].filter(([name]) => !unread.includes(name)).map(([, text]) => text),
  ];
  refuseOtherStores({ ...changes, changed: left, refused }, topology, applicationId);
}

async function endsOf(
  repartitions: readonly PassedTopic[],
  { partitionsOf }: TopicsPlan,
  topology: Topology,
  { broker }: FilledOptions,
): Promise<ReadonlyMap<string, number>> {
  const there = await broker.admin.partitionCounts(repartitions.map(({ topic }) => topic));
  const ends = new Map<string, number>();
  for (const { name, topic } of repartitions) {
    const reader = topology.subTopologies.find(({ sources }) => sources.some(({ topics }) => topics.includes(name)))!;
    const places = Array.from({ length: partitionsOf.get(reader.id)! }, (_, partition) => ({ topic, partition }));
    const found = there.has(topic) ? await broker.admin.offsets(places, 'latest') : places.map(() => 0);
    for (const [i, { partition }] of places.entries()) ends.set(partitionKey(topic, partition), found[i]!);
  }
  return ends;
}

/** Records on their way that others have to get too: nobody would give them those alone. */
async function refuseOnTheWay(
  repartitions: readonly PassedTopic[],
  passed: ReadonlyMap<string, number>,
  { tasks, behind }: Pick<RebuildPlan, 'tasks' | 'behind'>,
  { broker }: FilledOptions,
): Promise<void> {
  for (const { topic, others, stays } of repartitions) {
    if (others.length === 0) continue;
    const ranges = tasks.flatMap(({ id: { partition }, inputs, committed }) =>
      inputs.flatMap((input, i): ReadRange[] =>
        input.topic === topic
          ? [{ topic, partition, offset: committed[i]?.offset ?? 0, end: passed.get(partitionKey(topic, partition))! }]
          : [],
      ),
    );
    let records = 0;
    await readRanges(broker, ranges, ({ length }) => {
      records += length;
    });
    if (records === 0) continue;
    const named =
      stays.length === others.length ? ` Name all that it feeds too, with ${rebuildOption(stays)}, or let` : ' Let';
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${behind.stores.join(', ')} cannot be made anew alone: ${records} ${records === 1 ? 'record is' : 'records are'} on the way through repartition topic ${topic}, and ${others.join(', ')} would miss them.${named} the program that ran last read them first: weir run --until-caught-up, while nothing is written to its topics.`,
      { topic },
    );
  }
}

/** What is read again. Refuses inputs that do not have their first records any more, unless that is accepted. */
async function inputsAgain(
  { topology, behind, tasks }: Pick<RebuildPlan, 'topology' | 'behind' | 'tasks'>,
  options: FilledOptions,
): Promise<readonly ReadRange[]> {
  const places = tasks
    .filter(({ id }) => behind.parts.has(id.subTopology))
    .flatMap(({ id: { partition }, inputs, committed }) =>
      inputs.flatMap(({ topic, internal }, i) =>
        internal || committed[i] === undefined ? [] : [{ topic, partition, end: committed[i].offset }],
      ),
    );
  const starts = await options.broker.admin.offsets(places, 'earliest');
  const ranges = places.map((place, i): ReadRange => ({ ...place, offset: Math.min(starts[i]!, place.end) }));
  const lost = ranges.filter(({ offset }) => offset > 0);
  if (lost.length === 0) return ranges;
  const gone = lost.map(
    ({ topic, partition, offset, end }) => `${topic} (partition ${partition}) begins at ${offset} of the ${end} read`,
  );
  const what = `the input does not have its first records any more: ${gone.join(', ')}. What stood before would be in none of the stores that are made anew (${behind.stores.join(', ')}).`;
  const [{ topic, partition }] = lost as [ReadRange];
  const stay = feeders(topology, behind);
  if (stay.length > 0)
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${what} What feeds them has counted it (${stay.join(', ')}), so they would subtract what they never added: make these anew too, with ${rebuildOption(stay)} and ${acceptLossOption}.`,
      { topic, partition },
    );
  const remedy = `Make them of what is left with ${acceptLossOption}; or give the store that changes another name.`;
  refuseOrAccept(new StreamsError('STREAMS_INPUT_REFUSED', `${what} ${remedy}`, { topic, partition }), options);
  return ranges;
}
