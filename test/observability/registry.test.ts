import { spawnSync } from 'node:child_process';
import test from 'ava';
import type { Logger } from '../../src/common/logger.ts';
import type { MetricCollector } from '../../src/observability/metric-collector.ts';
import { engineMetrics } from '../../src/observability/metric-names.ts';
import { createMetrics } from '../../src/observability/registry.ts';
import type { EngineStats } from '../../src/runtime/engine-stats.ts';
import { engineStats, exposedNames, feedProgress, storeStats, taskStats } from './fake-stats.ts';
import { withoutApplication } from './scrapes.ts';

async function lines(stats: EngineStats, collectors: readonly MetricCollector[] = []): Promise<string[]> {
  const metrics = createMetrics({ stats: () => stats, version: '1.2.3', collectors, processMetrics: false });
  return withoutApplication((await metrics.text()).body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('plain fields of the engine become samples', async (t) => {
  const all = await lines(engineStats());
  for (const line of [
    `streams_client_info{version="1.2.3",node_version="${process.version}"} 1`,
    'streams_client_state{state="RUNNING"} 1',
    'streams_client_state{state="ERROR"} 0',
    'streams_client_final 0',
    'streams_tasks{kind="active"} 1',
    'streams_errors_total{code="STREAMS_FILE"} 1',
    'streams_errors_total{code="STREAMS_TIMEOUT"} 0',
    'streams_scrape_errors_total 0',
    'streams_task_records_processed_total{topology="0",task_id="0_0"} 100',
    'streams_task_records_dropped_total{topology="0",task_id="0_0",reason="late"} 2',
    'streams_task_punctuations_total{topology="0",task_id="0_0"} 4',
    'streams_task_stream_timestamp_seconds{topology="0",task_id="0_0"} 1513292400.5',
    'streams_node_stream_timestamp_seconds{node="day-equipment",task_id="0_0"} 1513292400',
    'streams_task_buffered_records{topology="0",task_id="0_0"} 3',
    'streams_task_commits_total 6',
    'streams_task_commit_duration_seconds_bucket{le="0.1"} 2',
    'streams_task_commit_duration_seconds_bucket{le="0.25"} 6',
    'streams_task_commit_duration_seconds_bucket{le="+Inf"} 6',
    'streams_task_commit_duration_seconds_sum 0.75',
    'streams_task_commit_duration_seconds_count 6',
    'streams_task_committed_rows_total 60',
    'streams_task_last_commit_timestamp_seconds 1700000000',
    'streams_records_consumed_total{topic="events"} 110',
    'streams_bytes_consumed_total{topic="events"} 4000',
    'streams_feed_remaining_bytes{topic="events"} 6000',
    'streams_feed_files{topic="events",state="done"} 2',
    'streams_feed_files{topic="events",state="pending"} 3',
    'streams_feed_dead_records_total{topic="events",reason="date"} 2',
    // The first letter is an increase.
    'streams_feed_dead_records_total{topic="events",reason="columns"} 0',
    'streams_feed_late_records_total{topic="events"} 2',
    'streams_feed_skipped_records_total{topic="events"} 0',
    'streams_store_operations_total{store="day-equipment",operation="get"} 40',
    'streams_store_operations_total{store="day-equipment",operation="put"} 7',
    'streams_store_cache_hit_ratio{store="day-equipment"} 0.75',
    'streams_store_cache_entries{store="day-equipment"} 5',
    'streams_store_dirty_bytes{store="day-equipment"} 640',
    'streams_store_expired_windows_total{store="day-equipment"} 0',
  ]) {
    t.true(all.includes(line), line);
  }
});

test('each series has the application id, but those of the process, which may be that of several', async (t) => {
  const collector: MetricCollector = {
    metrics: [{ name: 'shop_orders_total', type: 'counter', help: 'A', labels: ['country'] }],
    collect: (set) => set('shop_orders_total', { country: 'fr' }, 1),
  };
  const metrics = createMetrics({ stats: () => engineStats(), version: '1', collectors: [collector] });
  const series = (await metrics.text()).body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.true(series.includes('shop_orders_total{country="fr",application_id="test"} 1'));
  t.deepEqual(
    series.filter((line) => /[{,]application_id="test"[,}]/.test(line) === /^(process|nodejs)_/.test(line)),
    [],
  );
});

test('every metric of the table is exposed, and nothing else', async (t) => {
  const exposed = new Set((await lines(engineStats())).map((line) => line.split(/[{ ]/)[0]));
  t.deepEqual([...exposed].sort(), engineMetrics.flatMap(exposedNames).sort());
});

test('counters are exposed as counters and give the same value at each scrape', async (t) => {
  const metrics = createMetrics({ stats: () => engineStats(), version: '1', processMetrics: false });
  const first = await metrics.text();
  const second = await metrics.text();
  t.is(first.body, second.body);
  t.regex(first.body, /^# TYPE streams_task_records_processed_total counter$/m);
  t.is(first.contentType, 'text/plain; version=0.0.4; charset=utf-8');
});

test('what is not known yet is absent, not 0', async (t) => {
  const all = await lines(
    engineStats({
      lastCommitAtMs: undefined,
      tasks: [taskStats('0_0', { streamTimeMs: -1, operatorTimeMs: { 'day-equipment': -1 } })],
      stores: [storeStats('day-equipment', { hits: 0, misses: 0 })],
    }),
  );
  t.deepEqual(
    all.filter((line) => /_timestamp_seconds|_ratio/.test(line)),
    [],
  );
});

test('a label set that is no longer given disappears', async (t) => {
  let stats = engineStats({ tasks: [taskStats('0_0'), taskStats('0_1')] });
  const metrics = createMetrics({ stats: () => stats, version: '1', processMetrics: false });
  t.regex((await metrics.text()).body, /task_id="0_1"/);
  stats = engineStats();
  t.notRegex((await metrics.text()).body, /task_id="0_1"/);
});

test('an application adds its own metrics, and a failing collector loses only its own and is counted', async (t) => {
  const spec = { type: 'gauge', help: 'A', labels: [] } as const;
  let broken = false;
  const collectors: MetricCollector[] = [
    {
      metrics: [{ ...spec, name: 'shop_open' }],
      async collect(set) {
        set('shop_open', {}, 1);
        await Promise.resolve();
        if (broken) throw new Error('shop on fire');
      },
    },
    { metrics: [{ ...spec, name: 'shop_size' }], collect: (set) => set('shop_size', {}, 9) },
  ];
  const warnings: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (fields) => warnings.push(JSON.stringify(fields)),
    error() {},
  };
  const metrics = createMetrics({
    stats: () => engineStats(),
    version: '1',
    collectors,
    processMetrics: false,
    logger,
  });
  t.regex(withoutApplication((await metrics.text()).body), /^shop_open 1$/m);
  broken = true;
  const body = withoutApplication((await metrics.text()).body);
  t.notRegex(body, /^shop_open /m);
  t.regex(body, /^shop_size 9$/m);
  t.regex(body, /^streams_scrape_errors_total 1$/m);
  t.deepEqual(warnings, ['{"metrics":["shop_open"],"error":"shop on fire"}']);
});

test('a collector that gives a metric it does not list fails as a whole', async (t) => {
  const collector: MetricCollector = {
    metrics: [{ name: 'shop_open', type: 'gauge', help: 'A', labels: [] }],
    collect(set) {
      set('shop_open', {}, 1);
      set('shop_closed', {}, 1);
    },
  };
  const all = await lines(engineStats(), [collector]);
  t.false(all.some((line) => line.startsWith('shop_')));
  t.true(all.includes('streams_scrape_errors_total 1'));
});

test('a collector that does not answer in time loses only its own metrics, and is asked anew once it has', async (t) => {
  let asked = 0;
  let answer: () => void = () => {};
  const slow: MetricCollector = {
    metrics: [{ name: 'shop_orders', type: 'gauge', help: 'Orders', labels: [] }],
    async collect(set) {
      asked++;
      set('shop_orders', {}, asked);
      if (asked > 1) return;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    },
  };
  const metrics = createMetrics({
    ...{ stats: () => engineStats(), version: '1', processMetrics: false },
    ...{ collectors: [slow], collectTimeoutMs: 20 },
  });
  const scraped = async (): Promise<string> => withoutApplication((await metrics.text()).body);
  for (const failures of [1, 2]) {
    const body = await scraped();
    t.notRegex(body, /^shop_orders /m);
    t.regex(body, new RegExp(`^streams_scrape_errors_total ${failures}$`, 'm'));
    t.regex(body, /^streams_task_commits_total 6$/m);
  }
  t.is(asked, 1);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  const body = await scraped();
  t.regex(body, /^shop_orders 2$/m);
  t.regex(body, /^streams_scrape_errors_total 2$/m);
});

test('scrapes at the same time share one look', async (t) => {
  let looks = 0;
  const stats = () => {
    looks++;
    return engineStats();
  };
  const metrics = createMetrics({ stats, version: '1', processMetrics: false });
  await metrics.text();
  const first = looks;
  await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
  t.is(looks, first + 1);
  await metrics.text();
  t.is(looks, first + 2);
});

test('the process shows its memory and event loop beside the engine', async (t) => {
  const { body } = await createMetrics({ stats: () => engineStats(), version: '1' }).text();
  t.regex(body, /^process_cpu_seconds_total /m);
  t.regex(body, /^nodejs_eventloop_lag_seconds /m);
  t.regex(body, /^streams_tasks/m);
  const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  t.is(new Set(names).size, names.length);
});

test('every engine metric has a help text, and a counter is named so', (t) => {
  for (const { name, type, help } of engineMetrics) {
    t.regex(name, /^streams_[a-z_]+$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.regex(help, /^\S.*[^.]$/, name);
  }
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const whenPromtool = promtool || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

whenPromtool('promtool finds no fault with our own registry', async (t) => {
  const stats = engineStats({ feeds: [feedProgress('events'), feedProgress('park')] });
  const { body } = await createMetrics({ stats: () => stats, version: '1', processMetrics: false }).text();
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
  t.is(`${stdout}${stderr}`, '');
  t.is(status, 0);
});
