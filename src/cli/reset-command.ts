import type { SettingName } from '../config/settings.ts';
import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { tableTopicOptions, tableTopicsOf, topicOption } from './kafka-topology.ts';
import { letterSettings } from './letter-settings.ts';
import { applicationIdOption, brokerSettings, brokersOption, openBroker } from './open-broker.ts';
import { stateOption } from './state-options.ts';

/** What it tells of an application that starts over. */
const startSettings: readonly SettingName[] = [...letterSettings, 'auto.offset.reset'];
/** How changelogs are made again. */
const refillSettings: readonly SettingName[] = ['compression.type', 'replication.factor'];

/** Options of `reset` by their keys, those for tables aside. */
interface ResetOptions {
  readonly topic: string;
  readonly state: string;
  readonly execute: boolean;
  readonly refill: boolean;
}

/**
 * `reset`: lets an application on Kafka start over. For any application.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function resetCommand(spec: ApplicationSpec, open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'reset',
    summary: 'let an application on Kafka start over',
    description:
      'Deletes what an application has made on Kafka: the positions of its group, its internal topics, and the local state of this machine, so that the next start counts its topics ' +
      'from their beginning. Without --execute it only prints what it would delete. Topics that it reads, topics that it writes results to and its letters stay. It refuses while an ' +
      'instance runs. One that was interrupted is run again before the application starts.',
    examples: [
      `${spec.name} reset --brokers localhost:9092`,
      `${spec.name} reset --brokers localhost:9092 --state /var/lib/${spec.name} --execute`,
    ],
    options: [
      brokersOption,
      applicationIdOption,
      topicOption(spec),
      ...tableTopicOptions(spec),
      {
        ...stateOption,
        description:
          'state folder of an instance, which is deleted too; a folder that is not named here only if it holds the state of this application',
      },
      {
        flags: '--to-earliest',
        description: 'begin with the first record that each topic has: the default, and all there is',
      },
      {
        flags: '--refill',
        description:
          'instead: make changelogs that were lost again, out of the copies of the state in the folder, where these are whole; positions and all else stay',
      },
      { flags: '--execute', description: 'do it' },
    ],
    kind: 'batch',
    commits: true,
    settings: [...brokerSettings, ...startSettings, ...refillSettings],
    settingsFor: ({ refill }) => [...brokerSettings, ...(refill ? refillSettings : startSettings)],
    runtime: 'kafka',
    async run(context) {
      const { refillAll, reset } = await import('./reset.ts');
      const { topic, state, execute, refill } = context.options as unknown as ResetOptions;
      const tableTopics = tableTopicsOf(spec, context.options);
      const broker = await open(context);
      try {
        await (refill ? refillAll : reset)(spec, { topic, tableTopics, state, execute }, context, broker);
      } finally {
        await broker.close();
      }
    },
  });
}
