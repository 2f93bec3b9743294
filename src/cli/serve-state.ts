import type { Logger } from '../common/logger.ts';
import type { RunningServer } from '../http/server.ts';
import type { DescribeFormat } from '../topology/describe.ts';
import type { Topology } from '../topology/topology.ts';
import type { Application, ApplicationSpec, OpenState } from './application.ts';
import { shareState } from './share-state.ts';

/** Serves an open state over HTTP: what the engine says of itself, and the application's parts. */
export async function serveState(
  spec: ApplicationSpec,
  app: Application,
  state: OpenState,
  options: { readonly port: number; readonly host: string; readonly logger: Logger },
): Promise<RunningServer> {
  // Loaded here, so that a command that doesn't serve starts without them.
  const [{ createServer }, { createMetrics }] = await Promise.all([
    import('../http/server.ts'),
    import('../observability/registry.ts'),
  ]);
  const { streams } = state;
  const { port, host, logger } = options;
  const { routes = [], page, collectors = [] } = app.serve?.(state) ?? {};
  const stats = (): ReturnType<typeof streams.stats> => streams.stats();
  return createServer({
    engine: {
      stats,
      describeTopology: (format) => describeTopology(streams.topology, format),
      storeNames: () => streams.storeNames(),
      store: (name) => streams.store(name),
      shared: shareState(streams),
    },
    metrics: createMetrics({ stats, version: spec.version, collectors, logger }),
    routes,
    ...(page && { page }),
    port,
    host,
    logger,
  });
}

/** A topology in words; the text has the stores and the guards of the sources too. Ends with a line end. */
export function describeTopology(topology: Topology, format: DescribeFormat): string {
  const description = topology.describe();
  const text = description.format(format);
  const whole = format === 'text' ? `${text}${description.details()}` : text;
  return whole.endsWith('\n') ? whole : `${whole}\n`;
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
