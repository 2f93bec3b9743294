import type { BrokerAdmin } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import { type DescribedPart, readDescription } from '../../topology/read-description.ts';
import type { Topology } from '../../topology/topology.ts';
import { type TopicsNow, topicRoles, topicsNow } from './application-topics.ts';
import { openGlobalCopy } from './global-folder.ts';
import { changelogTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { LetterTopic, LetterTopics } from './letter-topics.ts';
import { type ApplicationPast, checkStart } from './loss-check.ts';
import { prepareTopics } from './prepare-topics.ts';
import { numberedInGroup } from './program-numbers.ts';
import type { TopicsPlan } from './topics-plan.ts';

/** An application's topics, made and checked. */
export interface PreparedApplication {
  /** With the numbers that its sub-topologies have in the group. */
  readonly topology: Topology;
  readonly plan: TopicsPlan;
  readonly clusterId: string | undefined;
  /** Partitions of every topic that is written to, by its name on the broker. */
  readonly partitionsOf: ReadonlyMap<string, number>;
  readonly letters: LetterTopics;
  /** ms after which a copy of the state may have missed deletions. */
  readonly deleteRetentionMs: number;
  readonly past: ApplicationPast;
  /** What its state stands on, as it was found. */
  readonly topics: TopicsNow;
}

const day = 86_400_000;
/** Kafka's own default. */
const defaultMessageBytes = 1_048_588;
/** The most that a letter has besides its record. */
const letterHeaderBytes = 16 * 1024;

/**
 * Checks the topics that a topology reads and writes, and makes its internal ones.
 *
 * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_INTERNAL_TOPIC`, `STREAMS_INPUT_REFUSED`, `STREAMS_PRODUCTION`, `STREAMS_BROKER`
 */
export async function prepareApplication(given: Topology, options: FilledOptions): Promise<PreparedApplication> {
  const { broker, applicationId, logger } = options;
  const { admin } = broker;
  const letterNames = [options.deadLetterTopic, options.lateTopic].filter((topic) => topic !== '');
  const sinks = given.nodes.flatMap((node) =>
    node.kind === 'sink' && !given.repartitions.has(node.topic) ? [node.topic] : [],
  );
  const counts = await admin.partitionCounts([...given.sourceTopics, ...sinks, ...letterNames]);
  const missing = sinks.find((topic) => !counts.has(topic));
  if (missing !== undefined)
    throw new StreamsError(
      'STREAMS_PRODUCTION',
      `topic ${missing}, to which the topology writes, does not exist on the broker. Create it.`,
      { topic: missing },
    );
  const { topology, plan, past } = await checkApplication(given, options);
  await prepareTopics(admin, plan.internal, logger);
  const partitions = Math.max(1, ...plan.partitionsOf.values());
  await makeLetterTopics(
    topology,
    options,
    letterNames.filter((topic) => !counts.has(topic)),
    partitions,
  );
  const letterLimits = await largestMessages(admin, letterNames);
  const letterTopic = (topic: string): LetterTopic | undefined =>
    topic === ''
      ? undefined
      : { topic, partitions: counts.get(topic) ?? partitions, maxBytes: letterLimits.get(topic)! };
  return {
    topology,
    plan,
    clusterId: (await admin.describeCluster()).clusterId,
    partitionsOf: new Map([...counts, ...plan.internal.map((spec) => [spec.topic, spec.partitions] as const)]),
    letters: { dead: letterTopic(options.deadLetterTopic), late: letterTopic(options.lateTopic) },
    deleteRetentionMs: options.deleteRetentionMs ?? (await deleteRetention(topology, options)),
    past,
    topics: await topicsNow(admin, [...topicRoles(topology, applicationId).keys()]),
  };
}

/**
 * Whether an application still goes with its topics. Nothing is made.
 *
 * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_INTERNAL_TOPIC`, `STREAMS_INPUT_REFUSED`, `STREAMS_BROKER`
 */
export async function checkApplication(
  given: Topology,
  options: FilledOptions,
): Promise<Pick<PreparedApplication, 'topology' | 'plan' | 'past'>> {
  const { broker, applicationId, replicationFactor } = options;
  const place = { admin: broker.admin, applicationId, replicationFactor };
  const { topology, plan } = await numberedInGroup(given, place, () => partsBefore(options));
  return { topology, plan, past: await checkStart(topology, plan.tasks, options) };
}

/** The sub-topologies of the program that last used the state folder; none where it does not tell. */
export async function partsBefore({ stateDir, openDatabase }: FilledOptions): Promise<readonly DescribedPart[]> {
  try {
    const { folder } = await openGlobalCopy(stateDir, openDatabase);
    const { saved } = folder;
    await folder.close();
    return saved === undefined ? [] : readDescription(saved.topology).parts;
  } catch (error) {
    // What is wrong with it is told where it is opened to be used.
    if (StreamsError.is(error)) return [];
    throw error;
  }
}

/** A letter is its record, and headers besides: so these topics take more than those that are read. */
async function makeLetterTopics(
  topology: Topology,
  { broker, replicationFactor }: FilledOptions,
  topics: readonly string[],
  partitions: number,
): Promise<void> {
  if (topics.length === 0) return;
  const read = await largestMessages(broker.admin, topology.sourceTopics);
  const configs = {
    'max.message.bytes': String(Math.max(...read.values()) + letterHeaderBytes),
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'message.timestamp.after.max.ms': '9223372036854775807',
  };
  await broker.admin.createTopics(topics.map((topic) => ({ topic, partitions, replicationFactor, configs })));
}

/** Bytes of a batch that topics take. */
async function largestMessages(admin: BrokerAdmin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (topics.length === 0) return new Map();
  const configs = await admin.topicConfigs(topics);
  const limit = (topic: string): number => Number(configs.get(topic)?.['max.message.bytes'] ?? defaultMessageBytes);
  return new Map(topics.map((topic) => [topic, limit(topic)]));
}

/** The least of what the changelogs say: a copy older than that may have missed a deletion. */
async function deleteRetention(topology: Topology, { broker, applicationId }: FilledOptions): Promise<number> {
  const changelogs = topology.stores.map(({ name }) => changelogTopic(applicationId, name));
  if (changelogs.length === 0) return day;
  const configs = await broker.admin.topicConfigs(changelogs);
  return Math.min(...changelogs.map((topic) => Number(configs.get(topic)?.['delete.retention.ms'] ?? day)));
}
