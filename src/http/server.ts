import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { StreamsError } from '../common/errors.ts';
import { silentLogger } from '../common/logger.ts';
import { attend } from '../runtime/parts/turns.ts';
import { type AccessOptions, accessCheck, checkListens, isLoopback } from './access.ts';
import { type App, type AppOptions, createApp } from './app.ts';
import { HttpProblem } from './problem.ts';
import type { RunningServer } from './running-server.ts';

/** How to serve. */
export interface ServerOptions extends AppOptions, AccessOptions {
  /** Address to listen on; '0.0.0.0' for all. One that others reach needs a `token`, or `open`. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** 0 takes any free one. @defaultValue 8080 */
  readonly port?: number;
}

/** How long answers under way may go on when the server closes, ms. */
const closeGraceMs = 1000;

/**
 * Serves an engine over HTTP: metrics, health, topology, tasks, stores, the page, and the application's own routes.
 *
 * @throws {@link StreamsError} `STREAMS_PORT` - if the port is in use or the address is none of this machine's. `STREAMS_CONFIG` - if others would reach it and nothing is asked of them.
 */
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  return serveApp(createApp(options), options);
}

/** Serves endpoints over HTTP. @throws {@link StreamsError} `STREAMS_PORT`, `STREAMS_CONFIG` */
export async function serveApp(
  app: App,
  options: Pick<ServerOptions, 'host' | 'port' | 'logger' | keyof AccessOptions>,
): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8080, logger = silentLogger } = options;
  checkListens(host, options);
  const refusalOf = accessCheck(host, options);
  const answer = (request: Request, bindings: unknown): Response | Promise<Response> => {
    const refusal = refusalOf(request);
    if (refusal === undefined) return app.fetch(request, bindings as object);
    app.observed?.('other', refusal.status, 0);
    return refusal;
  };
  const listener = getRequestListener(answer, {
    // Of a client that names none, as HTTP/1.0 allows.
    hostname: host.includes(':') ? `[${host}]` : host,
    // A library must not replace its host's Request and Response.
    overrideGlobalObjects: false,
    errorHandler: () =>
      new HttpProblem('STREAMS_USAGE', 'The request line or the Host header is malformed.').response(),
  });
  // Longer request lines and headers get 431 from Node itself.
  const server = createHttpServer({ maxHeaderSize: 16 * 1024 }, listener);
  server.on('connection', attend);
  server.on('request', attend);
  await listen(server, host, port);
  // Such as no file descriptor left for a new connection: without a listener it would end the process.
  server.on('error', (error) => logger.warn({ error }, `HTTP server: ${error.message}`));
  const address = server.address() as AddressInfo;
  const url = `http://${reachable(address)}:${address.port}`;
  return {
    url,
    told: isLoopback(host) ? url : `${url}${whoElse(address, options.token !== undefined)}`,
    port: address.port,
    async close() {
      app.endless?.end();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const cutOff = setTimeout(() => server.closeAllConnections(), closeGraceMs);
      await closed;
      clearTimeout(cutOff);
      await app.bodies.cancel();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new StreamsError('STREAMS_PORT', reasonOf(cause, host, port), { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function reasonOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use: stop the other process, or take another port (0 takes any free one)`;
    case 'EACCES':
      return `port ${port} of ${host} is not for everybody to use: take one from 1024 on (0 takes any free one)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `cannot listen on port ${port} of ${host}: it is not an address of this machine, 127.0.0.1 and 0.0.0.0 always are`;
    default:
      return `cannot listen on port ${port} of ${host}: ${error.message}`;
  }
}

/** Who besides this machine can ask. */
function whoElse({ address }: AddressInfo, asksForToken: boolean): string {
  const where = address === '0.0.0.0' || address === '::' ? ' and at all addresses of this machine' : '';
  return `${where} for ${asksForToken ? 'those who have the token' : 'everybody who can reach it'}`;
}

/** An address that a client on this machine can use: one that means "all" is reached on the loopback. */
function reachable({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}
