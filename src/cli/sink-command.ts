import type { SettingName } from '../config/settings.ts';
import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { accessSettings } from './http-access.ts';
import { brokerSettings, brokersOption, openBroker } from './open-broker.ts';
import { byteCount, durationMs, port } from './option-parsers.ts';
import { jsonOption, safeCsvOption } from './option-spec.ts';
import type { SinkRequest } from './sink.ts';
import { accessOptionsOf, hostOption } from './state-options.ts';
import { writeAddress } from './write-address.ts';

const sinkSettings: readonly SettingName[] = [
  ...brokerSettings,
  'heartbeat.interval.ms',
  'rebalance.timeout.ms',
  'session.timeout.ms',
];

/**
 * `sink`: writes the records of a topic into dated files, exactly once. For any application.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function sinkCommand(spec: ApplicationSpec, open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'sink',
    summary: 'write the records of a topic into dated files',
    description:
      'Writes each record of a topic once, into a file of the civil date at which it occurred, in a folder, in HDFS or in S3. A file appears whole and does not change; a record that comes late is in ' +
      'a further file of its own day. Positions are kept by a consumer group: a later run goes on where the last one stopped, and several instances share the partitions. What is not a row ' +
      'goes to _dead/, with the reason.',
    examples: [
      `${spec.name} sink --brokers localhost:9092 --to data/archive`,
      `${spec.name} sink --brokers localhost:9092 --to hdfs://grid@namenode:9870/archive --format parquet --layout hive`,
      `${spec.name} sink --brokers localhost:9092 --to s3://archive/events --roll-size 512MB --roll-after 1h --until-caught-up`,
    ],
    options: [
      brokersOption,
      { flags: '--topic <name>', description: 'topic to write', default: spec.topic },
      {
        flags: '--to <place>',
        description: 'a folder, hdfs://[user@]namenode:9870/path, or s3://bucket/prefix',
        required: true,
      },
      { flags: '--format <name>', description: 'of the files', choices: ['csv', 'jsonl', 'parquet'], default: 'csv' },
      { flags: '--by <unit>', description: 'one folder for each', choices: ['day', 'hour'], default: 'day' },
      {
        flags: '--layout <name>',
        description: 'dated: 20180101/event_20180101-….csv; hive: date=2018-01-01/event-….csv',
        choices: ['dated', 'hive'],
        default: 'dated',
      },
      { flags: '--zone <name>', description: `IANA zone of the dates (default: ${spec.defaults.zone})` },
      {
        flags: '--roll-size <bytes>',
        description: 'make files visible when one has so many bytes, such as 64MiB',
        parse: byteCount,
        default: '128MB',
      },
      {
        flags: '--roll-after <duration>',
        description: 'make files visible when their first record is so old',
        parse: durationMs,
        default: '15m',
      },
      {
        flags: '--group <name>',
        description: 'consumer group that keeps the positions (default: APPLICATION-sink-TOPIC- and a hash of --to)',
      },
      safeCsvOption,
      { flags: '--until-caught-up', description: 'end when all that is in the topic now is visible' },
      {
        flags: '--port <number>',
        description: 'serve /metrics and /healthz at this port; 0 takes any free one and prints it (default: none)',
        env: 'WEIR_PORT',
        parse: port,
      },
      { ...hostOption, needs: '--port' },
      ...accessOptionsOf('--port'),
      { ...jsonOption, description: 'print a summary as JSON at the end' },
    ],
    kind: 'continuous',
    commits: true,
    kindFor: ({ untilCaughtUp }) => (untilCaughtUp ? 'batch' : 'continuous'),
    settings: [...sinkSettings, ...accessSettings],
    settingsFor: ({ port: served }) => (served === undefined ? sinkSettings : [...sinkSettings, ...accessSettings]),
    runtime: 'kafka',
    async run(context) {
      const { sink } = await import('./sink.ts');
      const { json, ...request } = context.options;
      const serving = (url: string): void => writeAddress(context, url, json);
      const summary = await sink(spec, request satisfies SinkRequest, context, open, serving);
      if (json) context.stdout.write(`${JSON.stringify(summary)}\n`);
    },
  });
}
