import type { Broker } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { Zone } from '../common/time/zone.ts';
import { didYouMean } from '../config/nearest.ts';
import { refuseOtherKind } from '../runtime/folder-kind.ts';
import { ApplicationProgress } from '../runtime/kafka/application-progress.ts';
import { type FilledOptions, filledOptions } from '../runtime/kafka/kafka-options.ts';
import { KafkaStreams } from '../runtime/kafka/kafka-streams.ts';
import { checkApplication } from '../runtime/kafka/prepare-application.ts';
import { threadDirectory } from '../runtime/kafka/stored-tasks.ts';
import { endpointOf } from '../server/serve.ts';
import { serveClient } from '../server/serve-client.ts';
import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec, ReplaySettings } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { compactionCheck } from './doctor-topics.ts';
import { httpAccess } from './http-access.ts';
import { checkRecords } from './input-verdict.ts';
import { KafkaInstance } from './kafka-instance.ts';
import { kafkaOptions } from './kafka-settings.ts';
import { openBroker } from './open-broker.ts';
import { retentionChecks } from './output-retention.ts';
import { type GivenSettings, savedForm, settingsOf } from './replay-settings.ts';
import { prepareTables } from './run-tables.ts';
import {
  processName,
  StreamThread,
  stopOfMainThread,
  tellFailure,
  tellMainThread,
  threadNumber,
} from './stream-threads.ts';
import { unlessAborted, untilAborted } from './until-aborted.ts';
import { untilCaughtUp } from './until-caught-up.ts';
import { type Defer, withCleanup } from './with-cleanup.ts';

/** A global table's topic, and the folder that it is loaded from if it is empty. */
export interface TableRequest {
  readonly store: string;
  readonly topic: string;
  readonly directory?: string;
}

/** What is to be run. */
export interface RunRequest {
  readonly topic: string;
  readonly state: string;
  readonly tables: readonly TableRequest[];
  readonly zone: string | undefined;
  readonly grace: number | undefined;
  readonly untilCaughtUp: boolean;
  /** Goes on where inputs or positions are not what was committed. */
  readonly acceptLoss: boolean;
  /** Stores that are made anew first. */
  readonly rebuild: readonly string[];
  readonly port: number;
  readonly host: string;
}

/** How long the last commits may take when it is told to stop, ms: the frame of the command ends it soon after. */
const closeMs = 6000;
/** How often the clocks of all tasks are looked at, for what is final, ms. */
const clockIntervalMs = 2000;

/** Runs a topology on Kafka and serves its results, until the signal, or until it has caught up. */
export async function run(
  spec: ApplicationSpec,
  request: RunRequest,
  context: CommandContext,
  serving: (url: string) => void,
): Promise<void> {
  if (request.zone !== undefined) Zone.of(request.zone);
  const number = threadNumber();
  if (number === 1) return runThread(spec, request, context, serving);
  const signal = stopOfMainThread()!;
  await runThread(spec, threadRequest(request, number), { ...context, signal }, () => {}).catch((error: unknown) => {
    // One that is told to stop while it starts has not failed.
    if (!signal.aborted || error !== signal.reason) tellFailure(error);
  });
}

/** A further thread is an instance of its own, with its own part of the state folder. */
function threadRequest(request: RunRequest, number: number): RunRequest {
  return {
    ...request,
    state: threadDirectory(request.state, number),
    port: 0,
    untilCaughtUp: false,
    tables: request.tables.map(({ store, topic }) => ({ store, topic })),
  };
}

async function runThread(
  spec: ApplicationSpec,
  request: RunRequest,
  context: CommandContext,
  serving: (url: string) => void,
): Promise<void> {
  const { config, logger } = context;
  const { port, host } = request;
  const main = threadNumber() === 1;
  await refuseOtherKind(request.state, 'instance');
  const app = await spec.load();
  await withCleanup(async (defer) => {
    const broker = await openBroker(context, applicationIdOf(spec, config));
    defer(() => broker.close());
    const { signal: stop } = context;
    const settings = await unlessAborted(stop, runSettings(spec, broker, request));
    const tableTopics = new Map(request.tables.map(({ store, topic }) => [store, topic]));
    const topology = app.topology(settings, [request.topic], tableTopics);
    const options = {
      ...kafkaOptions(spec, config, broker, logger),
      stateDir: request.state,
      settings: savedForm(settings),
      acceptLoss: request.acceptLoss,
    };
    if (main) {
      if (request.rebuild.length > 0) {
        const { rebuildStoresOnKafka } = await import('../runtime/kafka/rebuild-stores-on-kafka.ts');
        await rebuildStoresOnKafka(topology, options, { stores: request.rebuild, signal: stop });
        if (stop.aborted) return;
      }
      // Before a table's topic that is missing is made, and is another one.
      await unlessAborted(stop, checkApplication(topology, filledOptions(options)));
      await unlessAborted(stop, prepareTables(app, broker, request.tables, settings, context));
      await unlessAborted(stop, warnOfCompaction(broker, request.topic, logger));
      await unlessAborted(stop, warnOfRetention(broker, topology, filledOptions(options), logger));
    }
    const progress = new ApplicationProgress(broker.admin, topology, applicationIdOf(spec, config));
    const access = httpAccess(config);
    const instance = new KafkaInstance(topology, settings, access.token);
    const server = await serveClient(instance.client, instance.parts(app), {
      port,
      host,
      logger,
      version: spec.version,
      ...access,
    });
    defer(() => server.close());
    const own = endpointOf(server.url, host);
    const endpoint = main ? (config.get('application.server') ?? own) : own;
    const streams = new KafkaStreams(topology, {
      ...options,
      applicationServer: endpoint,
      hostProcess: processName,
    });
    defer(() => streams.close({ timeoutMs: closeMs }));
    const threadFailed = new AbortController();
    const threads = main ? startThreads(config.get('num.stream.threads'), threadFailed) : [];
    instance.runs(streams, threads);
    defer(() => Promise.all(threads.map((thread) => thread.close())));
    serving(server.told);
    await unlessAborted(stop, streams.start());
    defer(
      tellMainThread(
        endpoint,
        () => streams.stats(),
        () => streams.kafkaStats(),
      ),
    );
    watchClocks(progress, instance, defer);
    const signal = AbortSignal.any([stop, threadFailed.signal]);
    const stopped = Promise.race([untilAborted(signal), streams.untilEnded()]);
    const states = () => [streams.state, ...threads.map(({ engine }) => engine?.state)];
    await (request.untilCaughtUp ? untilCaughtUp(progress, states, stopped) : stopped);
    const stats = instance.client.kafkaStats!();
    await Promise.all([streams.close({ timeoutMs: closeMs }), ...threads.map((thread) => thread.close())]);
    if (streams.state === 'ERROR') throw streams.failure;
    if (threadFailed.signal.aborted) throw threadFailed.signal.reason;
    if (request.untilCaughtUp && !stop.aborted)
      checkRecords(stats, request.topic, filledOptions(options).deadLetterTopic);
  });
}

/** What is written to topics that delete by event time would be gone before anybody reads it. */
async function warnOfRetention(
  broker: Broker,
  topology: Topology,
  { applicationId, deadLetterTopic, lateTopic }: FilledOptions,
  logger: Logger,
): Promise<void> {
  const letters = [deadLetterTopic, lateTopic].filter((topic) => topic !== '');
  for (const { about, text, remedy } of await retentionChecks(broker, topology, applicationId, letters))
    logger.warn({}, `${about}: ${text}. ${remedy}`);
}

/** Events that a later one of the same key replaces before they are read are in no result. */
async function warnOfCompaction({ admin }: Broker, topic: string, logger: Logger): Promise<void> {
  const check = compactionCheck(topic, (await admin.topicConfigs([topic])).get(topic) ?? {});
  if (check !== undefined) logger.warn({ topic }, `${check.about}: ${check.text}. ${check.remedy}`);
}

/** Threads beside this one. One that fails takes the others with it. */
function startThreads(count: number, failed: AbortController): readonly StreamThread[] {
  return Array.from({ length: count - 1 }, (_, i) => new StreamThread(i + 2, (error) => failed.abort(error)));
}

async function runSettings(spec: ApplicationSpec, broker: Broker, request: RunRequest): Promise<ReplaySettings> {
  const { topic, zone, grace } = request;
  const partitions = (await broker.admin.partitionCounts([topic])).get(topic);
  if (partitions === undefined)
    throw new StreamsError(
      'STREAMS_MISSING_SOURCE_TOPIC',
      `topic ${topic} does not exist on the broker. Create it, or name the topic that has the records with --topic.${didYouMean(topic, await broker.admin.listTopics())}`,
      { topic },
    );
  const given: GivenSettings = { zone, graceMs: grace, partitions };
  return settingsOf(spec, given, undefined, request.state);
}

/** What is final depends on the clocks of all tasks, wherever they run. */
function watchClocks(progress: ApplicationProgress, instance: KafkaInstance, defer: Defer): void {
  let looking = false;
  const look = (): void => {
    if (looking) return;
    looking = true;
    progress
      .operatorTimeMs()
      .then((time) => {
        instance.operatorTimeMs = time;
      })
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  };
  // At once: until the first answer nothing counts as final.
  look();
  const timer = setInterval(look, clockIntervalMs);
  defer(() => clearInterval(timer));
}
