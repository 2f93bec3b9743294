import { applicationIdOf } from '../../../src/cli/application-id.ts';
import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { httpToken, tokenSettings } from '../../../src/cli/http-token.ts';
import { applicationIdOption, brokerSettings, brokersOption, openBroker } from '../../../src/cli/open-broker.ts';
import { durationMs } from '../../../src/cli/option-parsers.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { groupedCount } from '../../../src/cli/progress-text.ts';
import { unlessAborted } from '../../../src/cli/until-aborted.ts';
import type { SettingName } from '../../../src/config/settings.ts';
import { gridSpec } from '../application-spec.ts';

const loadSettings: readonly SettingName[] = [...brokerSettings, 'replication.factor'];

/** How long an instance may take to say how far it is, ms. It is asked again. */
const askTimeoutMs = 2000;

/**
 * `park load`: the park as the topic that the instances on Kafka follow.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function parkLoadCommand(open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'park load',
    summary: 'load the park into its topic',
    description:
      'Makes the topic of the park say what a folder says: reads the topic, and writes the equipments whose places differ, in one transaction. Instances that run take ' +
      'the change over at once, and past statistics move to where they belong. A topic that is missing is made.',
    examples: [
      'weir park load --brokers localhost:9092 --park data/park',
      'weir park load --brokers localhost:9092 --park data/park --wait --timeout 10m',
    ],
    options: [
      brokersOption,
      { flags: '--park <dir>', description: 'folder of the park', required: true },
      { flags: '--topic <name>', description: 'topic of the park', default: 'grid-park' },
      {
        flags: '--zone <name>',
        description: 'IANA zone whose days installations begin and end on: that of the application',
        default: gridSpec.defaults.zone,
      },
      { flags: '--wait', description: 'end when every task and instance of --application-id has applied it' },
      { ...applicationIdOption, description: 'name of the application that --wait waits for' },
      {
        flags: '--timeout <duration>',
        description: 'how long --wait waits at most',
        default: '5m',
        parse: durationMs,
      },
      { ...jsonOption, description: 'print what has changed as JSON' },
    ],
    kind: 'batch',
    commits: true,
    settings: [...loadSettings, ...tokenSettings],
    settingsFor: ({ wait }) => (wait ? [...loadSettings, ...tokenSettings] : loadSettings),
    runtime: 'kafka',
    async run(context) {
      const { options, config, logger, signal, stdout } = context;
      const [{ loadParkTopic }, { withCleanup }] = await Promise.all([
        import('../park/park-topic.ts'),
        import('../../../src/cli/with-cleanup.ts'),
      ]);
      const { topic, park, zone, timeout } = options;
      await withCleanup(async (defer) => {
        const broker = await open(context);
        defer(() => broker.close());
        const replicationFactor = config.get('replication.factor');
        const { ends, ...counts } = await unlessAborted(
          signal,
          loadParkTopic(broker, { topic, park, zone, replicationFactor, logger, signal }),
        );
        const { added, changed, removed, unchanged } = counts;
        const words = Object.entries({ added, changed, removed, unchanged }).map(
          ([word, n]) => `${groupedCount(n)} ${word}`,
        );
        if (!options.json) stdout.write(`${topic}: ${words.join(', ')}\n`);
        if (options.wait) {
          const [{ untilTableApplied }, { remoteGlobals }, { gridTopology }] = await Promise.all([
            import('../../../src/runtime/kafka/table-applied.ts'),
            import('../../../src/http/remote-globals.ts'),
            import('../topology.ts'),
          ]);
          await stdout.flush();
          const token = httpToken(config);
          const applied = untilTableApplied(broker.admin, {
            applicationId: applicationIdOf(gridSpec, config),
            topology: (topics) => gridTopology({ zone, graceMs: 0, topics, parkTopic: topic }),
            topic,
            ends,
            instancePositions: (endpoint) => remoteGlobals(`http://${endpoint}`, { timeoutMs: askTimeoutMs, token }),
            timeoutMs: timeout,
            signal,
          });
          await unlessAborted(signal, applied);
        }
        if (options.json) stdout.write(`${JSON.stringify({ topic, ...counts, waited: options.wait })}\n`);
      });
    },
  });
}
