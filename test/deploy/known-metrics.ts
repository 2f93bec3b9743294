import { engineMetrics, kafkaMetrics, serverMetricSpecs } from '../../src/observability/metric-names.ts';
import { createMetrics } from '../../src/observability/registry.ts';
import { sinkMetricSpecs } from '../../src/sink/sink-metrics.ts';
import { importMetricSpecs } from '../../topologies/grid/import/import-status.ts';
import { gridMetricSpecs } from '../../topologies/grid/statistics/grid-metrics.ts';
import { engineStats } from '../observability/fake-stats.ts';

/** A metric that Prometheus has when it scrapes a weir. */
export interface KnownMetric {
  readonly type: string;
  readonly labels: readonly string[];
}

/** Labels that Prometheus itself adds. */
export const addedLabels: readonly string[] = ['job', 'instance'];

/** All metrics that can be asked for: weir's, those of its process, and Prometheus's own about the scrape and the alerts. */
export async function knownMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const known = new Map<string, KnownMetric>();
  for (const { name, type, labels: own } of [
    ...engineMetrics,
    ...kafkaMetrics,
    ...serverMetricSpecs,
    ...sinkMetricSpecs,
    ...gridMetricSpecs,
    ...importMetricSpecs,
  ]) {
    const labels = [...own, 'application_id'];
    if (type !== 'histogram') known.set(name, { type, labels });
    else {
      known.set(`${name}_bucket`, { type: 'counter', labels: [...labels, 'le'] });
      for (const part of ['sum', 'count']) known.set(`${name}_${part}`, { type: 'counter', labels });
    }
  }
  const { body } = await createMetrics({ stats: () => engineStats(), version: '1' }).text();
  for (const [, name, type] of body.matchAll(/^# TYPE ((?:process|nodejs)_\S+) (\S+)$/gm)) {
    if (type === 'histogram')
      for (const part of ['sum', 'count']) known.set(`${name}_${part}`, { type: 'counter', labels: [] });
    else known.set(name!, { type: type!, labels: [] });
  }
  known.set('up', { type: 'gauge', labels: [] });
  known.set('scrape_duration_seconds', { type: 'gauge', labels: [] });
  known.set('ALERTS', { type: 'gauge', labels: ['alertname', 'alertstate'] });
  return known;
}
