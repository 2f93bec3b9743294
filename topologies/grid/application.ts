import type { Application, ReadableState } from '../../src/cli/application.ts';
import type { ReadOnlyVersionedStore } from '../../src/runtime/read-only-stores.ts';
import { eventFormat } from './events/event-format.ts';
import { EventRows } from './events/event-rows.ts';
import { loadPark } from './park/load-park.ts';
import { parkRows } from './park/park-history.ts';
import { exportStatistics } from './statistics/export-statistics.ts';
import { gridMetrics } from './statistics/grid-metrics.ts';
import { gridPage } from './statistics/grid-page.ts';
import { NameLookup } from './statistics/name-lookup.ts';
import type { StatisticSource } from './statistics/query-statistics.ts';
import { silentRoute } from './statistics/silent-route.ts';
import type { StatisticStore, StatisticStores } from './statistics/statistic-stores.ts';
import { statisticsRoutes } from './statistics/statistics-routes.ts';
import { gridTopology, parkTable } from './topology.ts';

/** The statistics of a grid as an application of the runtime. */
export const gridApplication: Application = {
  topology({ zone, graceMs }, topics, tableTopics) {
    const parkTopic = tableTopics?.get(parkTable);
    return gridTopology({ zone, graceMs, topics, ...(parkTopic === undefined ? {} : { parkTopic }) });
  },
  format: ({ zone }) => eventFormat(zone),
  rowMessages: true,
  sink: { prefix: 'event', rows: (zone) => new EventRows(zone) },
  async loadTable(_store, directory, { zone }, told) {
    return parkRows(await loadPark(directory, { manufacturers: false, told }), zone);
  },
  async writeTable(broker, { topic, directory, settings, replicationFactor, logger }) {
    const { loadParkTopic } = await import('./park/park-topic.ts');
    const options = { topic, park: directory, zone: settings.zone, replicationFactor, logger };
    const { added, changed, removed, names } = await loadParkTopic(broker, options);
    return added + changed + removed + names;
  },
  serve(state) {
    const source = statisticSource(state);
    const { stores, finalUntilMs } = source;
    const park = (): ReadOnlyVersionedStore<string, unknown> => parkOf(state);
    return {
      routes: [...statisticsRoutes(source), silentRoute(source, park)],
      page: gridPage(source.zone),
      collectors: [gridMetrics({ stores, park, finalUntilMs, owns: (store, key) => state.owns?.(store, key) ?? true })],
    };
  },
  export: (state, outDir, signal) =>
    exportStatistics(statisticStores(state), outDir, state.settings.zone, signal === undefined ? {} : { signal }),
};

/** What the statistics of a state are read from. */
export function statisticSource(state: ReadableState): StatisticSource {
  return {
    stores: statisticStores(state),
    zone: state.settings.zone,
    finalUntilMs: () => state.finalUntilMs(),
    names: () => new NameLookup(parkOf(state)),
  };
}

function statisticStores(state: ReadableState): StatisticStores {
  return (name, options) => state.store(name, options) as StatisticStore;
}

function parkOf(state: ReadableState): ReadOnlyVersionedStore<string, unknown> {
  return state.store(parkTable) as ReadOnlyVersionedStore<string, unknown>;
}
