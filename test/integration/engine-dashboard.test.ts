import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { KafkaStreams, Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../src/index.ts';
import { serve } from '../../src/server.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { readCompose } from '../deploy/compose-file.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { PrometheusServer } from './helpers/prometheus-server.ts';

const expressions = dashboards['engine.json']!.panels.flatMap((panel) =>
  panel.type === 'row' || panel.title.startsWith('Files: ')
    ? []
    : panel.targets.map(({ expr }) => ({ title: panel.title, expr })),
);

/** Readings summed by meter and minute: nothing of the grid. */
function sums(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.json<number>() })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(60_000))
    .aggregate(
      () => 0,
      (_meter, reading, sum) => sum + reading,
      { name: 'sums', valueSerde: Serdes.json<number>() },
    );
  return builder.build();
}

test('the dashboard of the engine has data of a topology of somebody else', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-engine-dashboard-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const streams = new KafkaStreams(sums(), {
    broker: cluster.connect(),
    applicationId: 'meters',
    stateDir,
    openDatabase: () => openMemoryDatabase(),
    commitIntervalMs: 100,
  });
  t.teardown(() => streams.close());
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  await streams.start();
  let prometheus: PrometheusServer;
  try {
    prometheus = await PrometheusServer.start(readCompose().services['prometheus']!.command!, new URL(server.url).host);
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return;
  }
  t.teardown(() => prometheus.stop());
  let left = expressions;
  const end = Date.now() + 60_000;
  for (let i = 0; left.length > 0 && Date.now() < end; i++) {
    // The last one of each round is late.
    for (const timestamp of [Date.now(), Date.now() - 3_600_000])
      cluster.write('readings', i % 2, [{ key: `m${i % 7}`, value: '1', timestamp }]);
    await delay(300);
    const sent = left.map(({ expr }) =>
      expr.replaceAll('$job', 'weir').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '15s'),
    );
    const results = await Promise.all(sent.map((expr) => prometheus.query(expr)));
    left = left.filter((_, at) => !results[at]!.some(({ value }) => Number.isFinite(value)));
  }
  t.deepEqual(
    left.map(({ title }) => title),
    [],
  );
});
