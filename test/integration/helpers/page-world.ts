import type { ExecutionContext } from 'ava';
import type { RunningServer } from '../../../src/http/running-server.ts';
import { createServer, type ServerOptions } from '../../../src/http/server.ts';
import type { EngineStats } from '../../../src/runtime/engine-stats.ts';
import type { LetterSample } from '../../../src/runtime/letter-sample.ts';
import { describeTopology } from '../../../src/server/serve-client.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { gridPage } from '../../../topologies/grid/statistics/grid-page.ts';
import { NameLookup } from '../../../topologies/grid/statistics/name-lookup.ts';
import { silentRoute } from '../../../topologies/grid/statistics/silent-route.ts';
import { statisticsRoutes } from '../../../topologies/grid/statistics/statistics-routes.ts';
import { gridTopology } from '../../../topologies/grid/topology.ts';
import { fakeEngine, keyValueStore, versionedStore, windowStore } from '../../http/fake-engine.ts';
import { engineStats } from '../../observability/fake-stats.ts';
import { FakeStores, fakePark } from '../../topologies/grid/statistics/fake-stores.ts';

/** What must never be read as markup. */
export const markup = '<img src=x onerror=alert(1)>';
const metrics = { text: async () => ({ body: '', contentType: 'text/plain' }) };
/** The topology whose graph is shown. */
export const topology: Topology = gridTopology({ zone: 'Europe/Paris', graceMs: 86_400_000 });

/** What is served, and what it says of itself. */
export type Served = Partial<ServerOptions> & {
  readonly stats?: () => EngineStats;
  readonly letters?: readonly LetterSample[];
};

/** A server with stores of many rows, few, none, windows and histories. */
export async function serving(t: ExecutionContext<unknown>, options: Served = {}): Promise<RunningServer> {
  const { stats = () => engineStats({ errors: {} }), letters = [], ...more } = options;
  const rows = Object.fromEntries(Array.from({ length: 10_050 }, (_, i) => [`k${String(i).padStart(5, '0')}`, i]));
  const engine = {
    ...fakeEngine(
      [
        keyValueStore('many', rows),
        keyValueStore('few', { a: { n: 1 }, ab: markup, [markup]: 3 }),
        windowStore('windows', [
          ['C:8', 0, 1],
          ['C:8', 1000, 2],
        ]),
        versionedStore('park'),
        keyValueStore('none', {}),
      ],
      stats,
    ),
    describeTopology: () => describeTopology(topology, 'json'),
    letters: () => letters,
  };
  const server = await createServer({ engine, metrics, port: 0, ...more });
  t.teardown(() => server.close());
  return server;
}

/** Two regions over nine days, the second one only on the last; meters of which one is silent since the eighth. */
export function gridOptions(): Partial<ServerOptions> {
  const stores = new FakeStores('Europe/Paris');
  for (let i = 0; i < 9; i++) {
    const day = new Date(Date.UTC(2018, 0, 1 + i)).toISOString().slice(0, 10);
    stores.add('day', 'type', day, 'all', 'ev_C', 10);
    stores.add('day', 'region', day, '4', 'ev_C', 100 + 10 * i);
    if (i === 8) stores.add('day', 'region', day, '7', 'ev_C', 500);
    stores.add('day', 'equipment', day, 'C:8', 'ev_C', 5);
    if (i < 7) stores.add('day', 'equipment', day, 'C:9', 'ev_C', 5);
  }
  const place = { commune: '01026', departement: '01', pdk: '7', region: '4' };
  const since = [{ validFromMs: 0, value: place }];
  const park = () =>
    fakePark({
      'C:10': since,
      'C:8': since,
      'C:9': since,
      'K:1': since,
      'region:4': [{ validFromMs: 0, value: { name: `RHONE ${markup}` } }],
    });
  const source = {
    ...{ stores: stores.get, zone: 'Europe/Paris', finalUntilMs: () => Number.POSITIVE_INFINITY },
    names: () => new NameLookup(park()),
  };
  return { page: gridPage('Europe/Paris'), routes: [...statisticsRoutes(source), silentRoute(source, park)] };
}
