import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { brokerSettings, brokersOption, openBroker } from './open-broker.ts';
import { wholeNumber } from './option-parsers.ts';
import { formatOption, jsonOption } from './option-spec.ts';
import type { ProduceRequest } from './produce.ts';
import { speed } from './produce-pace.ts';

/**
 * `produce`: sends the rows of folders to topics, goes on where the last run stopped. For any application.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function produceCommand(spec: ApplicationSpec, open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'produce',
    summary: 'send the rows of files to a topic',
    description:
      'Sends the rows of files to a topic of a Kafka broker, in the order in which a replay reads them: each row exactly once, whatever interrupts the command; a later run ' +
      'goes on where the last one stopped. How far each file was sent stands in the topic TOPIC-produce-positions, and is written in the same transactions as the rows. ' +
      'One command at a time sends to a topic: a later one ends the earlier.',
    examples: [
      `${spec.name} produce --brokers localhost:9092 --events data/events`,
      `${spec.name} produce --brokers localhost:9092 --events incoming --follow --move-done done`,
      `${spec.name} produce --brokers localhost:9092 --events data/events --topic ${spec.topic} --partitions 4 --speed 60x`,
    ],
    options: [
      brokersOption,
      {
        flags: '--events <dir>',
        description: 'folder of files (.csv, .csv.gz, .csv.zst); each is a topic',
        repeatable: true,
        required: true,
      },
      formatOption,
      {
        flags: '--topic <name>',
        description: 'topic of the first folder; further ones get its name with -2, -3, ...',
        default: spec.topic,
      },
      {
        flags: '--partitions <n>',
        description: 'partitions of a topic that is made, because it is missing (default: 1)',
        parse: wholeNumber(1, 10_000),
      },
      { flags: '--follow', description: 'wait for more files and for files that grow, until SIGINT or SIGTERM' },
      { flags: '--move-done <dir>', description: 'move files to this folder when all their rows are committed' },
      {
        flags: '--speed <factor>',
        description: 'pace by event time: 60x sends 60 s of events in one second, max does not wait',
        default: 'max',
        parse: speed,
      },
      {
        flags: '--rate <rows>',
        description: 'rows to send in a second at most (default: as fast as it goes)',
        parse: wholeNumber(1),
      },
      {
        flags: '--zone <name>',
        description: `IANA zone of times and dates; kept with the positions (default: ${spec.defaults.zone})`,
      },
      {
        flags: '--on-error <what>',
        description: 'continue: bad rows go to the dead letters; fail: stop at the first',
        setting: 'deserialization.exception.handler',
      },
      { flags: '--dead <file>', description: 'where bad rows go (default: .data/TOPIC-dead.jsonl)' },
      { flags: '--verify', description: 'compare all of each file sent before, not only its ends' },
      { ...jsonOption, description: 'print a summary as JSON at the end' },
    ],
    kind: 'batch',
    commits: true,
    kindFor: ({ follow }) => (follow ? 'continuous' : 'batch'),
    settings: [
      ...brokerSettings,
      'commit.interval.ms',
      'commit.interval.records',
      'compression.type',
      'production.exception.handler',
      'replication.factor',
      'transaction.timeout.ms',
    ],
    runtime: 'kafka',
    async run(context) {
      const [{ produce }, { withCleanup }] = await Promise.all([import('./produce.ts'), import('./with-cleanup.ts')]);
      const { json, ...request } = context.options;
      await withCleanup(async (defer) => {
        const broker = await open(context);
        defer(() => broker.close());
        const progress = await produce(spec, request satisfies ProduceRequest, context, broker);
        if (progress === undefined) return;
        if (json) context.stdout.write(`${JSON.stringify(progress.summary())}\n`);
        progress.check();
      });
    },
  });
}
