import type { Logger } from '../common/logger.ts';
import type { AccessOptions } from '../http/access.ts';
import { routesApp } from '../http/app.ts';
import { metricsRoute } from '../http/engine-routes.ts';
import { jsonResponse } from '../http/json.ts';
import type { Route } from '../http/route.ts';
import { type RunningServer, serveApp } from '../http/server.ts';
import type { MetricCollector } from '../observability/metric-collector.ts';
import { collectorMetrics } from '../observability/registry.ts';

/** `/healthz` of a process without an engine: it is alive where it answers. */
const health: Route = {
  path: '/healthz',
  summary: 'Whether the process is alive',
  query: {},
  handle: () => jsonResponse({ state: 'RUNNING' }),
};

/** Serves `/metrics` and `/healthz` of a process without an engine. */
export function serveMetrics(
  collector: MetricCollector,
  where: AccessOptions & { readonly host: string; readonly port: number; readonly logger: Logger },
): Promise<RunningServer> {
  const { logger } = where;
  const metrics = collectorMetrics({ collectors: [collector], logger });
  return serveApp(routesApp({ routes: [metricsRoute(metrics), health], logger }), where);
}
