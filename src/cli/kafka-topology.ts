import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec } from './application.ts';
import type { OptionSpec } from './option-spec.ts';
import { keyOf } from './read-options.ts';
import { settingsOf } from './replay-settings.ts';

/** `--topic`, for commands that look at the topology on Kafka. */
export function topicOption(spec: ApplicationSpec): {
  readonly flags: '--topic <name>';
  readonly description: string;
  readonly default: string;
} {
  return { flags: '--topic <name>', description: 'topic of the events', default: spec.topic };
}

/** The options that name the topics of global tables, such as `--park-topic <name>`. */
export function tableTopicOptions(spec: ApplicationSpec): readonly (OptionSpec & { readonly store: string })[] {
  return spec.tables.map(({ store, flags, description }) => ({
    store,
    flags: `${flags.split(' ')[0]}-topic <name>`,
    description: `topic of ${description.split(':')[0]} (default: ${store})`,
  }));
}

/** What {@link tableTopicOptions} were given: topics by store. */
export function tableTopicsOf(
  spec: ApplicationSpec,
  values: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  return new Map(
    tableTopicOptions(spec).map((option) => {
      const name = values[keyOf(option)];
      return [option.store, typeof name === 'string' ? name : option.store];
    }),
  );
}

/** The topology that `run` puts on Kafka. Its parts, topics and stores are the same in every zone and with every grace. */
export async function kafkaTopology(
  spec: ApplicationSpec,
  topic: string,
  tableTopics?: ReadonlyMap<string, string>,
): Promise<Topology> {
  const app = await spec.load();
  return app.topology(settingsOf(spec, {}, undefined, ''), [topic], tableTopics);
}
