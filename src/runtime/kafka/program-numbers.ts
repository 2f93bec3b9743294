import { StreamsError } from '../../common/errors.ts';
import type { DescribedPart } from '../../topology/read-description.ts';
import type { SubTopology } from '../../topology/sub-topology.ts';
import type { Topology } from '../../topology/topology.ts';
import { type CommittedPlace, type CommittedTask, committedTasks, hasCommitted } from './committed-tasks.ts';
import { planTopics, type TopicsPlan } from './topics-plan.ts';

/** What is known of the numbers that sub-topologies have had. */
export interface KnownNumbers {
  /** What the group has committed of the tasks, whatever their numbers. */
  readonly tasks: readonly CommittedTask[];
  /** Sub-topologies of the program before, where a state folder tells: commits of versions before 1.0 do not. */
  readonly before: readonly DescribedPart[];
}

/**
 * The topology with the numbers that its sub-topologies have on Kafka: one that reads a topic goes on with the number under which that topic was read, and a new one gets a number that none has had. So
 * tasks, their folders and their transactions are called the same in two programs, which may run side by side.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` where two sub-topologies became one, or one became two: their states would have to be put together, or taken apart.
 */
export function numberedTopology(topology: Topology, known: KnownNumbers): Topology {
  const parts = topology.subTopologies;
  const topicsBefore = knownTopics(known);
  const numbers = parts.map((part) => numberOf(part, topicsBefore, known));
  const twice = numbers.find((number, i) => number !== undefined && numbers.indexOf(number) !== i);
  if (twice !== undefined) {
    const topics = parts.filter((_, i) => numbers[i] === twice).map(topicsOf);
    throw otherParts(
      `topics ${topics.map((each) => each.join(', ')).join(' and ')} were read by one sub-topology, and are now by several`,
    );
  }
  let last = Math.max(-1, ...topicsBefore.keys(), ...numbers.map((number) => number ?? -1));
  const ids = numbers.map((number) => number ?? ++last);
  const former = [...topicsBefore].filter(([id]) => !ids.includes(id));
  if (former.length === 0 && ids.every((id, i) => id === i)) return topology;
  return topology.numbered(ids, Object.fromEntries(former.map(([id, topics]) => [id, [...topics].sort()])));
}

const topicsOf = ({ sources }: SubTopology): readonly string[] => sources.flatMap(({ topics }) => topics);

/** The topics of each number that a sub-topology has had. */
function knownTopics({ tasks, before }: KnownNumbers): ReadonlyMap<number, ReadonlySet<string>> {
  const known = new Map<number, Set<string>>();
  const programs = tasks.flatMap(({ said }) => said?.program ?? []);
  const all =
    programs.length > 0
      ? programs.flatMap(({ parts, former }) =>
          [...Object.entries(parts), ...Object.entries(former)].map(([id, topics]) => ({ id: Number(id), topics })),
        )
      : before;
  for (const { id, topics } of all) known.set(id, new Set([...(known.get(id) ?? []), ...topics]));
  return known;
}

/** The number that a sub-topology has had; undefined for a new one. */
function numberOf(
  part: SubTopology,
  before: ReadonlyMap<number, ReadonlySet<string>>,
  { tasks }: KnownNumbers,
): number | undefined {
  const topics = topicsOf(part);
  const found = [...before].filter(([, read]) => topics.some((topic) => read.has(topic))).map(([id]) => id);
  const own = tasks.filter((task) => task.id.subTopology === part.id && hasCommitted(task));
  if (found.length > 1 || own.some(({ moreThanOne }) => moreThanOne))
    throw otherParts(`topics ${topics.join(', ')} were read by several sub-topologies, and are now by one`);
  // Where nobody tells it can only be the program that has run all the time.
  return found[0] ?? (before.size === 0 ? part.id : undefined);
}

/**
 * A topology with the numbers that its sub-topologies have in a group, and its tasks.
 *
 * @param before - Sub-topologies of the program before, where a state folder tells: asked for where the group does not.
 * @throws StreamsError as {@link numberedTopology}; `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_BROKER`
 */
export async function numberedInGroup(
  given: Topology,
  { admin, applicationId, replicationFactor = -1 }: CommittedPlace & { readonly replicationFactor?: number },
  before: () => Promise<readonly DescribedPart[]> = async () => [],
): Promise<{ readonly topology: Topology; readonly plan: TopicsPlan }> {
  const sourcePartitions = await admin.partitionCounts(given.sourceTopics);
  const planOf = (topology: Topology): TopicsPlan =>
    planTopics(topology, { applicationId, replicationFactor, sourcePartitions });
  const plan = planOf(given);
  const tasks = await committedTasks(given, plan.tasks, { admin, applicationId });
  const untold = tasks.some(({ said }) => said !== undefined && said.program === undefined);
  const topology = numberedTopology(given, { tasks, before: untold ? await before() : [] });
  return { topology, plan: topology === given ? plan : planOf(topology) };
}

function otherParts(what: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${what}: on Kafka the state of one task would have to become that of others. Run the program under another application id, or after weir reset.`,
  );
}
