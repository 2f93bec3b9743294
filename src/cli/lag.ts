import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, GroupDescription, TopicPartition } from '../clients/broker.ts';
import { partitionKey } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { ApplicationProgress } from '../runtime/kafka/application-progress.ts';
import { hostsOf, instancesIn } from '../runtime/kafka/member-data.ts';
import { streamTimeOf } from '../runtime/kafka/task-metadata.ts';
import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { kafkaTopology } from './kafka-topology.ts';
import { formatTable } from './table.ts';
import { unlessAborted } from './until-aborted.ts';

/** What is to be printed. */
export interface LagRequest {
  readonly topic: string;
  /** ms between two looks; undefined: one look. */
  readonly watch: number | undefined;
  readonly json: boolean;
}

/** Who has a partition now. */
export interface PartitionOwner {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  /** Where its HTTP endpoints are, 'host:port'; undefined where it says none. */
  readonly endpoint: string | undefined;
}

/** How far a task has come with one partition. */
export interface PartitionLag extends TopicPartition {
  readonly task: string;
  /** Undefined: nothing is committed of it. */
  readonly position: number | undefined;
  /** First position that the topic still has; undefined for an internal topic that does not exist. */
  readonly start: number | undefined;
  /** The stable end: what open transactions can still change lies behind it. Undefined like `start`. */
  readonly end: number | undefined;
  /** The end less the position; without a position all that the topic holds. */
  readonly lag: number | undefined;
  /** Event time that the task had reached at its last commit, ms; undefined before the first record. */
  readonly streamTimeMs: number | undefined;
  readonly owner: PartitionOwner | undefined;
}

/** How far an application is behind. */
export interface ApplicationLag {
  readonly applicationId: string;
  /** State of its group, in Kafka's word, how many instances are in it, and how many members these are: each stream thread is one. */
  readonly group: { readonly state: string; readonly instances: number; readonly members: number };
  readonly lag: number;
  readonly partitions: readonly PartitionLag[];
}

/** Prints the lag of an application, once or again and again. */
export async function lag(
  spec: ApplicationSpec,
  { topic, watch, json }: LagRequest,
  { config, stdout, signal }: CommandContext,
  broker: Broker,
): Promise<void> {
  const topology = await kafkaTopology(spec, topic);
  const applicationId = applicationIdOf(spec, config);
  for (let first = true; !signal.aborted; first = false) {
    const found = await unlessAborted(signal, applicationLag(broker, topology, applicationId));
    stdout.write(json ? `${JSON.stringify(found)}\n` : `${first ? '' : '\n'}${lagText(found)}`);
    if (watch === undefined) return;
    // Whoever stops the command ends the pause too.
    await delay(watch, undefined, { signal }).catch(() => {});
  }
}

/**
 * How far an application is behind the ends that its topics have now.
 *
 * @throws StreamsError `STREAMS_STATE_MISSING` for an application that never committed and does not run, `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_BROKER`
 */
export async function applicationLag(
  broker: Broker,
  topology: Topology,
  applicationId: string,
): Promise<ApplicationLag> {
  const { admin } = broker;
  const group = await admin.describeGroup(applicationId);
  if (group.state === 'Dead')
    throw new StreamsError(
      'STREAMS_STATE_MISSING',
      `there is no group ${applicationId} on the broker: no application of this name has run. Give its name with --application-id, or start it.`,
    );
  // Positions before ends: so no partition is ahead of its end because it moved meanwhile.
  const inputs = await new ApplicationProgress(admin, topology, applicationId).committed();
  const counts = await admin.partitionCounts([...new Set(inputs.map(({ topic }) => topic))]);
  const there = inputs.filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0));
  const [starts, ends] = [await admin.offsets(there, 'earliest'), await admin.offsets(there, 'stable')];
  const bounds = new Map(
    there.map(({ topic, partition }, i) => [partitionKey(topic, partition), { start: starts[i]!, end: ends[i]! }]),
  );
  const owners = ownersOf(group);
  const endpoints = endpointsOf(group);
  const times = new Map<string, number | undefined>();
  for (const { taskId, committed } of inputs)
    if (!times.has(taskId)) times.set(taskId, streamTimeOf(committed?.metadata ?? ''));
  const partitions = inputs.map(({ taskId, topic, partition, committed }): PartitionLag => {
    const key = partitionKey(topic, partition);
    const bound = bounds.get(key);
    const owner = owners.get(key);
    return {
      task: taskId,
      topic,
      partition,
      position: committed?.offset,
      start: bound?.start,
      end: bound?.end,
      lag: bound === undefined ? undefined : Math.max(0, bound.end - (committed?.offset ?? bound.start)),
      streamTimeMs: times.get(taskId),
      owner: owner && { ...owner, endpoint: endpoints.get(taskId) },
    };
  });
  return {
    applicationId,
    group: { state: group.state, instances: instancesIn(group), members: group.members.length },
    lag: partitions.reduce((sum, each) => sum + (each.lag ?? 0), 0),
    partitions,
  };
}

/** The owner of each partition that is assigned; without its endpoint. */
function ownersOf({ members }: GroupDescription): ReadonlyMap<string, Omit<PartitionOwner, 'endpoint'>> {
  const owners = new Map<string, Omit<PartitionOwner, 'endpoint'>>();
  // Brokers write addresses as '/10.0.0.7'.
  for (const { memberId, clientId, host, partitions } of members)
    for (const { topic, partition } of partitions)
      owners.set(partitionKey(topic, partition), { memberId, clientId, host: host.replace(/^\//, '') });
  return owners;
}

/** The endpoint of each task's instance: every member is told of all of them. */
function endpointsOf(group: GroupDescription): ReadonlyMap<string, string> {
  return new Map(
    hostsOf(group).flatMap(({ endpoint, active }) =>
      endpoint === '' ? [] : active.map((id) => [id, endpoint] as const),
    ),
  );
}

const columns = [
  { title: 'task' },
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'position', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'lag', align: 'right' },
  { title: 'event_time' },
  { title: 'owner' },
] as const;

/** The lag as a table, with a line for all of it. */
function lagText({ applicationId, group, lag, partitions }: ApplicationLag): string {
  const rows = partitions.map((each) => [
    each.task,
    each.topic,
    each.partition,
    each.position ?? '-',
    each.end ?? '-',
    each.lag ?? '-',
    timeText(each.streamTimeMs),
    ownerText(each.owner),
  ]);
  const { state, instances } = group;
  const running = instances === 0 ? 'no instance runs' : `${instances} ${plural('instance', instances)}`;
  const over = `${partitions.length} ${plural('partition', partitions.length)}`;
  return `${formatTable(columns, rows)}total lag ${lag} over ${over}; group ${applicationId} is ${state}, ${running}\n`;
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

/** In UTC: `2018-01-31T22:59:50Z`. */
function timeText(ms: number | undefined): string {
  // Beyond what a Date holds a time is shown as it is.
  if (ms === undefined || Math.abs(ms) > 8.64e15) return String(ms ?? '-');
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function ownerText(owner: PartitionOwner | undefined): string {
  if (owner === undefined) return '-';
  return owner.endpoint === undefined
    ? `${owner.clientId} at ${owner.host}`
    : `${owner.clientId} at ${owner.host} (${owner.endpoint})`;
}
