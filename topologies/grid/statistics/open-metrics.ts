import type { FileHandle } from 'node:fs/promises';
import { StreamsError } from '../../../src/common/errors.ts';
import { writeWholeFile } from '../../../src/files/whole-file.ts';
import { gridMetricSpecs } from './grid-metrics.ts';
import type { StatisticSource } from './query-statistics.ts';
import { eventTypes, type Grouping, type Period, periods, storeName } from './statistic.ts';
import { allTime } from './statistic-stores.ts';

/** A family of samples: the windows of which statistics, and the label of their key. */
interface Family {
  readonly name: string;
  readonly grouping: Grouping;
  readonly periods: readonly Period[];
  readonly key: string | undefined;
}

/** The same metrics as a scrape gives of the newest closed windows: see `gridMetricSpecs`. */
const families: readonly Family[] = [
  { name: 'grid_window_events', grouping: 'type', periods, key: undefined },
  { name: 'grid_region_events', grouping: 'region', periods: ['day'], key: 'region' },
  { name: 'grid_departement_events', grouping: 'departement', periods: ['day'], key: 'departement' },
];

const chunkLength = 256 * 1024;

/** How a history is written. */
export interface HistoryOptions {
  /** Labels of each sample, as Prometheus gives them to what it scrapes: `{ job: 'weir', instance: 'history' }`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Writes the closed windows of a state as samples in OpenMetrics text, each at the end of its window: what a scrape at that moment would have shown as the newest closed window.
 *
 * `grid_window_events{job="weir",period="day",state="closed",type_evt="ev_C"} 5760 1514761200` says that the day which ended at 2018-01-01 00:00 in 'Europe/Paris' had 5760 events.
 * `promtool tsdb create-blocks-from openmetrics` makes blocks of Prometheus out of it.
 *
 * @returns the number of samples.
 * @throws {@link StreamsError} `STREAMS_INPUT_REFUSED` if no window is closed yet, `STREAMS_FILE` if the file cannot be written.
 */
export async function exportHistory(source: StatisticSource, file: string, options: HistoryOptions): Promise<number> {
  const labels = Object.entries(options.labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return writeWholeFile(file, async (handle) => {
    const out = new Samples(handle, options.signal);
    for (const family of families) await writeFamily(out, source, family, labels);
    for (const level of ['region', 'departement'] as const) await writeNames(out, source, level, labels);
    if (out.samples === 0)
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        'no window of the state is closed yet, so there is no history. Close them with weir replay --final, or wait until their grace is over.',
      );
    await out.end();
    return out.samples;
  });
}

class Samples {
  readonly #handle: FileHandle;
  readonly #signal: AbortSignal | undefined;
  #chunk = '';
  samples = 0;

  constructor(handle: FileHandle, signal: AbortSignal | undefined) {
    this.#handle = handle;
    this.#signal = signal;
  }

  text(text: string): void {
    this.#chunk += text;
  }

  sample(series: string, value: number, timestamp: number): void {
    this.#chunk += `${series} ${value} ${timestamp}\n`;
    this.samples++;
  }

  async flush(above: number): Promise<void> {
    if (this.#chunk.length <= above) return;
    this.#signal?.throwIfAborted();
    await this.#handle.appendFile(this.#chunk);
    this.#chunk = '';
  }

  async end(): Promise<void> {
    this.text('# EOF\n');
    await this.flush(0);
  }
}

async function writeFamily(
  out: Samples,
  source: StatisticSource,
  family: Family,
  labels: readonly string[],
): Promise<void> {
  const { name, grouping, key } = family;
  out.text(headOf(name));
  for (const period of family.periods) {
    const finalUntilMs = source.finalUntilMs();
    const store = source.stores(storeName(period, grouping));
    for await (const { windowed, value } of store.fetchAll(allTime.fromMs, allTime.toMs)) {
      if (windowed.endMs > finalUntilMs) continue;
      for (const type of eventTypes) {
        const own = key === undefined ? ['state="closed"'] : [`${key}="${escaped(windowed.key)}"`];
        const series = `${name}{${[...labels, `period="${period}"`, ...own, `type_evt="${type}"`].join(',')}}`;
        out.sample(series, value[type], windowed.endMs / 1000);
      }
      await out.flush(chunkLength);
    }
  }
  await out.flush(0);
}

/** The names by which queries join: with each day's events of a place a sample of its name. */
async function writeNames(
  out: Samples,
  source: StatisticSource,
  level: 'region' | 'departement',
  labels: readonly string[],
): Promise<void> {
  const names = source.names?.();
  if (names === undefined) return;
  const finalUntilMs = source.finalUntilMs();
  const name = `grid_${level}_info`;
  out.text(headOf(name));
  for await (const { windowed } of source.stores(storeName('day', level)).fetchAll(allTime.fromMs, allTime.toMs)) {
    if (windowed.endMs > finalUntilMs) continue;
    const place = (await names.of(level, windowed.key)) || windowed.key;
    const own = [`${level}="${escaped(windowed.key)}"`, `name="${escaped(place)}"`];
    out.sample(`${name}{${[...labels, ...own].join(',')}}`, 1, windowed.endMs / 1000);
    await out.flush(chunkLength);
  }
  await out.flush(0);
}

function headOf(name: string): string {
  return `# HELP ${name} ${gridMetricSpecs.find((spec) => spec.name === name)!.help}\n# TYPE ${name} gauge\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
