import type { MetricsSource } from '../../src/observability/metric-collector.ts';

/** Text of `/metrics` without the label that all of ours have. */
export const withoutApplication = (body: string): string =>
  body.replaceAll(/\{application_id="[^"]*"\}|,application_id="[^"]*"|(?<=\{)application_id="[^"]*",/g, '');

/** Series of a scrape: its name with its labels but the application, and its value. */
export async function seriesOf(metrics: MetricsSource): Promise<ReadonlyMap<string, number>> {
  const { body } = await metrics.text();
  const lines = withoutApplication(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Whether a series is a counter or a part of a histogram, by the form of its name. */
export const isCounter = (series: string): boolean => /^\w+_(total|bucket|sum|count)(\{|$)/.test(series);

/** What a Prometheus keeps of a process: the last value of each counter that it has ever shown. */
export class CounterWatch {
  readonly fallen: string[] = [];
  readonly #metrics: MetricsSource;
  readonly #last = new Map<string, number>();

  constructor(metrics: MetricsSource) {
    this.#metrics = metrics;
  }

  /** One scrape: counters that were higher before, even if they were absent meanwhile, are noted as fallen. */
  async scrape(): Promise<ReadonlyMap<string, number>> {
    const series = await seriesOf(this.#metrics);
    for (const [name, value] of series) {
      if (!isCounter(name)) continue;
      const last = this.#last.get(name) ?? 0;
      if (value < last) this.fallen.push(`${name}: ${last} to ${value}`);
      this.#last.set(name, value);
    }
    return series;
  }
}
