import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { dashboards, dynamicDashboards } from '../../grafana/dashboards.ts';
import type { Dashboard } from '../../grafana/model.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import {
  csvFormat,
  EmbeddedStreams,
  FolderFeed,
  KafkaStreams,
  Letters,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { kafkaMetrics } from '../../src/observability/metric-names.ts';
import { type RunningServer, serve } from '../../src/server.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { readCompose, yamlOf } from '../deploy/compose-file.ts';
import { askedBy } from '../deploy/promql.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { exposedNames } from '../observability/fake-stats.ts';
import { PrometheusServer } from './helpers/prometheus-server.ts';

interface Asked {
  readonly title: string;
  readonly expr: string;
}

/** What the dashboard asks, and each metric that an alert looks at: the alert itself has data when something is wrong. */
function askedOf(dashboard: Dashboard): readonly Asked[] {
  const panels = dashboard.panels.flatMap((panel) =>
    panel.type === 'row' ? [] : panel.targets.map(({ expr }) => ({ title: panel.title, expr })),
  );
  const { groups } = yamlOf('grafana/prometheus/rules.yml') as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, expr }) =>
      askedBy(expr).selectors.map(({ metric }) => ({ title: alert, expr: `${metric}{job="weir"}` })),
    ),
  );
  return [...panels, ...alerts.filter(({ expr }) => !/^(grid_|streams_sink_)/.test(expr))];
}

const all = askedOf(dashboards['engine.json']!);
const ofKafka = new Set(kafkaMetrics.flatMap(exposedNames));
const isOfKafka = ({ title, expr }: Asked): boolean =>
  title.startsWith('Kafka: ') || ofKafka.has(expr.slice(0, expr.indexOf('{')));
const isOfFiles = ({ title, expr }: Asked): boolean => title.startsWith('Files: ') || expr.startsWith('streams_feed_');

/** Readings counted by meter and minute: nothing of the grid. */
function sums(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.json<unknown>() })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(60_000))
    .aggregate(
      () => 0,
      (_meter, _reading, sum) => sum + 1,
      { name: 'sums', valueSerde: Serdes.json<number>() },
    );
  return builder.build();
}

/** A Prometheus that scrapes the server; undefined, with the test skipped, where there is none. */
async function prometheusFor(t: ExecutionContext, server: RunningServer): Promise<PrometheusServer | undefined> {
  try {
    const flags = readCompose().services['prometheus']!.command!;
    const prometheus = await PrometheusServer.start(flags, new URL(server.url).host);
    t.teardown(() => prometheus.stop());
    return prometheus;
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  }
}

/** What the hidden variables offer by which Grafana shows and hides rows. */
async function runsOn(prometheus: PrometheusServer, application: string): Promise<Record<string, unknown>> {
  const offered: Record<string, unknown> = {};
  for (const { kind, spec } of dynamicDashboards['engine.json']!.spec.variables) {
    if (kind === 'QueryVariable' && spec.hide === 'hideVariable')
      offered[spec.name] = await prometheus.offered(spec.definition!, { application, job: 'weir', instance: '.*' });
  }
  return offered;
}

/** Asks until everything has had a number, while `feed` is called again and again; gives what had none. */
async function withoutData(
  prometheus: PrometheusServer,
  asked: readonly Asked[],
  feed: (round: number) => Promise<void> | void,
): Promise<readonly string[]> {
  let left = asked;
  const end = Date.now() + 90_000;
  for (let round = 0; left.length > 0 && Date.now() < end; round++) {
    await feed(round);
    await delay(300);
    const sent = left.map(({ expr }) =>
      expr.replaceAll('$job', 'weir').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '15s'),
    );
    const results = await Promise.all(sent.map((expr) => prometheus.query(expr)));
    left = left.filter((_, at) => !results[at]!.some(({ value }) => Number.isFinite(value)));
  }
  return left.map(({ title, expr }) => `${title}: ${expr}`);
}

/** Of each round the last is late. */
const times = (): readonly number[] => [Date.now(), Date.now() - 3_600_000];

test('the dashboard of the engine and the alerts have data of a topology of somebody else on Kafka', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-engine-dashboard-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const member = (name: string): KafkaStreams => {
    const streams = new KafkaStreams(sums(), {
      broker: cluster.connect(),
      applicationId: 'meters',
      stateDir: join(stateDir, name),
      openDatabase: () => openMemoryDatabase(),
      commitIntervalMs: 100,
      numStandbyReplicas: 1,
    });
    t.teardown(() => streams.close());
    return streams;
  };
  const streams = member('a');
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  // The other one has what the first keeps a standby of.
  await Promise.all([streams.start(), member('b').start()]);
  const asked = all.filter((each) => !isOfFiles(each));
  const prometheus = await prometheusFor(t, server);
  if (prometheus === undefined) return;
  const left = await withoutData(prometheus, asked, () => {
    for (const partition of [0, 1])
      for (const timestamp of times())
        cluster.write('readings', partition, [{ key: `m${timestamp % 7}`, value: '1', timestamp }]);
  });
  t.deepEqual(left, []);
  t.deepEqual(await runsOn(prometheus, 'meters'), { kafka: ['meters'], files: [] });
});

test('the dashboard of the engine and the alerts have data of a topology of somebody else over files', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-engine-dashboard-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  const readings = join(folder, 'readings');
  await mkdir(readings);
  const file = join(readings, 'a.csv');
  await writeFile(file, 'meter,at,wh\n');
  const streams = await EmbeddedStreams.open(sums(), {
    applicationId: 'meters',
    stateDir: state,
    commitIntervalMs: 100,
  });
  t.teardown(() => streams.close());
  const dead = await Letters.open(join(state, 'dead.jsonl'), { state });
  const late = await Letters.open(join(state, 'late.jsonl'), { state });
  const format = csvFormat({
    columns: { meter: 'meter', at: { column: 'at', time: 'iso' }, wh: { decimal: '.' } },
    key: ({ meter }) => meter,
    value: ({ wh, at }) => ({ wh, at }),
    timestamp: ({ at }) => at,
  });
  const feed = new FolderFeed({ topic: 'readings', directory: readings, format, dead, late, follow: true });
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  const prometheus = await prometheusFor(t, server);
  if (prometheus === undefined) return;
  const stopping = new AbortController();
  const running = streams.run([feed], { follow: true, signal: stopping.signal });
  const asked = all.filter((each) => !isOfKafka(each));
  const left = await withoutData(prometheus, asked, () =>
    appendFile(
      file,
      `${times()
        .map((at) => `m${at % 7},${new Date(at).toISOString()},1\n`)
        .join('')}m,never,1\n`,
    ),
  );
  stopping.abort();
  await running;
  t.deepEqual(left, []);
  t.deepEqual(await runsOn(prometheus, 'meters'), { kafka: [], files: ['meters'] });
});
