import { openKafkaBroker } from '../clients/kafka/kafka-broker.ts';
import type { Logger } from '../common/logger.ts';
import type { ModuleOptions } from '../runtime/kafka/thread-module.ts';
import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec } from './application.ts';
import type { RunData } from './run-threads.ts';

// What a further stream thread of `run` makes its topology by: an entry point of the package.

/** The topology of the application. */
export async function topology({ spec, settings, topic, tableTopics }: RunData): Promise<Topology> {
  const exported = (await import(spec)) as { readonly default?: ApplicationSpec };
  if (typeof exported.default?.load !== 'function')
    throw new TypeError(`module ${spec} exports no application: its default export is to be the ApplicationSpec`);
  const application = await exported.default.load();
  return application.topology(settings, [topic], tableTopics);
}

/** Options that are functions. */
export function options({ broker, handlers }: RunData, logger: Logger): ModuleOptions {
  return {
    broker: openKafkaBroker({ ...broker, logger }),
    deserializationHandler: () => handlers.deserialization,
    processingHandler: () => handlers.processing,
    productionHandler: () => handlers.production,
  };
}
