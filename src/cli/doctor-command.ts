import { settingNames } from '../config/settings.ts';
import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import type { DoctorRequest, OpenReach } from './doctor.ts';
import { tableTopicOptions, tableTopicsOf, topicOption } from './kafka-topology.ts';
import { applicationIdOption, brokersOption } from './open-broker.ts';
import { jsonOption } from './option-spec.ts';
import { stateOption } from './state-options.ts';
import { unlessAborted } from './until-aborted.ts';

/**
 * `doctor`: looks for what an application on Kafka lacks. For any application.
 *
 * @param open - Reaches the brokers. @defaultValue those of the settings
 */
export function doctorCommand(spec: ApplicationSpec, open?: OpenReach): CommandSpec {
  return defineCommand({
    name: 'doctor',
    summary: 'look for what an application on Kafka lacks',
    description:
      'Looks at settings, Node, the state folder, the brokers, the topics and the group, one after the other, and prints a line for each: ok, warning, or failed with what to do. ' +
      'Changes nothing. Ends with 0 if nothing failed, else with 1. Without --brokers it looks at this machine alone.',
    examples: [
      `${spec.name} doctor`,
      `${spec.name} doctor --brokers localhost:9092 --state /var/lib/${spec.name}`,
      `${spec.name} doctor --brokers localhost:9092 --json`,
    ],
    options: [
      brokersOption,
      applicationIdOption,
      stateOption,
      topicOption(spec),
      ...tableTopicOptions(spec),
      jsonOption,
    ],
    kind: 'batch',
    settings: settingNames,
    runtime: 'kafka',
    async run(context) {
      const { doctor } = await import('./doctor.ts');
      const { topic, state, json } = context.options as unknown as Omit<DoctorRequest, 'tableTopics'>;
      const tableTopics = tableTopicsOf(spec, context.options);
      return unlessAborted(context.signal, doctor(spec, { topic, tableTopics, state, json }, context, open));
    },
  });
}
