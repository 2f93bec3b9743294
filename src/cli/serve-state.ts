import type { Logger } from '../common/logger.ts';
import type { AccessOptions } from '../http/access.ts';
import type { RunningServer } from '../http/running-server.ts';
import { serveClient } from '../server/serve-client.ts';
import { servedState } from '../server/served-state.ts';
import type { Application, ApplicationSpec, OpenState } from './application.ts';

/** Where to serve. */
export interface ServeOptions extends AccessOptions {
  readonly port: number;
  readonly host: string;
  readonly logger: Logger;
}

/** Serves an open state over HTTP: what the engine says of itself, and the application's parts. */
export function serveState(
  { version }: ApplicationSpec,
  app: Application,
  state: OpenState,
  options: ServeOptions,
): Promise<RunningServer> {
  return serveClient(servedState(state.streams), app.serve?.(state) ?? {}, { ...options, version });
}
