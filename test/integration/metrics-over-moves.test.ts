import { mkdtemp, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { readCompose } from '../deploy/compose-file.ts';
import { freePort, PartMissing, skipWithout } from '../helpers/parts.ts';
import { withoutApplication } from '../observability/scrapes.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { madeData } from './helpers/made-data.ts';
import { PrometheusServer, type ScrapedSeries } from './helpers/prometheus-server.ts';
import { weir } from './helpers/weir.ts';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });
const eventsPerDay = 5000;
const partitions = 4;

/** Some scrapes, one a second. */
const someScrapes = (): Promise<void> => delay(5000);

/** What a scrape has of one instance. */
async function seriesAt(url: string): Promise<readonly string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return withoutApplication(text)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The tasks that an instance has at work, as it says itself. */
async function tasksAt(url: string): Promise<readonly string[]> {
  const { tasks } = (await (await fetch(`${url}/tasks`)).json()) as { readonly tasks: { readonly taskId: string }[] };
  return tasks.map(({ taskId }) => taskId).sort();
}

const valueIn = (line: string): number => Number(line.slice(line.lastIndexOf(' ') + 1));
const labelsIn = (lines: readonly string[], label: string): readonly string[] =>
  [...new Set(lines.flatMap((line) => new RegExp(`[{,]${label}="([^"]+)"`).exec(line)?.[1] ?? []))].sort();

/** Each series of a task, a partition or a statistic is at one instance: the one that has it. */
async function nothingOfOthers(t: ExecutionContext, urls: readonly string[], when: string): Promise<void> {
  const all = await Promise.all(urls.map(seriesAt));
  const owned = await Promise.all(urls.map(tasksAt));
  const seen = new Map<string, number>();
  for (const [i, lines] of all.entries()) {
    t.deepEqual(labelsIn(lines, 'task_id'), owned[i], `${when}: series of tasks at ${urls[i]}`);
    for (const line of lines)
      if (/^(grid_(?!park_size)|streams_consumer_|streams_task_.*task_id=)/.test(line)) {
        const series = line.slice(0, line.lastIndexOf(' '));
        seen.set(series, (seen.get(series) ?? 0) + 1);
      }
  }
  t.deepEqual(
    [...seen].flatMap(([series, count]) => (count > 1 ? [series] : [])),
    [],
    `${when}: series that two instances have`,
  );
  for (const type of ['ev_C', 'ev_K', 'ev_N']) t.is(seen.get(`grid_events{type_evt="${type}"}`), 1, when);
  t.is(seen.get('grid_unattached_events'), 1, when);
}

/** A sum over what the instances show. */
async function sumAt(urls: readonly string[], metric: string): Promise<number> {
  const lines = (await Promise.all(urls.map(seriesAt))).flat();
  return lines.filter((line) => line.startsWith(metric)).reduce((sum, line) => sum + valueIn(line), 0);
}

const named = ({ metric }: ScrapedSeries): string =>
  `${metric['__name__']}{${Object.entries(metric)
    .filter(([name]) => !['__name__', 'job'].includes(name))
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;

/** Steps of a series from one scrape to the next. */
function stepsOf({
  samples,
}: ScrapedSeries): readonly { readonly fromMs: number; readonly atMs: number; readonly step: number }[] {
  return samples
    .slice(1)
    .map(({ atMs, value }, i) => ({ fromMs: samples[i]!.atMs, atMs, step: value - samples[i]!.value }));
}

kafka.test(
  'a Prometheus that scrapes two instances sees no counter fall or jump, whoever takes over what, and no series of what an instance does not own',
  async (t) => {
    const data = await madeData({ days: 8, eventsPerDay, damage: 0, late: false, seed: 5, meters: 150 });
    const later = await mkdtemp(join(tmpdir(), 'weir-later-'));
    const files = (await readdir(`${data}/events`)).sort();
    for (const name of files.slice(4)) await rename(join(data, 'events', name), join(later, name));
    const brokers = kafka.server.bootstrap;
    const broker = kafka.connect({ bootstrapServers: [brokers] });
    const topic = newName('events');
    const produce = (): Promise<string> =>
      weir([
        ...['produce', '--brokers', brokers, '--topic', topic, '--events', `${data}/events`],
        ...['--partitions', String(partitions), '--dead', join(later, 'dead.jsonl')],
      ]);
    await produce();
    const application = new KafkaApplication({
      ...{ brokers, broker, applicationId: newName('app'), folder: later, topic },
      settings: ['session.timeout.ms=3000', 'heartbeat.interval.ms=300', 'commit.interval.ms=300'],
      words: ['--park-topic', `${topic}-park`],
    });
    t.teardown(() => application.end(t));
    const ports = [await freePort(), await freePort()] as const;
    const [a, b] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
    const start = async (instance: 0 | 1): Promise<void> => {
      await application.start(instance, ['--port', String(ports[instance])]).ready();
    };
    let prometheus: PrometheusServer;
    try {
      const flags = readCompose().services['prometheus']!.command!;
      prometheus = await PrometheusServer.start(flags, ...ports.map((port) => `127.0.0.1:${port}`));
    } catch (error) {
      if (!(error instanceof PartMissing)) throw error;
      skipWithout(t, error);
      return;
    }
    t.teardown(() => prometheus.stop());
    /** Times in which nobody has sent anything, and all was counted before. */
    const quiet: { readonly what: string; readonly fromMs: number; readonly toMs: number }[] = [];
    const quietly = async (what: string, work: () => Promise<void>): Promise<void> => {
      await application.caughtUp();
      await someScrapes();
      const fromMs = Date.now();
      await work();
      await application.caughtUp();
      await someScrapes();
      quiet.push({ what, fromMs, toMs: Date.now() });
    };
    const events = 'grid_events{';

    await start(0);
    await application.caughtUp();
    await until('all is shown', async () => (await sumAt([a], events)) === 4 * eventsPerDay);
    t.is(await sumAt([a], 'grid_unattached_events'), 4 * eventsPerDay, 'there is no park yet');
    await quietly('another instance starts, and takes over', () => start(1));
    await nothingOfOthers(t, [a, b], 'with two instances');
    t.is(await sumAt([a, b], events), 4 * eventsPerDay);
    t.true((await tasksAt(a)).length > 0 && (await tasksAt(b)).length > 0);

    for (const name of files.slice(4)) await rename(join(later, name), join(data, 'events', name));
    const sent = produce();
    await until(
      'it is at work',
      async () => (await sumAt([b], events)) + (await sumAt([a], events)) > 4 * eventsPerDay,
    );
    const killedMs = Date.now();
    await application.kill(0);
    await sent;
    await application.caughtUp();
    await until('the other has all', async () => (await sumAt([b], events)) === 8 * eventsPerDay);
    await quietly('the one that was killed starts again', () => start(0));
    await nothingOfOthers(t, [a, b], 'after a kill and a restart');
    t.is(await sumAt([a, b], events), 8 * eventsPerDay);
    t.is(await sumAt([a, b], 'grid_unattached_events'), 8 * eventsPerDay);

    await quietly('the park comes, and all events get their places', async () => {
      await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`, '--topic', `${topic}-park`]);
      await until('they have them', async () => (await sumAt([a, b], 'grid_unattached_events')) < eventsPerDay);
    });
    await nothingOfOthers(t, [a, b], 'after a correction of the park');
    await quietly('an instance ends in peace', async () => {
      t.is(await application.stop(1), 0);
    });
    t.is(await sumAt([a], events), 8 * eventsPerDay);

    const begun = await prometheus.scraped('process_start_time_seconds{job="weir"}');
    const beganIn = (instance: string, fromMs: number, toMs: number): boolean =>
      begun.some(
        ({ metric, samples }) =>
          metric['instance'] === instance &&
          samples.some(
            ({ value, atMs }, i) => i > 0 && atMs > fromMs && atMs <= toMs && value !== samples[i - 1]!.value,
          ),
      );
    const typed = (await prometheus.ask('metadata?limit=1000')) as Readonly<
      Record<string, readonly { type: string }[]>
    >;
    const isCounter = (name: string): boolean =>
      typed[name]?.[0]?.type === 'counter' ||
      typed[name.replace(/_(bucket|sum|count)$/, '')]?.[0]?.type === 'histogram';
    // The process's own metrics, which prom-client names, have gauges of such names.
    for (const name of Object.keys(typed))
      if (/^(grid|streams)_/.test(name))
        t.is(isCounter(name), name.endsWith('_total') || typed[name]![0]!.type === 'histogram', name);
    const counters = (await prometheus.scraped('{job="weir",__name__=~".+_(total|bucket|sum|count)"}')).filter(
      ({ metric }) => isCounter(metric['__name__']!),
    );
    t.true(counters.length > 100, `${counters.length} series`);
    const fallen = counters.flatMap((series) =>
      stepsOf(series)
        .filter(({ fromMs, atMs, step }) => step < 0 && !beganIn(series.metric['instance']!, fromMs, atMs))
        .map(({ step, atMs }) => `${named(series)} by ${step} at ${new Date(atMs).toISOString()}`),
    );
    t.deepEqual(fallen, []);

    // While nothing is sent nothing is read, so no counter of the topic's records moves, and no task that only reads it processes anything.
    const records = counters.filter(
      ({ metric }) =>
        (metric['__name__'] === 'streams_consumer_records_total' && metric['topic'] === topic) ||
        (/^streams_(task_records_(processed|dropped)_total|(dropped_)?record_\w+_count)$/.test(metric['__name__']!) &&
          metric['topology'] === '0'),
    );
    t.true(records.length >= 2 * partitions);
    const jumps = quiet.flatMap(({ what, fromMs, toMs }) =>
      records.flatMap((series) =>
        stepsOf(series)
          .filter(({ atMs, step }) => atMs > fromMs && atMs <= toMs && step > 0)
          .map(({ step }) => `${what}: ${named(series)} by ${step}`),
      ),
    );
    t.deepEqual(jumps, []);

    // What a Prometheus adds up of all instances and restarts: each event once, and those again that were not committed when one was killed.
    const read = counters.filter(
      ({ metric }) => metric['__name__'] === 'streams_consumer_records_total' && metric['topic'] === topic,
    );
    const increase = read.reduce(
      (sum, { samples }) =>
        sum +
        samples.reduce((all, { value }, i) => {
          const before = i === 0 ? 0 : samples[i - 1]!.value;
          return all + (value >= before ? value - before : value);
        }, 0),
      0,
    );
    t.log(
      `killed at ${new Date(killedMs).toISOString()}; ${increase} of ${8 * eventsPerDay} events as Prometheus adds them up`,
    );
    t.true(increase > 6 * eventsPerDay && increase <= 12 * eventsPerDay, `${increase}`);
  },
);
