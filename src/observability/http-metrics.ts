import { Histogram } from '../common/histogram.ts';
import type { MetricCollector, MetricSpec, SetMetric } from './metric-collector.ts';
import { httpMetricSpecs } from './metric-names.ts';

/** From an answer out of memory to the scan of a large store. */
const bounds: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Requests of this process's server by path and status, with how long they took. */
export class HttpMetrics implements MetricCollector {
  readonly metrics: readonly MetricSpec[] = httpMetricSpecs;
  readonly #durations = new Map<
    string,
    { readonly route: string; readonly code: number; readonly seconds: Histogram }
  >();

  /** @param route - The path as it is declared, `/stores/:store`: there are few. */
  observe(route: string, code: number, seconds: number): void {
    const key = `${code} ${route}`;
    let found = this.#durations.get(key);
    if (found === undefined) {
      found = { route, code, seconds: new Histogram(bounds) };
      this.#durations.set(key, found);
    }
    found.seconds.observe(seconds);
  }

  collect(set: SetMetric): void {
    for (const { route, code, seconds } of this.#durations.values())
      set('streams_http_request_duration_seconds', { route, code: String(code) }, seconds);
  }
}
