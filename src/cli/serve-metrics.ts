import type { Logger } from '../common/logger.ts';
import { serverNeed, withPackages } from '../common/optional-packages.ts';
import type { AccessOptions } from '../http/access.ts';
import { jsonResponse } from '../http/json.ts';
import type { Route } from '../http/route.ts';
import type { RunningServer } from '../http/running-server.ts';
import type { MetricCollector } from '../observability/metric-collector.ts';

/** `/healthz` of a process without an engine: it is alive where it answers. */
const health: Route = {
  path: '/healthz',
  summary: 'Whether the process is alive',
  query: {},
  handle: () => jsonResponse({ state: 'RUNNING' }),
};

/** Serves `/metrics` and `/healthz` of a process without an engine. */
export async function serveMetrics(
  applicationId: string,
  collector: MetricCollector,
  where: AccessOptions & { readonly host: string; readonly port: number; readonly logger: Logger },
): Promise<RunningServer> {
  const { logger } = where;
  const [{ routesApp }, { metricsRoute }, { serveApp }, { collectorMetrics }] = await withPackages(serverNeed, () =>
    Promise.all([
      import('../http/app.ts'),
      import('../http/engine-routes.ts'),
      import('../http/server.ts'),
      import('../observability/registry.ts'),
    ]),
  );
  const metrics = collectorMetrics({ applicationId: () => applicationId, collectors: [collector], logger });
  return serveApp(routesApp({ routes: [metricsRoute(metrics), health], logger }), where);
}
