import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { historyTopicConfigs } from '../runtime/kafka/history-topic.ts';
import type { Application, ReplaySettings } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import type { TableRequest } from './run.ts';

/** How long another instance's load is waited for before it is taken for dead, ms, and how often is looked. */
const othersMs = 60_000;
const lookMs = 200;

/** Makes sure that the topics of the global tables exist; an empty one is loaded from its folder. Instances that start at the same time wait for the one that loads. */
export async function prepareTables(
  app: Application,
  broker: Broker,
  tables: readonly TableRequest[],
  settings: ReplaySettings,
  { config, logger, signal }: CommandContext,
): Promise<void> {
  const replicationFactor = config.get('replication.factor');
  for (const { store, topic, directory } of tables) {
    const count = (await broker.admin.partitionCounts([topic])).get(topic);
    if (directory !== undefined && (await isEmpty(broker, topic))) {
      const load = async (): Promise<void> => {
        const changed = await app.writeTable?.(broker, {
          store,
          topic,
          directory,
          settings,
          replicationFactor,
          logger,
        });
        logger.info({ topic, keys: changed }, `topic ${topic} was empty: loaded from ${directory}`);
      };
      while (!(await loaded(load))) {
        logger.info({ topic }, `topic ${topic} is being loaded by another instance: waited for`);
        if (await filledByAnother(broker, topic, signal)) break;
      }
    } else if (count === undefined) {
      await broker.admin.createTopics([{ topic, partitions: 1, replicationFactor, configs: historyTopicConfigs }]);
      logger.warn({ topic }, `topic ${topic} did not exist: it is made, and empty`);
    } else if (directory !== undefined) {
      logger.info({ topic, directory }, `topic ${topic} is not empty: ${directory} is left aside`);
    }
  }
}

async function isEmpty({ admin }: Broker, topic: string): Promise<boolean> {
  const count = (await admin.partitionCounts([topic])).get(topic) ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  return (await admin.offsets(partitions, 'stable')).every((end) => end === 0);
}

/** False if another load has begun since. */
async function loaded(load: () => Promise<void>): Promise<boolean> {
  try {
    await load();
    return true;
  } catch (error) {
    if (StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED') return false;
    throw error;
  }
}

/** A load is one transaction: what is there is all of it. False after a while without. */
async function filledByAnother(broker: Broker, topic: string, signal: AbortSignal): Promise<boolean> {
  // Not all give up at the same moment, and end each other's loads again.
  const end = Date.now() + othersMs * (1 + Math.random());
  while (await isEmpty(broker, topic)) {
    signal.throwIfAborted();
    if (Date.now() > end) return false;
    await delay(lookMs, undefined, { signal });
  }
  return true;
}
