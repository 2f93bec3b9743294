import type { Broker } from '../clients/broker.ts';
import type { Application, ReplaySettings } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import type { TableRequest } from './run.ts';

/** Makes sure that the topics of the global tables exist; an empty one is loaded from its folder. */
export async function prepareTables(
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
