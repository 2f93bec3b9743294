import type { KafkaBrokerOptions } from '../clients/kafka/kafka-broker.ts';
import { StreamsError } from '../common/errors.ts';
import { ownModule } from '../common/own-package.ts';
import { type ThreadSource, workerSource } from '../runtime/kafka/thread-source.ts';
import type { ApplicationSpec, ReplaySettings } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { brokerOptions } from './open-broker.ts';

/** What the topology of a `run` is made of, as other threads can be given it. */
export interface RunData {
  /** Address of the module that exports the {@link ApplicationSpec}. */
  readonly spec: string;
  readonly settings: ReplaySettings;
  readonly topic: string;
  readonly tableTopics: ReadonlyMap<string, string>;
  readonly broker: Omit<KafkaBrokerOptions, 'logger'>;
  readonly handlers: Readonly<Record<'deserialization' | 'processing' | 'production', 'continue' | 'fail'>>;
}

/** How the further stream threads of `run` are made; undefined of an application that does not say its module. */
export function threadsOf(
  spec: ApplicationSpec,
  context: CommandContext,
  { settings, topic, tableTopics }: Pick<RunData, 'settings' | 'topic' | 'tableTopics'>,
): ThreadSource | undefined {
  const { module, name } = spec;
  const { config } = context;
  const runModule = ownModule('src/cli/run-module');
  if (module === undefined && config.get('num.stream.threads') > 1)
    throw new StreamsError(
      'STREAMS_CONFIG',
      `num.stream.threads is ${config.get('num.stream.threads')}, and ${name} does not say what the threads are to load: give its ApplicationSpec a \`module\`, the address of a module whose default export it is, or set num.stream.threads to 1.`,
    );
  if (module === undefined || runModule === undefined) return undefined;
  const { logger: _, ...broker } = brokerOptions(context, applicationIdOf(spec, config));
  const data: RunData = {
    spec: String(module),
    settings,
    topic,
    tableTopics,
    broker,
    handlers: {
      deserialization: config.get('deserialization.exception.handler'),
      processing: config.get('processing.exception.handler'),
      production: config.get('production.exception.handler'),
    },
  };
  return workerSource(runModule.href, data, { ownsBroker: false });
}
