import { join } from 'node:path';
import { openKafkaBroker } from '../../clients/kafka/kafka-broker.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { checkOptions } from '../../config/check-options.ts';
import type { Topology } from '../../topology/topology.ts';
import type { BootstrapOptions, KafkaStreamsOptions } from './kafka-options.ts';

/** Options that are functions: every stream thread makes its own. */
export type ModuleOptions = Partial<
  Pick<
    KafkaStreamsOptions,
    'broker' | 'deserializationHandler' | 'processingHandler' | 'productionHandler' | 'openDatabase'
  >
>;

/** What each stream thread has of the module. */
export interface LoadedModule {
  readonly topology: Topology;
  readonly options: ModuleOptions;
}

/** The options that a module may give, and their kinds. */
const kinds = {
  broker: 'object',
  deserializationHandler: 'function',
  processingHandler: 'function',
  productionHandler: 'function',
  openDatabase: 'function',
} as const satisfies Readonly<Record<keyof ModuleOptions, string>>;

/** Their names. */
export const moduleOptionNames: readonly string[] = Object.keys(kinds);

/** Refuses options that only the client's own thread would have. @throws TypeError */
export function refuseModuleOptions(options: object): void {
  const given = moduleOptionNames.find((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined);
  if (given !== undefined)
    throw new TypeError(
      `KafkaStreams.fromModule: ${given} cannot be given to other threads. Let the module export it: export const options = { ${given}: ... }, or a function that makes them`,
    );
}

/**
 * Imports a module in this thread, and lets it make the topology.
 *
 * @param settings - What its functions are given, with the logger.
 * @throws StreamsError `STREAMS_CONFIG` for one that cannot be imported.
 * @throws TypeError for one that exports something else.
 */
export async function loadModule(module: string, settings: unknown, logger: Logger): Promise<LoadedModule> {
  const exported = await imported(module);
  const made = async (name: 'topology' | 'options'): Promise<unknown> => {
    const value = exported[name];
    return typeof value === 'function' ? await value(settings, logger) : value;
  };
  const topology = await made('topology');
  if (!isTopology(topology))
    throw new TypeError(
      `module ${module} exports no topology: export a Topology, or a function of the settings that makes one, under the name "topology". It exports: ${Object.keys(exported).join(', ') || 'nothing'}`,
    );
  const options = (await made('options')) ?? {};
  checkOptions(`the options of module ${module}`, options, kinds, []);
  return { topology, options: options as ModuleOptions };
}

/** The broker that a module gives, or one that is opened. */
export function brokerOf(
  { broker }: ModuleOptions,
  bootstrapServers: readonly string[] | undefined,
  applicationId: string,
): NonNullable<ModuleOptions['broker']> {
  if (broker !== undefined) return broker;
  if (bootstrapServers !== undefined) return openKafkaBroker({ bootstrapServers, clientId: applicationId });
  throw new TypeError(
    'KafkaStreams needs the option bootstrapServers, or a module that exports options with a broker, and neither is given',
  );
}

/** Options of a client whose brokers nobody has opened yet: they are now. */
export function connected({ bootstrapServers, ...options }: BootstrapOptions): KafkaStreamsOptions {
  const { applicationId, stateDir = join('.data', applicationId) } = options;
  return { ...options, stateDir, broker: brokerOf({}, bootstrapServers, applicationId) };
}

/** The error for further threads of a client whose topology no module makes. */
export function withoutModule(what: string): StreamsError {
  return new StreamsError(
    'STREAMS_CONFIG',
    `KafkaStreams: ${what}, and a topology is made of functions, which no other thread can be given. Export it from a module, as "topology", and say await KafkaStreams.fromModule(new URL('./topology.js', import.meta.url), options).`,
  );
}

async function imported(module: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(module)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new StreamsError(
      'STREAMS_CONFIG',
      `module ${module} of the topology cannot be imported: ${messageOf(error)}. Give the address of a module, such as new URL('./topology.js', import.meta.url).`,
      { cause: error },
    );
  }
}

function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && Array.isArray((value as Partial<Topology>).nodes);
}
