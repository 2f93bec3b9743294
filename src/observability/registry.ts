import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { messageOf } from '../common/errors.ts';
import type { HistogramValue } from '../common/histogram.ts';
import { type Logger, silentLogger } from '../common/logger.ts';
import type { EngineStats } from '../runtime/engine-stats.ts';
import { engineCollector } from './engine-collector.ts';
import type { MetricCollector, MetricSpec, MetricsSource, MetricsText, SetMetric } from './metric-collector.ts';

/** What metrics are made of. */
export interface MetricsOptions {
  /** One look at the engine, taken at each scrape. */
  readonly stats: () => EngineStats;
  /** Version shown in `streams_client_info`. */
  readonly version: string;
  /** The application's own metrics. */
  readonly collectors?: readonly MetricCollector[];
  /** Whether CPU, heap, garbage collection and event loop of the process are shown too. @defaultValue true */
  readonly processMetrics?: boolean;
  /** Told when a collector fails. @defaultValue silent */
  readonly logger?: Logger;
  /** How long a scrape waits for a collector, ms: then it fails. Prometheus itself waits 10 s. @defaultValue 8000 */
  readonly collectTimeoutMs?: number;
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramValue;
}

/**
 * The metrics of an engine and its application, in Prometheus' text format.
 *
 * The hot path only counts in plain fields; they are copied into prom-client when somebody asks. A collector that fails loses its own
 * metrics in that scrape, no others, and is counted in `streams_scrape_errors_total`; so does one that does not answer in time. Scrapes at the same time share one answer.
 */
export function createMetrics(options: MetricsOptions): MetricsSource {
  const { stats, version, collectors = [] } = options;
  let failures = 0;
  let applicationId: string | undefined;
  return collectorMetrics({
    ...options,
    applicationId: () => (applicationId ??= stats().applicationId),
    // The engine's come last, so that they hold the failures of the others in this scrape.
    collectors: [...collectors, engineCollector(stats, version, () => failures)],
    failed: () => failures++,
  });
}

/** What the metrics of a process without an engine are made of. */
export interface CollectorMetricsOptions
  extends Pick<MetricsOptions, 'processMetrics' | 'logger' | 'collectTimeoutMs'> {
  /** A label of all that the collectors give, beside their own: of two applications with one name of a topic each has its series. */
  readonly applicationId: () => string;
  readonly collectors: readonly MetricCollector[];
  /** Called when a collector fails. */
  readonly failed?: () => void;
}

/** As {@link createMetrics}, of a process without an engine. */
export function collectorMetrics(options: CollectorMetricsOptions): MetricsSource {
  const { applicationId, collectors, processMetrics = true, logger = silentLogger, failed = () => {} } = options;
  const registry = new Registry();
  const { collectTimeoutMs = 8000 } = options;
  const sources = collectors.map((collector) => new CollectedMetrics(collector, registry, collectTimeoutMs));
  // A registry of its own: `promtool check metrics` finds fault with some names of prom-client's, never with ours.
  const ofProcess = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: ofProcess });

  const scrape = async (): Promise<MetricsText> => {
    for (const source of sources) {
      try {
        await source.refresh(applicationId());
      } catch (error) {
        failed();
        logger.warn({ metrics: source.names, error: messageOf(error) }, 'a metric collector failed');
      }
    }
    const texts = [await registry.metrics(), ...(processMetrics ? [await ofProcess.metrics()] : [])];
    return { body: texts.join('\n'), contentType: registry.contentType };
  };

  let running: Promise<MetricsText> | undefined;
  return {
    text() {
      running ??= scrape().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

const application = 'application_id';

/** The metrics of one collector in prom-client. */
class CollectedMetrics {
  readonly names: readonly string[];
  readonly #collector: MetricCollector;
  readonly #metrics: ReadonlyMap<string, Counter | Gauge | CollectedHistogram>;
  readonly #timeoutMs: number;
  /** Whether it is at work, for this scrape or for one that has given it up. */
  #collecting = false;

  constructor(collector: MetricCollector, registry: Registry, timeoutMs: number) {
    this.#collector = collector;
    this.#timeoutMs = timeoutMs;
    this.#metrics = new Map(collector.metrics.map((spec) => [spec.name, register(spec, registry)]));
    this.names = [...this.#metrics.keys()];
  }

  async refresh(applicationId: string): Promise<void> {
    const samples: Sample[] = [];
    const set: SetMetric = (name, labels, value) =>
      samples.push({ name, labels: { ...labels, [application]: applicationId }, value });
    this.#clear();
    await this.#collect(set);
    try {
      for (const sample of samples) this.#apply(sample);
    } catch (error) {
      this.#clear();
      throw error;
    }
  }

  /** One that never answers, such as a file system that is gone, would otherwise take all scrapes with it. */
  async #collect(set: SetMetric): Promise<void> {
    if (this.#collecting) throw new Error('it has not answered an earlier scrape yet');
    this.#collecting = true;
    const collected = (async () => this.#collector.collect(set))().finally(() => {
      this.#collecting = false;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    try {
      await Promise.race([collected, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #apply({ name, labels, value }: Sample): void {
    const metric = this.#metrics.get(name);
    if (metric === undefined) throw new TypeError(`the collector does not list the metric ${name}`);
    if (metric instanceof CollectedHistogram || typeof value !== 'number') {
      if (!(metric instanceof CollectedHistogram) || typeof value === 'number')
        throw new TypeError(`the metric ${name} is given a value of another type`);
      metric.set(labels, value);
      return;
    }
    // A counter was reset to nothing just before: its increase is its absolute value.
    if (metric instanceof Counter) metric.inc(labels, value);
    else metric.set(labels, value);
  }

  #clear(): void {
    for (const metric of this.#metrics.values()) metric.reset();
  }
}

/** A histogram that was counted elsewhere: prom-client's own counts one value after the other. */
class CollectedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  #samples: { readonly metricName: string; readonly labels: object; readonly value: number }[] = [];

  constructor({ name, help }: MetricSpec) {
    this.name = name;
    this.help = help;
  }

  set(labels: Sample['labels'], { bounds, counts, sum }: HistogramValue): void {
    const sample = (part: string, value: number, le: object = {}): void => {
      this.#samples.push({ metricName: `${this.name}_${part}`, labels: { ...labels, ...le }, value });
    };
    let count = 0;
    for (const [i, each] of counts.entries()) {
      count += each;
      sample('bucket', count, { le: i < bounds.length ? String(bounds[i]) : '+Inf' });
    }
    sample('sum', sum);
    sample('count', count);
  }

  reset(): void {
    this.#samples = [];
  }

  /** What prom-client asks of a metric. */
  get(): object {
    return { name: this.name, help: this.help, type: this.type, values: this.#samples, aggregator: 'sum' };
  }
}

function register(spec: MetricSpec, registry: Registry): Counter | Gauge | CollectedHistogram {
  if (spec.type === 'histogram') {
    const histogram = new CollectedHistogram(spec);
    registry.registerMetric(histogram as unknown as Metric);
    return histogram;
  }
  const labelNames = [...new Set([...spec.labels, application])];
  const options = { name: spec.name, help: spec.help, labelNames, registers: [registry] };
  return spec.type === 'counter' ? new Counter(options) : new Gauge(options);
}
