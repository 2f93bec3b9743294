import type { Broker } from '../clients/broker.ts';
import { silentLogger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { StoreSpec } from '../processor/node.ts';
import { ApplicationProgress } from '../runtime/kafka/application-progress.ts';
import { changelogParts } from '../runtime/kafka/changelog-parts.ts';
import { InstanceFolders, isInstanceFolder } from '../runtime/kafka/folder-parts.ts';
import { globalTopicParts } from '../runtime/kafka/global-topic-parts.ts';
import { changelogTopic } from '../runtime/kafka/internal-names.ts';
import { planTopics } from '../runtime/kafka/topics-plan.ts';
import { lazyParts } from '../runtime/parts/lazy-parts.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';
import type { Topology } from '../topology/topology.ts';
import type { Application, ApplicationSpec } from './application.ts';
import { topicsOf } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import { settingsInGroup } from './group-settings.ts';
import { openBroker } from './open-broker.ts';
import { settingsOf } from './replay-settings.ts';
import { partsSource, type StoreSource } from './store-source.ts';

/** What the results of an application on Kafka are read from, while it runs or not. */
export interface KafkaSources {
  /** Whether a folder is that of an instance on Kafka. */
  holds(directory: string): Promise<boolean>;
  /** Of each task the copy that reaches furthest. @throws {@link StreamsError} `STREAMS_STATE_MISSING` - a task is in none of the folders. */
  openFolders(spec: ApplicationSpec, app: Application, directories: readonly string[]): Promise<StoreSource>;
  /** What is committed in the changelogs of `application.id` at `bootstrap.servers`. */
  openChangelogs(spec: ApplicationSpec, app: Application, config: Config): Promise<StoreSource>;
}

/** The sources on Kafka. */
export const kafkaSources: KafkaSources = {
  holds: isInstanceFolder,
  async openFolders(spec, app, directories) {
    const folders = await InstanceFolders.open(directories);
    const place = directories.join(', ');
    try {
      const settings = settingsOf(spec, {}, folders.settings, place);
      const topology = app.topology(settings, topicsOf(spec, settings.topics));
      const counts = storePartitions(topology, () => settings.partitions);
      return partsSource({
        place,
        settings,
        topology,
        partsOf: (store) => folders.partsOf(topology, store, counts(store)),
        operatorTimeMs: folders.operatorTimeMs,
        close: () => folders.close(),
      });
    } catch (error) {
      await folders.close();
      throw error;
    }
  },
  async openChangelogs(spec, app, config) {
    const broker = await openBroker({ config, logger: silentLogger });
    try {
      return await changelogSource(spec, app, config, broker);
    } catch (error) {
      await broker.close();
      throw error;
    }
  },
};

/** The results of `application.id`, as its changelogs at a broker have them. The source closes the broker. */
export async function changelogSource(
  spec: ApplicationSpec,
  app: Application,
  config: Config,
  broker: Broker,
): Promise<StoreSource> {
  const applicationId = applicationIdOf(spec, config);
  const place = `${applicationId} at ${config.get('bootstrap.servers').join(',')}`;
  const topic = spec.topic;
  const partitions = (await broker.admin.partitionCounts([topic])).get(topic) ?? 1;
  const defaults = { ...settingsOf(spec, {}, undefined, place), partitions };
  const inGroup = { admin: broker.admin, applicationId };
  const settings = await settingsInGroup((some) => app.topology(some, [topic]), defaults, inGroup);
  const topology = app.topology(settings, [topic]);
  const counts = await changelogPartitions(broker, applicationId, topology);
  const progress = new ApplicationProgress(broker.admin, topology, applicationId);
  const loaded = new Map<string, readonly StorePart[]>();
  const partsOf = (store: StoreSpec): readonly StorePart[] => {
    let parts = loaded.get(store.name);
    if (parts === undefined) {
      const table = topology.globalTables.find((each) => each.store.name === store.name);
      parts =
        table === undefined
          ? lazyParts(counts.get(store.name) ?? 1, () => changelogParts(broker, applicationId, store))
          : lazyParts(1, () => globalTopicParts(broker, table));
      loaded.set(store.name, parts);
    }
    return parts;
  };
  return partsSource({
    place,
    settings,
    topology,
    partsOf,
    operatorTimeMs: await progress.operatorTimeMs().catch(() => -1),
    close: () => broker.close(),
  });
}

/** How many partitions each store has, by its name. The application may read a topic of another name, with another number of partitions: its changelogs tell. */
async function changelogPartitions(
  broker: Broker,
  applicationId: string,
  topology: Topology,
): Promise<ReadonlyMap<string, number>> {
  const topics = topology.stores.map(({ name }) => changelogTopic(applicationId, name));
  const found = await broker.admin.partitionCounts(topics);
  // One that is missing is told when it is read.
  return new Map(topology.stores.map(({ name }, i) => [name, found.get(topics[i]!) ?? 1]));
}

/** How many partitions each store has. */
function storePartitions(topology: Topology, ofSource: (topic: string) => number): (store: StoreSpec) => number {
  const sourcePartitions = new Map(topology.sourceTopics.map((topic) => [topic, ofSource(topic)]));
  const { partitionsOf } = planTopics(topology, { applicationId: 'any', replicationFactor: -1, sourcePartitions });
  return ({ name }) => {
    const part = topology.subTopologies.find(({ stores }) => stores.includes(name));
    return part === undefined ? 1 : partitionsOf.get(part.id)!;
  };
}
