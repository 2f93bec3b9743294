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
import { endpointOf } from '../server/serve.ts';
import { serveClient } from '../server/serve-client.ts';
import type { Topology } from '../topology/topology.ts';
import type { Application, ApplicationSpec, ReplaySettings } from './application.ts';
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
import { threadsOf } from './run-threads.ts';
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
  const { config, logger } = context;
  const { port, host } = request;
  await refuseOtherKind(request.state, 'instance');
  const app = await spec.load();
  await withCleanup(async (defer) => {
    const broker = await openBroker(context, applicationIdOf(spec, config));
    defer(() => broker.close());
    const { signal: stop } = context;
    const { settings, tableTopics, topology, options, filled } = await prepare(spec, app, broker, request, context);
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
    const endpoint = config.get('application.server') ?? endpointOf(server.url, host);
    const given = { ...options, applicationServer: endpoint };
    const streams = new KafkaStreams(topology, given, threadsOf(spec, context, { settings, ...request, tableTopics }));
    defer(() => streams.close({ timeoutMs: closeMs }));
    instance.runs(streams);
    serving(server.told);
    await unlessAborted(stop, streams.start());
    watchClocks(progress, instance, defer);
    const stopped = Promise.race([untilAborted(stop), streams.untilEnded()]);
    await (request.untilCaughtUp ? untilCaughtUp(progress, () => streams.state, stopped) : stopped);
    await streams.close({ timeoutMs: closeMs });
    if (streams.state === 'ERROR') throw streams.failure;
    if (request.untilCaughtUp && !stop.aborted)
      checkRecords(streams.kafkaStats(), request.topic, filled.deadLetterTopic);
  });
}

/** Checks what the topology reads and writes, and loads the tables. */
async function prepare(
  spec: ApplicationSpec,
  app: Application,
  broker: Broker,
  request: RunRequest,
  context: CommandContext,
) {
  const { config, logger, signal: stop } = context;
  const settings = await unlessAborted(stop, runSettings(spec, broker, request));
  const tableTopics = new Map(request.tables.map(({ store, topic }) => [store, topic]));
  const topology = app.topology(settings, [request.topic], tableTopics);
  const options = {
    ...kafkaOptions(spec, config, broker, logger),
    stateDir: request.state,
    settings: savedForm(settings),
    acceptLoss: request.acceptLoss,
  };
  const filled = filledOptions(options);
  if (request.rebuild.length > 0) {
    const { rebuildStoresOnKafka } = await import('../runtime/kafka/rebuild-stores-on-kafka.ts');
    await rebuildStoresOnKafka(topology, options, { stores: request.rebuild, signal: stop });
    stop.throwIfAborted();
  }
  // Before a table's topic that is missing is made, and is another one.
  await unlessAborted(stop, checkApplication(topology, filled));
  await unlessAborted(stop, prepareTables(app, broker, request.tables, settings, context));
  await unlessAborted(stop, warnOfCompaction(broker, request.topic, logger));
  await unlessAborted(stop, warnOfRetention(broker, topology, filled, logger));
  return { settings, tableTopics, topology, options, filled };
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
