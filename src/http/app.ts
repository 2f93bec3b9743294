import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { messageOf } from '../common/errors.ts';
import { type Logger, silentLogger } from '../common/logger.ts';
import type { MetricsSource } from '../observability/metric-collector.ts';
import { engineFigures, engineRoutes } from './engine-routes.ts';
import { LiveFigures } from './live-figures.ts';
import { OpenBodies } from './open-bodies.ts';
import { OtherInstances } from './other-instances.ts';
import { pageRoutes } from './page/page-routes.ts';
import type { PageSpec } from './page/page-spec.ts';
import { partsRoutes } from './parts-routes.ts';
import { HttpProblem } from './problem.ts';
import { queryReader } from './query.ts';
import type { Route } from './route.ts';
import { ScanLimit } from './scan-limit.ts';
import type { ServedEngine } from './served-engine.ts';
import { storeRoutes, storesView } from './store-routes.ts';

/** What is served. */
export interface AppOptions {
  readonly engine: ServedEngine;
  readonly metrics: MetricsSource;
  /** The application's own endpoints. */
  readonly routes?: readonly Route[];
  /** The application's part of the page at `/`. @defaultValue the engine's part only */
  readonly page?: PageSpec;
  /** What other instances ask for. @defaultValue nothing */
  readonly token?: string | undefined;
  /** Told of failures that are the server's own. @defaultValue silent */
  readonly logger?: Logger;
  /** Told of each request: its path as declared (`other` where there is nothing, or nothing was looked for since it was refused), its status, and how long it took until the answer began. */
  readonly observed?: ObservedRequest;
}

/** Is told of a request. */
export type ObservedRequest = (route: string, code: number, seconds: number) => void;

/** The endpoints as one function from request to response, and the bodies it is sending. */
export interface App {
  readonly fetch: (request: Request, bindings?: Partial<HttpBindings>) => Response | Promise<Response>;
  readonly bodies: OpenBodies;
  /** Is told of the requests that never come here: the server refused them. */
  readonly observed?: ObservedRequest;
  /** Ends the answers that would go on for ever: the server is about to close. */
  readonly endless?: { end(): void };
}

type Env = { Bindings: Partial<HttpBindings>; Variables: { route?: string } };

/** On every answer. The page needs nothing from elsewhere, and nobody else's page may embed or read ours. */
const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** Puts the engine's endpoints, the page and the application's own endpoints together. No socket is opened. */
export function createApp(options: AppOptions): App {
  const { engine, metrics, logger = silentLogger } = options;
  const others = new OtherInstances(engine, options.token);
  const live = new LiveFigures(() => ({ ...engineFigures(engine), stores: storesView(engine) }));
  const served = [
    ...engineRoutes(engine, metrics, others),
    ...storeRoutes(engine),
    live.route,
    ...(options.routes ?? []),
  ];
  // Of no use to people, so neither the page nor the answer to an unknown path names them.
  const internal = engine.shared === undefined ? [] : partsRoutes(engine, engine.shared);
  const app = routesApp({
    routes: [...pageRoutes(options.page ?? { title: 'weir', charts: [] }, served), ...served, ...internal],
    named: served,
    logger,
    ...(options.observed && { observed: options.observed }),
  });
  return { ...app, endless: live };
}

/** Endpoints of a process, with an engine or without. */
export interface RoutesAppOptions {
  readonly routes: readonly Route[];
  /** Those that the answer to an unknown path names. @defaultValue all */
  readonly named?: readonly Route[];
  /** @defaultValue silent */
  readonly logger?: Logger;
  /** @defaultValue nobody is told */
  readonly observed?: ObservedRequest;
}

/** Endpoints as one function from request to response. No socket is opened. */
export function routesApp({ routes, named = routes, logger = silentLogger, observed }: RoutesAppOptions): App {
  const bodies = new OpenBodies();
  const scans = new ScanLimit();
  const finish = (c: Context<Env>, response: Response, ended?: () => void): Response =>
    finished(c, response, bodies, logger, ended);
  const app = new Hono<Env>();
  if (observed !== undefined)
    app.use(async (c, next) => {
      const began = performance.now();
      await next();
      observed(c.get('route') ?? 'other', c.res.status, (performance.now() - began) / 1000);
    });
  for (const route of routes) {
    const readQuery = queryReader(route.query);
    app.get(route.path, async (c) => {
      c.set('route', route.path);
      const query = readQuery(new URL(c.req.url).searchParams);
      const request = { params: c.req.param() as Record<string, string>, query, signal: c.req.raw.signal };
      if (route.scan === undefined) return finish(c, await route.handle(request));
      const ended = scans.enter(route.scan);
      try {
        return finish(c, await route.handle(request), ended);
      } catch (error) {
        ended();
        throw error;
      }
    });
    app.all(route.path, (c) => {
      c.set('route', route.path);
      const detail = `${route.path} answers GET and HEAD, not ${c.req.method.slice(0, 20)}.`;
      return finish(c, new HttpProblem('HTTP_METHOD_NOT_ALLOWED', detail).response());
    });
  }
  app.notFound((c) => {
    const paths = named.map(({ path }) => path).join(' ');
    const detail = `There is nothing at this path. Paths: ${paths}`;
    return finish(c, new HttpProblem('HTTP_NOT_FOUND', detail).response());
  });
  app.onError((error, c) => {
    const problem = HttpProblem.of(error);
    if (problem.passes) logger.debug({ path: c.req.path, code: problem.code }, problem.message);
    else if (problem.status >= 500) logger.error({ path: c.req.path, code: problem.code, error }, messageOf(error));
    return finish(c, problem.response());
  });
  return { fetch: (request, bindings = {}) => app.fetch(request, bindings), bodies, ...(observed && { observed }) };
}

/** The response as it is sent: with the headers that all have, its body watched, or given up if only the head was asked for. */
function finished(
  c: Context<Env>,
  response: Response,
  bodies: OpenBodies,
  logger: Logger,
  ended: () => void = () => {},
): Response {
  const headers = new Headers({ 'cache-control': 'no-store', ...securityHeaders });
  for (const [name, value] of response.headers) headers.set(name, value);
  const init = { status: response.status, headers };
  if (response.body === null) {
    ended();
    return new Response(null, init);
  }
  if (c.req.raw.method === 'HEAD') {
    ended();
    response.body.cancel().catch((error) => logger.warn({ path: c.req.path, error }, messageOf(error)));
    return new Response(null, init);
  }
  const failed = (error: unknown): void => {
    logger.error({ path: c.req.path, error }, `an answer broke off: ${messageOf(error)}`);
    // The status is long sent; only a connection that breaks tells the client that the rest is missing.
    if (c.env.outgoing === undefined) throw error;
    c.env.outgoing.destroy();
  };
  return new Response(bodies.watch(response.body, failed, ended), init);
}
