// HTTP for any client: page, metrics, health, stores

export type { RunningServer } from './http/running-server.ts';
export { type ServeOptions, serve } from './server/serve.ts';
export type { ServedParts } from './server/serve-client.ts';

// What an application serves

export type {
  ChartKey,
  ChartSelect,
  ChartSpec,
  Choice,
  ListSpec,
  PageSpec,
  RankingSpec,
} from './http/page/page-spec.ts';
export type { QueryParameter, Route, RouteRequest } from './http/route.ts';
export type { MetricCollector, MetricSpec, MetricType, SetMetric } from './observability/metric-collector.ts';

// Dashboards and alerts

export { type MonitoringFilesOptions, writeMonitoringFiles } from './observability/monitoring-files.ts';
