import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { accessSettings, httpAccess } from './http-access.ts';
import { withState } from './read-state.ts';
import { accessOptions, hostOption, portOption, stateOption } from './state-options.ts';
import { untilAborted } from './until-aborted.ts';
import { writeAddress } from './write-address.ts';

/** `serve`: a state over HTTP, without input. For any application. */
export function serveCommand(spec: ApplicationSpec): CommandSpec {
  return defineCommand({
    name: 'serve',
    summary: 'serve a state over HTTP',
    description:
      'Serves what is in a state until SIGINT or SIGTERM: a page at /, /metrics, /healthz, /readyz, /topology, /tasks, /stores and ' +
      'the paths of the application. It takes no input: replay --serve does both.',
    examples: [`${spec.name} serve`, `${spec.name} serve --state /var/lib/${spec.name} --port 0`],
    options: [stateOption, portOption, hostOption, ...accessOptions],
    kind: 'continuous',
    settings: accessSettings,
    async run(context) {
      const { serveState } = await import('./serve-state.ts');
      const { options, config, logger, signal } = context;
      await withState(spec, { directory: options.state, logger }, async (state, app) => {
        state.streams.serve();
        const server = await serveState(spec, app, state, {
          ...httpAccess(config),
          ...{ port: options.port, host: options.host, logger },
        });
        try {
          writeAddress(context, server.told);
          await untilAborted(signal);
        } finally {
          await server.close();
        }
      });
    },
  });
}
