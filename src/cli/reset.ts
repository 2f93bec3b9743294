import type { Broker } from '../clients/broker.ts';
import { fence, refuseWhileRunning } from '../runtime/kafka/alone.ts';
import { isInstanceFolder } from '../runtime/kafka/folder-parts.ts';
import { globalDirectory } from '../runtime/kafka/global-folder.ts';
import { filledOptions } from '../runtime/kafka/kafka-options.ts';
import { refillChangelogs } from '../runtime/kafka/refill.ts';
import { StateFolder, type StateSettings } from '../runtime/state-folder.ts';
import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { kafkaTopology } from './kafka-topology.ts';
import { letterTopics } from './letter-settings.ts';
import { settingsOf } from './replay-settings.ts';
import { type BrokerTraces, findTraces, sinkTopics } from './reset-broker.ts';
import { findLocalState, type LocalState } from './reset-folder.ts';
import { unlessAborted } from './until-aborted.ts';
import { withCleanup } from './with-cleanup.ts';

/** What is to be deleted, and whether it is. */
export interface ResetRequest {
  readonly topic: string;
  readonly tableTopics: ReadonlyMap<string, string>;
  readonly state: string;
  /** False: it is only printed. */
  readonly execute: boolean;
}

interface Reset {
  readonly applicationId: string;
  readonly traces: BrokerTraces;
  readonly local: LocalState | undefined;
}

/**
 * Deletes what an application has made on Kafka, or prints what that is.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` while it runs or its folder is in use, `STREAMS_STATE_INCOMPATIBLE` for another's folder, `STREAMS_BROKER`
 */
export async function reset(
  spec: ApplicationSpec,
  { topic, tableTopics, state, execute }: ResetRequest,
  { config, stdout, stderr, logger, signal }: CommandContext,
  broker: Broker,
): Promise<void> {
  await withCleanup(async (defer) => {
    const topology = await kafkaTopology(spec, topic, tableTopics);
    const applicationId = applicationIdOf(spec, config);
    const traces = await unlessAborted(signal, findTraces(broker.admin, topology, applicationId));
    const named = config.origin('state.dir').source === 'flag';
    const found = await findLocalState({ directory: state, applicationId, named });
    const local = 'state' in found ? found.state : undefined;
    defer(() => local?.close());
    const plan: Reset = { applicationId, traces, local };
    const say = (what: string): void => stdout.write(`${execute ? 'deleted' : 'would delete'} ${what}\n`);
    if (isEmpty(plan)) stdout.write(`nothing to delete of application ${applicationId}\n`);
    else if (execute)
      await carryOut(broker, plan, say).catch((error: unknown) => {
        stderr.write('The reset is not complete: run it again before an instance starts.\n');
        throw error;
      });
    else for (const what of thingsOf(plan)) say(what);
    const letters = letterTopics(spec, config);
    for (const [name, why] of await unlessAborted(
      signal,
      keptTopics(broker, topology, [letters.deadLetterTopic, letters.lateTopic]),
    ))
      stdout.write(`keeps topic ${name} (${why})\n`);
    for (const name of traces.alike)
      stdout.write(`keeps topic ${name} (called like an internal one, but not of this topology)\n`);
    if ('left' in found) stdout.write(`keeps local state: ${found.left}\n`);
    logger.debug({ applicationId, tasks: traces.taskIds.length }, 'tasks that were looked at');
    if (isEmpty(plan)) return;
    stderr.write('Instances on other machines have state too: delete it there (--state) before one of them starts.\n');
    const begins = config.get('auto.offset.reset');
    if (begins !== 'earliest')
      stderr.write(`auto.offset.reset is ${begins}: with it the next start leaves out what the topics hold now.\n`);
    if (!execute) stderr.write('Nothing was changed. To do it, give --execute.\n');
  });
}

/**
 * Makes changelogs that were lost again out of whole copies of the state, or prints which.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` while the application runs, or where a task has no whole copy
 */
export async function refillAll(
  spec: ApplicationSpec,
  { topic, tableTopics, state, execute }: ResetRequest,
  { config, stdout, stderr, logger, signal }: CommandContext,
  broker: Broker,
): Promise<void> {
  const app = await spec.load();
  // The copies say by which settings they were made: others' topology is not theirs.
  const topology = app.topology(settingsOf(spec, {}, await savedSettings(state), state), [topic], tableTopics);
  const options = filledOptions({
    broker,
    applicationId: applicationIdOf(spec, config),
    stateDir: state,
    replicationFactor: config.get('replication.factor'),
    compression: config.get('compression.type'),
    logger,
  });
  await unlessAborted(signal, refuseWhileRunning(broker.admin, options.applicationId));
  const refilled = await refillChangelogs(topology, options, execute);
  for (const name of refilled) stdout.write(`${execute ? 'refilled' : 'would refill'} topic ${name} from ${state}\n`);
  if (refilled.length === 0) stdout.write(`no changelog of application ${options.applicationId} is lost\n`);
  else if (!execute) stderr.write('Nothing was changed. To do it, give --execute.\n');
}

async function savedSettings(directory: string): Promise<StateSettings | undefined> {
  if (!(await isInstanceFolder(directory))) return undefined;
  const folder = await StateFolder.open(globalDirectory(directory), { create: false });
  await folder.close();
  return folder.saved?.settings;
}

function isEmpty({ traces, local }: Reset): boolean {
  return !traces.group && traces.topics.size === 0 && (local?.paths.length ?? 0) === 0;
}

/**
 * Each step can be repeated, and until the last one is done the group is there to say that some are missing. Copies of tasks go first: without them nothing is wrong yet, while a copy that stays behind
 * could be taken for one of the changelogs that are recreated.
 */
async function carryOut(broker: Broker, plan: Reset, say: (what: string) => void): Promise<void> {
  const { applicationId, traces, local } = plan;
  if (traces.group || traces.topics.size > 0) await fence(broker, applicationId, traces.taskIds);
  await local?.deleteTasks((path) => say(folderText(path)));
  if (traces.topics.size > 0) {
    await broker.admin.deleteTopics([...traces.topics.keys()]);
    for (const topic of traces.topics) say(topicText(topic));
  }
  if (traces.group) {
    // An instance that has started meanwhile has made topics of its own: the group stays, and so does the error.
    await refuseWhileRunning(broker.admin, applicationId);
    await broker.admin.deleteGroup(applicationId);
    say(groupText(plan));
  }
  await local?.deleteGlobals((path) => say(folderText(path)));
}

function thingsOf(plan: Reset): readonly string[] {
  const { traces, local } = plan;
  return [
    ...(local?.paths ?? []).map(folderText),
    ...[...traces.topics].map(topicText),
    ...(traces.group ? [groupText(plan)] : []),
  ];
}

const folderText = (path: string): string => `folder ${path}`;

const topicText = ([topic, partitions]: readonly [string, number]): string =>
  `topic ${topic} (${partitions} ${partitions === 1 ? 'partition' : 'partitions'})`;

function groupText({ applicationId, traces }: Reset): string {
  const positions = [...traces.positions].map(([topic, count]) => `${topic} ${count}`);
  return `group ${applicationId} (${positions.length === 0 ? 'no positions' : `positions by topic: ${positions.join(', ')}`})`;
}

/** Topics that stay, those of them that exist, with what they are. */
async function keptTopics(
  { admin }: Broker,
  topology: Topology,
  letters: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const kept = new Map([
    ...letters.filter((topic) => topic !== '').map((topic) => [topic, 'letters'] as const),
    ...sinkTopics(topology).map((topic) => [topic, 'results'] as const),
    ...topology.globalTables.map(({ topic }) => [topic, 'table'] as const),
    ...topology.sourceTopics.map((topic) => [topic, 'input'] as const),
  ]);
  const there = await admin.partitionCounts([...kept.keys()]);
  return new Map([...kept].filter(([topic]) => there.has(topic)).reverse());
}
