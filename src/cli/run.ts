import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { Zone } from '../common/time/zone.ts';
import type { StoreSpec } from '../processor/node.ts';
import { ApplicationProgress } from '../runtime/kafka/application-progress.ts';
import { KafkaStreams } from '../runtime/kafka/kafka-streams.ts';
import { readOnlyStore } from '../runtime/parts/read-only-store.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../runtime/read-only-stores.ts';
import {
  type Application,
  type ApplicationSpec,
  applicationIdOf,
  type ReadableState,
  type ReplaySettings,
} from './application.ts';
import type { CommandContext } from './command-spec.ts';
import { kafkaOptions } from './kafka-settings.ts';
import { openBroker } from './open-broker.ts';
import { type GivenSettings, savedForm, settingsOf } from './replay-settings.ts';
import { serveClient } from './serve-state.ts';
import { allParts, ownParts, shareKafka } from './share-kafka.ts';
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
  readonly port: number;
  readonly host: string;
}

/** How often the clocks of all tasks are looked at, for what is final, ms. */
const clockIntervalMs = 2000;
const caughtUpIntervalMs = 100;

/** Runs a topology on Kafka and serves its results, until the signal, or until it has caught up. */
export async function run(
  spec: ApplicationSpec,
  request: RunRequest,
  context: CommandContext,
  serving: (url: string) => void,
): Promise<void> {
  const { config, logger, signal } = context;
  if (request.zone !== undefined) Zone.of(request.zone);
  const app = await spec.load();
  await withCleanup(async (defer) => {
    const broker = await openBroker(context);
    defer(() => broker.close());
    const settings = await runSettings(spec, broker, request);
    await prepareTables(app, broker, request.tables, settings, context);
    const tableTopics = new Map(request.tables.map(({ store, topic }) => [store, topic]));
    const topology = app.topology(settings, [request.topic], tableTopics);
    const progress = new ApplicationProgress(broker.admin, topology, applicationIdOf(spec, config));
    // The server's port is part of what the client tells the group.
    let streams: KafkaStreams | undefined;
    const started = (): KafkaStreams => {
      if (streams !== undefined) return streams;
      throw new StreamsError('STREAMS_TASK_MIGRATED', 'the instance is starting. Ask again in a second.', {
        retriable: true,
      });
    };
    let operatorTimeMs = -1;
    const shared = shareKafka(started, () => operatorTimeMs);
    const specOf = (name: string): StoreSpec => {
      const found = started()
        .specs()
        .find((each) => each.name === name);
      if (found !== undefined) return found;
      throw new StreamsError(
        'STREAMS_STATE_STORE_UNKNOWN',
        `there is no store ${name}. The stores are: ${started().storeNames().join(', ')}.`,
      );
    };
    const store = (name: string, options: StoreReadOptions = {}): ReadOnlyStore =>
      readOnlyStore(specOf(name), allParts(shared, name, started().partitionsOf(name), options.stale === true));
    const readable: ReadableState = {
      settings,
      store,
      isFinal: (windowEndMs) => windowEndMs <= operatorTimeMs - settings.graceMs,
    };
    // Metrics are those of this instance's own tasks: sums over the instances are those of the application.
    const own: ReadableState = {
      ...readable,
      store: (name) => readOnlyStore(specOf(name), ownParts(shared, started(), name)),
    };
    const parts = { ...app.serve?.(readable), collectors: app.serve?.(own).collectors ?? [] };
    const client = {
      topology,
      stats: () => started().stats(),
      kafkaStats: () => started().kafkaStats(),
      storeNames: () => started().storeNames(),
      store,
      shared,
    };
    const server = await serveClient(spec, client, parts, { port: request.port, host: request.host, logger });
    defer(() => server.close());
    streams = new KafkaStreams(topology, {
      ...kafkaOptions(spec, config, broker, logger),
      settings: savedForm(settings),
      applicationServer: config.get('application.server') ?? endpointOf(server.url, request.host),
    });
    const running = streams;
    defer(() => running.close());
    serving(server.url);
    await running.start();
    watchClocks(
      progress,
      (time) => {
        operatorTimeMs = time;
      },
      defer,
    );
    await untilDone(running, progress, request.untilCaughtUp, signal);
    await running.close();
    if (running.state === 'ERROR') throw running.failure;
  });
}

/** Others are told the address that this server listens at; one that listens everywhere has the machine's name. */
function endpointOf(url: string, host: string): string {
  const { port } = new URL(url);
  const everywhere = host === '0.0.0.0' || host === '::';
  return `${everywhere ? hostname() : host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function runSettings(spec: ApplicationSpec, broker: Broker, request: RunRequest): Promise<ReplaySettings> {
  const { topic, zone, grace } = request;
  const partitions = (await broker.admin.partitionCounts([topic])).get(topic);
  if (partitions === undefined)
    throw new StreamsError(
      'STREAMS_MISSING_SOURCE_TOPIC',
      `topic ${topic} does not exist on the broker. Create it, or name the topic that has the records with --topic.`,
      { topic },
    );
  const given: GivenSettings = { zone, graceMs: grace, partitions };
  return settingsOf(spec, given, undefined, request.state);
}

/** Makes sure that the topics of the global tables exist; an empty one is loaded from its folder. */
async function prepareTables(
  app: Application,
  broker: Broker,
  tables: readonly TableRequest[],
  settings: ReplaySettings,
  { config, logger }: CommandContext,
): Promise<void> {
  const replicationFactor = config.get('replication.factor');
  for (const { store, topic, directory } of tables) {
    const count = (await broker.admin.partitionCounts([topic])).get(topic);
    const partitions = Array.from({ length: count ?? 0 }, (_, partition) => ({ topic, partition }));
    const ends = await broker.admin.offsets(partitions, 'stable');
    const empty = ends.every((end) => end === 0);
    if (directory !== undefined && empty) {
      const changed = await app.writeTable?.(broker, { store, topic, directory, settings, replicationFactor, logger });
      logger.info({ topic, keys: changed }, `topic ${topic} was empty: loaded from ${directory}`);
    } else if (count === undefined) {
      await broker.admin.createTopics([{ topic, partitions: 1, replicationFactor, configs: tableTopicConfigs }]);
      logger.warn({ topic }, `topic ${topic} did not exist: it is made, and empty`);
    } else if (directory !== undefined) {
      logger.info({ topic, directory }, `topic ${topic} is not empty: ${directory} is left aside`);
    }
  }
}

/** How a topic that holds a global table is kept: the latest record of each key, for ever. */
export const tableTopicConfigs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
};

/** What is final depends on the clocks of all tasks, wherever they run. */
function watchClocks(progress: ApplicationProgress, tell: (operatorTimeMs: number) => void, defer: Defer): void {
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    progress
      .operatorTimeMs()
      .then(tell)
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  }, clockIntervalMs);
  defer(() => clearInterval(timer));
}

async function untilDone(
  streams: KafkaStreams,
  progress: ApplicationProgress,
  untilCaughtUp: boolean,
  signal: AbortSignal,
): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const ended = streams.untilEnded();
  if (!untilCaughtUp) {
    await Promise.race([aborted, ended]);
    return;
  }
  let over = false;
  const stopped = Promise.race([aborted, ended]).then(() => {
    over = true;
  });
  const caughtUp = progress.untilCaughtUp(async () => {
    if (over) throw new StreamsError('STREAMS_CLOSED', 'the instance was stopped before it had caught up.');
    await delay(caughtUpIntervalMs);
  });
  await Promise.race([stopped, caughtUp]);
  if (!over) await caughtUp;
  else await caughtUp.catch(() => {});
}
