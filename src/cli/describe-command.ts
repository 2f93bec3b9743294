import { StreamsError } from '../common/errors.ts';
import type { ProgramChanges } from '../runtime/program-changes.ts';
import type { StateSettings } from '../runtime/state-folder.ts';
import type { Topology } from '../topology/topology.ts';
import type { ApplicationSpec, ReplaySettings } from './application.ts';
import { topicsOf } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import type { Remedy } from './describe-diff.ts';
import { topicOption } from './kafka-topology.ts';
import { applicationIdOption, brokerSettings, brokersOption, openBroker } from './open-broker.ts';
import { settingsOf } from './replay-settings.ts';
import { stateOption } from './state-options.ts';

/**
 * `describe`: the topology in words or as a diagram. For any application.
 *
 * @param open - Connects to the brokers. @defaultValue those of the settings
 */
export function describeCommand(spec: ApplicationSpec, open: typeof openBroker = openBroker): CommandSpec {
  return defineCommand({
    name: 'describe',
    summary: 'describe the topology',
    description:
      'Describes the topology of a state: its sources, processors and stores, and which sources are guarded against records from the ' +
      'future. If the default folder holds no state, the topology is that of the default settings.',
    examples: [
      `${spec.name} describe`,
      `${spec.name} describe --format mermaid > topology.mmd`,
      `${spec.name} describe --diff .data/state`,
      `${spec.name} describe --diff --brokers localhost:9092`,
    ],
    options: [
      {
        flags: '--format <format>',
        description: 'how it is written',
        choices: ['text', 'mermaid', 'json'],
        default: 'text',
      },
      stateOption,
      {
        flags: '--diff [dir]',
        description:
          'instead: say which stores of the state of a replay this program would keep, add, remove or refuse; without a folder those of the application at --brokers',
      },
      brokersOption,
      applicationIdOption,
      topicOption(spec),
    ],
    kind: 'batch',
    settings: [...brokerSettings, 'processing.guarantee'],
    settingsFor: ({ diff }) => (diff === '' ? brokerSettings : diff === undefined ? ['processing.guarantee'] : []),
    async run(context) {
      const { options, config, stdout, stderr } = context;
      const [app, { describeTopology }] = await Promise.all([spec.load(), import('../server/serve-client.ts')]);
      const { diff } = options;
      const show = async (changes: ProgramChanges, place: string, remedy: Remedy): Promise<void> => {
        const { refuseChanges, showChanges } = await import('./describe-diff.ts');
        const all = { ...changes, rebuilds: remedy.stores };
        stdout.write(
          options.format === 'json' ? `${JSON.stringify(all, undefined, 2)}\n` : showChanges(changes, remedy),
        );
        refuseChanges(changes, place, remedy);
      };
      if (diff === '') {
        const applicationId = applicationIdOf(spec, config);
        const broker = await open(context, applicationId);
        try {
          const [{ changesOfApplication, remedyOf }, { settingsInGroup }] = await Promise.all([
            import('./describe-diff.ts'),
            import('./group-settings.ts'),
          ]);
          const topologyOf = (some: ReplaySettings): Topology => app.topology(some, [options.topic]);
          const place = { admin: broker.admin, applicationId };
          const topology = topologyOf(await settingsInGroup(topologyOf, settingsOf(spec, {}, undefined, ''), place));
          const changes = await changesOfApplication(broker, topology, applicationId);
          await show(changes, `application ${applicationId}`, remedyOf(topology, changes));
        } finally {
          await broker.close();
        }
        return;
      }
      const directory = diff ?? options.state;
      const mayBeAbsent = diff === undefined && config.origin('state.dir').source === 'default';
      const settings = settingsOf(spec, {}, await savedSettings(directory, mayBeAbsent), directory);
      const topology = app.topology(settings, topicsOf(spec, settings.topics));
      if (diff !== undefined) {
        const { changesOfState, remedyOf } = await import('./describe-diff.ts');
        const changes = await changesOfState(diff, topology);
        await show(changes, diff, remedyOf(topology, changes));
        return;
      }
      stdout.write(describeTopology(topology, options.format));
      if (config.get('processing.guarantee') !== 'at_least_once') return;
      stderr.write(
        'processing.guarantee is at_least_once: on Kafka a crash can count changes twice, so tables that subtract can be too high. Over files all is exactly once.\n',
      );
    },
  });
}

async function savedSettings(directory: string, mayBeAbsent: boolean): Promise<StateSettings | undefined> {
  const { StateFolder } = await import('../runtime/state-folder.ts');
  try {
    const folder = await StateFolder.open(directory, { create: false });
    const { saved } = folder;
    await folder.close();
    return saved?.settings;
  } catch (error) {
    if (mayBeAbsent && StreamsError.is(error) && error.code === 'STREAMS_STATE_MISSING') return undefined;
    throw error;
  }
}
