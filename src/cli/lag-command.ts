import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { topicOption } from './kafka-topology.ts';
import type { LagRequest } from './lag.ts';
import { applicationIdOption, brokerSettings, brokersOption, openBroker } from './open-broker.ts';
import { durationMs } from './option-parsers.ts';
import { jsonOption } from './option-spec.ts';

/**
 * `lag`: how far an application on Kafka is behind its topics, whether it runs or not. For any application.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function lagCommand(spec: ApplicationSpec, open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'lag',
    summary: 'print how far an application on Kafka is behind',
    description:
      'Prints for each task and each of its topics the committed position, the end of what is committed there, and the lag between them; the event time that the task has reached; ' +
      'and the instance that has it. The lag is one of positions: markers of transactions and compacted records count.',
    examples: [
      `${spec.name} lag --brokers localhost:9092`,
      `${spec.name} lag --brokers localhost:9092 --watch 5s`,
      `${spec.name} lag --brokers localhost:9092 --application-id ${spec.applicationId}-2 --json`,
    ],
    options: [
      brokersOption,
      applicationIdOption,
      topicOption(spec),
      {
        flags: '--watch <duration>',
        description: 'look again so often, until SIGINT or SIGTERM: such as 5s',
        parse: watchInterval,
      },
      jsonOption,
    ],
    kind: 'batch',
    kindFor: ({ watch }) => (watch === undefined ? 'batch' : 'continuous'),
    settings: brokerSettings,
    runtime: 'kafka',
    async run(context) {
      const { lag } = await import('./lag.ts');
      const broker = await open(context);
      try {
        await lag(spec, context.options satisfies LagRequest, context, broker);
      } finally {
        await broker.close();
      }
    },
  });
}

function watchInterval(text: string): number {
  const ms = durationMs(text);
  if (ms >= 100 && ms < 2 ** 31) return ms;
  throw new Error('expected 100ms or more, such as 5s');
}
