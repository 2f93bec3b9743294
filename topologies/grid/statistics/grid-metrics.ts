import type { MetricCollector, MetricSpec, SetMetric } from '../../../src/observability/metric-collector.ts';
import type { ReadOnlyVersionedStore, WindowRow } from '../../../src/runtime/read-only-stores.ts';
import { NameLookup } from './name-lookup.ts';
import { ParkSize } from './park-size.ts';
import { allKey, type Counts, eventTypes, type Period, periods, storeName, unknownPlace } from './statistic.ts';
import { allTime, type StatisticStores } from './statistic-stores.ts';

/** What the metrics are read from: all of it as of the last commit. */
export interface GridMetricsOptions {
  readonly stores: StatisticStores;
  /** The park: key `C:8`, a value while the equipment is installed. */
  readonly park: () => ReadOnlyVersionedStore<string, unknown>;
  /** Windows that end up to here take no more events, ms. */
  readonly finalUntilMs: () => number;
  /**
   * Whether the rows of a key of a store are this process's: another one shows what is not. It says no too while they are on their way. @defaultValue always: there is one process
   */
  readonly owns?: (store: string, key: string) => boolean;
  /** Wall clock, ms. @defaultValue Date.now */
  readonly now?: () => number;
}

/** Metrics of the grid. No label names a meter, a commune or a substation: their number has no bound. */
export const gridMetricSpecs: readonly MetricSpec[] = [
  {
    name: 'grid_events',
    type: 'gauge',
    help: 'Events counted in the statistics, of the instance that has their sum',
    labels: ['type_evt'],
  },
  {
    name: 'grid_window_events',
    type: 'gauge',
    help: 'Events of the newest open window and of the newest closed one',
    labels: ['period', 'state', 'type_evt'],
  },
  {
    name: 'grid_window_start_timestamp_seconds',
    type: 'gauge',
    help: 'Start of the newest window that has events, seconds since the epoch',
    labels: ['period'],
  },
  {
    name: 'grid_region_events',
    type: 'gauge',
    help: 'Events of a region in the newest closed window',
    labels: ['period', 'region', 'type_evt'],
  },
  {
    name: 'grid_departement_events',
    type: 'gauge',
    help: 'Events of a departement in the newest closed window',
    labels: ['period', 'departement', 'type_evt'],
  },
  {
    name: 'grid_region_info',
    type: 'gauge',
    help: 'Always 1: the name of each region that has events in the newest closed window; its id where the park has none',
    labels: ['region', 'name'],
  },
  {
    name: 'grid_departement_info',
    type: 'gauge',
    help: 'Always 1: the name of each departement that has events in the newest closed window; its id where the park has none',
    labels: ['departement', 'name'],
  },
  {
    name: 'grid_unattached_events',
    type: 'gauge',
    help: 'Events whose place is not known, of the instance that has them; falls when the park catches up',
    labels: [],
  },
  {
    name: 'grid_park_size',
    type: 'gauge',
    help: 'Equipment installed now, looked at once a minute',
    labels: ['equipment'],
  },
];

/**
 * The grid's metrics, of the rows that this process has. A scrape reads the newest windows only: a row or two of each period by type, and a day's rows of regions and
 * departements.
 *
 * What is counted is state, so it is a gauge: another instance that takes a row over begins with all of it, and a correction of the park takes some of it away.
 */
export function gridMetrics(options: GridMetricsOptions): MetricCollector {
  const { stores, finalUntilMs, owns = () => true, now = Date.now } = options;
  const newest = periods.map((period) => new NewestWindows(stores, period, finalUntilMs));
  const places = (['region', 'departement'] as const).map(
    (grouping) => new NewestPlaces(stores, grouping, finalUntilMs),
  );
  const parkSize = new ParkSize(options.park, now);
  const names = freshNames(options.park, now);
  return {
    metrics: gridMetricSpecs,
    async collect(set) {
      if (owns(storeName('year', 'type'), allKey))
        setCounts(set, 'grid_events', {}, await sumOfYears(stores, 'type', allKey));
      if (owns(storeName('year', 'pdk'), unknownPlace)) {
        const unattached = await sumOfYears(stores, 'pdk', unknownPlace);
        set('grid_unattached_events', {}, unattached.ev_C + unattached.ev_K + unattached.ev_N);
      }
      for (const windows of newest)
        if (owns(storeName(windows.period, 'type'), allKey)) setWindows(set, windows.period, await windows.find());
      for (const { grouping, find } of places)
        for (const { windowed, value } of await find()) {
          const { key } = windowed;
          setCounts(set, `grid_${grouping}_events`, { period: 'day', [grouping]: key }, value);
          // Without a name a join by it would lose the events of the place.
          set(`grid_${grouping}_info`, { [grouping]: key, name: (await names().of(grouping, key)) || key }, 1);
        }
      for (const [equipment, n] of await parkSize.get()) set('grid_park_size', { equipment }, n);
    },
  };
}

/** How long names are good for, ms. */
const namesGoodForMs = 60_000;

/** Names of places, read again once a minute. */
function freshNames(park: GridMetricsOptions['park'], now: () => number): () => NameLookup {
  let names: NameLookup | undefined;
  let sinceMs = 0;
  return () => {
    if (names === undefined || now() - sinceMs >= namesGoodForMs) {
      names = new NameLookup(park());
      sinceMs = now();
    }
    return names;
  };
}

function setWindows(set: SetMetric, period: Period, { open, closed }: FoundWindows): void {
  const newest = open ?? closed;
  if (newest !== undefined) set('grid_window_start_timestamp_seconds', { period }, newest.startMs / 1000);
  if (open !== undefined) setCounts(set, 'grid_window_events', { period, state: 'open' }, open.counts);
  if (closed !== undefined) setCounts(set, 'grid_window_events', { period, state: 'closed' }, closed.counts);
}

function setCounts(set: SetMetric, name: string, labels: Readonly<Record<string, string>>, counts: Counts): void {
  for (const type of eventTypes) set(name, { ...labels, type_evt: type }, counts[type]);
}

async function sumOfYears(stores: StatisticStores, grouping: 'type' | 'pdk', key: string): Promise<Counts> {
  const sum: Counts = { ev_C: 0, ev_K: 0, ev_N: 0 };
  for await (const { value } of stores(storeName('year', grouping)).fetchKey(key, allTime.fromMs, allTime.toMs)) {
    for (const type of eventTypes) sum[type] += value[type];
  }
  return sum;
}

interface WindowCounts {
  readonly startMs: number;
  readonly counts: Counts;
}

/** The newest window that still takes events, and the newest that does not. */
interface FoundWindows {
  readonly open?: WindowCounts;
  readonly closed?: WindowCounts;
}

/** The newest window of a period that takes no more events, and the newest if it still does. Looks through all windows once, then from the closed one on. */
class NewestWindows {
  readonly period: Period;
  readonly #stores: StatisticStores;
  readonly #finalUntilMs: () => number;
  #fromMs = allTime.fromMs;

  constructor(stores: StatisticStores, period: Period, finalUntilMs: () => number) {
    this.period = period;
    this.#stores = stores;
    this.#finalUntilMs = finalUntilMs;
  }

  async find(): Promise<FoundWindows> {
    let open: WindowCounts | undefined;
    let closed: WindowCounts | undefined;
    const finalUntilMs = this.#finalUntilMs();
    const store = this.#stores(storeName(this.period, 'type'));
    for await (const { windowed, value } of store.fetchKey(allKey, this.#fromMs, allTime.toMs)) {
      const window = { startMs: windowed.startMs, counts: value };
      if (windowed.endMs <= finalUntilMs) closed = window;
      else open = window;
    }
    if (closed !== undefined) this.#fromMs = closed.startMs;
    return { ...(open && { open }), ...(closed && { closed }) };
  }
}

/** The rows of places on the newest day that takes no more events, of those that are here. Looks through all days once, then from that one on. */
class NewestPlaces {
  readonly grouping: 'region' | 'departement';
  readonly #stores: StatisticStores;
  readonly #finalUntilMs: () => number;
  #fromMs = allTime.fromMs;

  constructor(stores: StatisticStores, grouping: 'region' | 'departement', finalUntilMs: () => number) {
    this.grouping = grouping;
    this.#stores = stores;
    this.#finalUntilMs = finalUntilMs;
  }

  readonly find = async (): Promise<readonly WindowRow<string, Counts>[]> => {
    let rows: WindowRow<string, Counts>[] = [];
    const finalUntilMs = this.#finalUntilMs();
    const store = this.#stores(storeName('day', this.grouping));
    for await (const row of store.fetchAll(this.#fromMs, allTime.toMs)) {
      if (row.windowed.endMs > finalUntilMs) break;
      if (row.windowed.startMs !== rows[0]?.windowed.startMs) rows = [];
      rows.push(row);
    }
    this.#fromMs = rows[0]?.windowed.startMs ?? this.#fromMs;
    return rows;
  };
}
