import type { HistogramValue } from '../common/histogram.ts';

/** What is counted: a counter only grows, a gauge goes up and down, a histogram counts values by size. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** One metric: what `# HELP` and `# TYPE` say of it, and its labels. */
export interface MetricSpec {
  /** Prometheus name with its unit, such as `streams_store_dirty_bytes`; counters end in `_total`. */
  readonly name: string;
  readonly type: MetricType;
  /** One sentence without a final full stop. */
  readonly help: string;
  /** Label names; every sample gives all of them. */
  readonly labels: readonly string[];
  /** The metric of Kafka Streams with the same meaning, if there is one, such as `process-total`. */
  readonly kafkaStreams?: string;
}

/** Gives one sample: a metric of the collector, its labels, and its value as of now (for counters and histograms too: the absolute value). */
export type SetMetric = (
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number | HistogramValue,
) => void;

/**
 * A source of metrics, read at each scrape. An application implements it to expose its own numbers.
 *
 * Each scrape starts from nothing: a label set that `collect` no longer gives is no longer exposed. Give each label set at most once.
 *
 * @example
 * ```ts
 * const collector: MetricCollector = {
 *   metrics: [{ name: 'shop_orders_total', type: 'counter', help: 'Orders', labels: ['country'] }],
 *   collect(set) {
 *     set('shop_orders_total', { country: 'fr' }, orders.fr);
 *   },
 * };
 * ```
 */
export interface MetricCollector {
  readonly metrics: readonly MetricSpec[];
  /** Gives the samples of now. May read stores, but only a little: it is called every few seconds. */
  collect(set: SetMetric): void | Promise<void>;
}

/** The text of a scrape. */
export interface MetricsText {
  readonly body: string;
  readonly contentType: string;
}

/** What `/metrics` answers with. */
export interface MetricsSource {
  text(): Promise<MetricsText>;
}
