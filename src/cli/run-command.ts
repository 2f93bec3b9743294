import type { SettingName } from '../config/settings.ts';
import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { accessSettings } from './http-access.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { applicationIdOption, brokerSettings, brokersOption } from './open-broker.ts';
import { durationMs } from './option-parsers.ts';
import type { OptionSpec } from './option-spec.ts';
import { keyOf } from './read-options.ts';
import type { TableRequest } from './run.ts';
import { accessOptions, hostOption, portOption, stateOption } from './state-options.ts';
import { writeAddress } from './write-address.ts';

/** Options of `run` by their keys, those for tables aside. */
interface RunOptions {
  readonly topic: string;
  readonly state: string;
  readonly zone: string | undefined;
  readonly grace: number | undefined;
  readonly untilCaughtUp: boolean;
  readonly acceptLoss: boolean;
  readonly rebuild: readonly string[];
  readonly port: number;
  readonly host: string;
}

const runSettings: readonly SettingName[] = [...brokerSettings, ...kafkaSettings, ...accessSettings];

/** `run`: the topology on Kafka, as one instance of as many as are started. For any application. */
export function runCommand(spec: ApplicationSpec): CommandSpec {
  const { defaults } = spec;
  const tables = spec.tables.map((table) => ({
    store: table.store,
    folder: {
      flags: table.flags,
      description: `${table.description.split(':')[0]}: loaded into the topic if that is empty`,
    } satisfies OptionSpec,
    topic: {
      flags: `${table.flags.split(' ')[0]}-topic <name>`,
      description: `topic of it (default: ${table.store})`,
    } satisfies OptionSpec,
  }));
  return defineCommand({
    name: 'run',
    summary: 'run continuously on Kafka',
    description:
      'Runs the topology on Kafka and serves its results over HTTP, until SIGINT or SIGTERM. Start it as often as you like, each with its own state folder: the instances ' +
      'share the work, and take over from each other. Each record counts exactly once (--set processing.guarantee=at_least_once for less).',
    examples: [
      `${spec.name} run --brokers localhost:9092 --state /var/lib/${spec.name}`,
      `${spec.name} run --brokers localhost:9092 --state state-2 --port 0 --set num.standby.replicas=1`,
      `${spec.name} run --brokers localhost:9092 --until-caught-up`,
      `${spec.name} run --brokers localhost:9092 --rebuild counts-by-day`,
    ],
    options: [
      brokersOption,
      stateOption,
      { flags: '--topic <name>', description: 'topic of the events', default: spec.topic },
      ...tables.flatMap(({ folder, topic }) => [folder, topic]),
      applicationIdOption,
      {
        flags: '--zone <name>',
        description: `IANA zone of times and dates; kept with the state (default: ${defaults.zone})`,
      },
      {
        flags: '--grace <duration>',
        description: `how long after its end a window takes late records; kept with the state (default: ${defaults.grace})`,
        parse: durationMs,
      },
      {
        flags: '--until-caught-up',
        description:
          'end when all that the topics hold now is processed and committed, by all instances together, and this one has restored its tasks',
      },
      {
        flags: '--accept-loss',
        description:
          'go on where a topic that is read, or a position of the group, is not what was committed before: what is lost stays uncounted, what is read again counts again',
      },
      {
        flags: '--rebuild <store>',
        description:
          'first make this store anew, and those that it feeds, out of all that was read of the topics, while no other instance runs: for a store that has changed, or is new',
        repeatable: true,
      },
      portOption,
      hostOption,
      ...(accessOptions satisfies readonly OptionSpec[] as readonly OptionSpec[]),
    ],
    kind: 'continuous',
    commits: true,
    kindFor: ({ untilCaughtUp }) => (untilCaughtUp === true ? 'batch' : 'continuous'),
    settings: runSettings,
    // At least once there are no transactions.
    settingsFor: (_, config) =>
      config.get('processing.guarantee') === 'exactly_once'
        ? runSettings
        : runSettings.filter((name) => name !== 'transaction.timeout.ms'),
    runtime: 'kafka',
    async run(context) {
      const { run } = await import('./run.ts');
      const options = context.options as unknown as RunOptions;
      const requests = tables.map(({ store, folder, topic }): TableRequest => {
        const directory = context.options[keyOf(folder)];
        const name = context.options[keyOf(topic)];
        return {
          store,
          topic: typeof name === 'string' ? name : store,
          ...(typeof directory === 'string' ? { directory } : {}),
        };
      });
      await run(spec, { ...options, tables: requests }, context, (url) => writeAddress(context, url));
    },
  });
}
