import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { gridProgram } from '../../topologies/grid/program.ts';
import { readCompose, weirWordsOf } from '../deploy/compose-file.ts';
import { type KafkaServer, startKafka } from '../helpers/kafka-broker.ts';
import { freePort, PartMissing, skipWithout } from '../helpers/parts.ts';
import { madeData } from './helpers/made-data.ts';
import { PrometheusServer } from './helpers/prometheus-server.ts';
import { RunningWeir } from './helpers/running-weir.ts';
import { weir } from './helpers/weir.ts';

const compose = readCompose();
const prometheusFlags = compose.services['prometheus']!.command!;

interface Expression {
  readonly title: string;
  readonly expr: string;
}

/** Each once: both dashboards have some of them. */
const expressions: readonly Expression[] = [
  ...new Map(
    Object.values(dashboards).flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.type === 'row' ? [] : panel.targets.map(({ expr }) => [expr, { title: panel.title, expr }] as const),
      ),
    ),
  ).values(),
];
const overFiles = expressions.filter(({ title }) => !title.startsWith('Kafka: '));
const onKafka = expressions.filter(({ title }) => !title.startsWith('Files: '));

/** The expression as Grafana sends it, with what is chosen at the start of a dashboard. */
function sent({ expr }: Expression): string {
  return expr.replaceAll('$job', 'weir').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '15s');
}

/** Asks until each expression has had a result with a number, for so long; gives those that had none. */
async function withoutData(
  prometheus: PrometheusServer,
  asked: readonly Expression[],
  seconds: number,
): Promise<readonly string[]> {
  let left = asked;
  for (const end = Date.now() + seconds * 1000; left.length > 0 && Date.now() < end; await delay(500)) {
    const results = await Promise.all(left.map((expression) => prometheus.query(sent(expression))));
    left = left.filter((_, i) => !results[i]!.some(({ value }) => Number.isFinite(value)));
  }
  return left.map(({ title, expr }) => `${title}: ${expr}`);
}

/** Values that Grafana offers for a variable. */
async function offered(prometheus: PrometheusServer, name: string): Promise<unknown> {
  const { list } = dashboards['grid.json']!.templating;
  const { definition } = list.find((variable) => variable.name === name)!;
  return prometheus.offered(definition!, { application: 'grid', job: 'weir' });
}

/** Whether Prometheus could evaluate every alert, and which of them fire. */
async function alertsAt(prometheus: PrometheusServer): Promise<{ broken: string[]; firing: string[]; count: number }> {
  const { groups } = (await prometheus.ask('rules')) as {
    readonly groups: readonly { readonly rules: readonly { name: string; health: string; state: string }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const names = (matches: (rule: (typeof rules)[number]) => boolean): string[] =>
    rules.filter(matches).map(({ name }) => name);
  return {
    broken: names(({ health }) => health !== 'ok'),
    firing: names(({ state }) => state === 'firing'),
    count: rules.length,
  };
}

/** Appends the rows of a file to another one, a few at a time, until it is told to stop. */
async function trickle(from: string, to: string, signal: AbortSignal): Promise<void> {
  const rows = (await readFile(from, 'utf8')).split('\n').slice(1, -1);
  for (let i = 0; i < rows.length && !signal.aborted; i += 20) {
    await appendFile(to, `${rows.slice(i, i + 20).join('\n')}\n`);
    await delay(100);
  }
}

/** Data of which the last day's events are in a folder of their own: nobody reads them yet. */
async function dataWithAnotherDay(
  eventsPerDay: number,
  late: boolean,
): Promise<{ data: string; later: string; name: string }> {
  const data = await madeData({ days: 8, eventsPerDay, damage: 0.01, late, seed: 11 });
  const later = join(data, 'later');
  await mkdir(later);
  const name = (await readdir(join(data, 'events'))).sort().at(-1)!;
  await rename(join(data, 'events', name), join(later, name));
  return { data, later, name };
}

test.serial('promtool finds no fault with the configuration and the alerts, and the tests of the alerts pass', (t) => {
  if (spawnSync('promtool', ['--version']).status !== 0) {
    skipWithout(t, new PartMissing('promtool is not installed: apt-get install prometheus.'));
    return;
  }
  for (const args of [
    ['check', 'config', 'grafana/prometheus/prometheus.yml'],
    ['check', 'rules', 'grafana/prometheus/rules.yml'],
    ['test', 'rules', 'grafana/prometheus/rules.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    t.is(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  }
});

/** Starts a Prometheus for a test, or says that there is none. */
async function prometheusFor(t: ExecutionContext, target: string): Promise<PrometheusServer | undefined> {
  try {
    return await PrometheusServer.start(prometheusFlags, target);
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  }
}

test.serial('each expression of the dashboards that is not of Kafka has data while a folder is followed', async (t) => {
  const { data, later, name } = await dataWithAnotherDay(2000, true);
  const folders = ['--events', `${data}/events`, '--park', `${data}/park`, '--state', `${data}/state`];
  const replay = new RunningWeir(['replay', ...folders, '--follow', '--serve', '--port', '0']);
  const enough = new AbortController();
  let trickling: Promise<void> | undefined;
  let prometheus: PrometheusServer | undefined;
  try {
    const url = await replay.ready();
    prometheus = await prometheusFor(t, new URL(url).host);
    if (prometheus === undefined) return;
    const header = (await readFile(join(later, name), 'utf8')).split('\n')[0]!;
    await writeFile(join(data, 'events', name), `${header}\n`);
    trickling = trickle(join(later, name), join(data, 'events', name), enough.signal);
    t.true(overFiles.length >= 30);
    t.deepEqual(await withoutData(prometheus, overFiles, 60), []);
    t.deepEqual(await offered(prometheus, 'application'), ['grid']);
    t.deepEqual(await offered(prometheus, 'job'), ['weir']);
    t.deepEqual(await offered(prometheus, 'instance'), [new URL(url).host]);
    const { broken, count } = await alertsAt(prometheus);
    t.deepEqual(broken, []);
    t.true(count >= 10);
  } finally {
    enough.abort();
    await trickling;
    await prometheus?.stop();
    await replay.stop();
  }
});

/** A broker for a test, or a word that there is none. */
async function brokerFor(t: ExecutionContext): Promise<KafkaServer | undefined> {
  try {
    return await startKafka();
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  }
}

/** The command of the compose file that makes the topic, for a broker elsewhere. */
async function makeTopic(kafka: KafkaServer): Promise<void> {
  const args = compose.services['topics']!.command!.slice(1);
  const here = args.map((arg) => arg.replace('kafka:9092', kafka.bootstrap));
  await kafka.tool('org.apache.kafka.tools.TopicCommand', here);
}

test.serial(
  'a real broker knows each setting that the compose file gives it, and makes the topic twice without complaint',
  async (t) => {
    const kafka = await brokerFor(t);
    if (kafka === undefined) return;
    try {
      const described = await kafka.tool('kafka.admin.ConfigCommand', [
        ...[
          '--bootstrap-server',
          kafka.bootstrap,
          '--describe',
          '--all',
          '--entity-type',
          'brokers',
          '--entity-name',
          '1',
        ],
      ]);
      const known = new Set([...described.matchAll(/^ {2}([a-z0-9.]+)=/gm)].map(([, name]) => name));
      const variables = Object.keys(compose.services['kafka']!.environment!).filter((name) =>
        name.startsWith('KAFKA_'),
      );
      t.true(known.size > 200 && variables.length > 10);
      for (const variable of variables) {
        const setting = variable.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.');
        t.true(known.has(setting), setting);
      }
      await makeTopic(kafka);
      await makeTopic(kafka);
      const topic = await kafka.tool('org.apache.kafka.tools.TopicCommand', [
        ...['--bootstrap-server', kafka.bootstrap, '--describe', '--topic', 'grid-events'],
      ]);
      t.regex(topic, /PartitionCount: 2\b/);
      for (const setting of ['retention.ms=-1', 'message.timestamp.after.max.ms=9223372036854775807']) {
        t.true(topic.includes(setting), topic);
      }
    } finally {
      await kafka.stop();
    }
  },
);

/** Waits until an instance has processed what its topics hold. */
async function caughtUp(url: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await delay(100)) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const lags = [...metrics.matchAll(/^streams_consumer_lag_records\{.*\} (\S+)$/gm)].map(([, lag]) => Number(lag));
    if (lags.length > 0 && lags.every((lag) => lag === 0)) return;
  }
  throw new Error(`${url} does not catch up`);
}

/** The words of a service of the compose file, its names and paths led elsewhere. */
function wordsFor(service: string, places: Readonly<Record<string, string>>): readonly string[] {
  return weirWordsOf(compose.services[service]!)!.map((word) => {
    const [option, value] = word.split(/=(.*)/);
    return value === undefined || places[option!] === undefined ? word : `${option}=${places[option!]}`;
  });
}

// Both commands must be there; test/deploy/compose.test.ts fails as long as they are not.
const commands = new Set(gridProgram.commands.map(({ name }) => name));
if (commands.has('produce') && commands.has('run')) {
  test.serial(
    'every expression of the dashboards has data while events flow through a real Kafka, with the commands of the compose file',
    async (t) => {
      const kafka = await brokerFor(t);
      if (kafka === undefined) return;
      const running: RunningWeir[] = [];
      let prometheus: PrometheusServer | undefined;
      try {
        await makeTopic(kafka);
        // In order: rows that are hours early hold up those behind them for minutes.
        const { data, later, name } = await dataWithAnotherDay(17_280, false);
        const port = await freePort();
        const produced = { '--brokers': kafka.bootstrap, '--events': `${data}/events`, '--dead': `${data}/dead.jsonl` };
        const words = wordsFor('produce', produced);
        // At once, and to its end: the dashboards show days that are over.
        await weir(words.filter((word) => !/^--(follow|speed)/.test(word)));
        const places = { '--brokers': kafka.bootstrap, '--state': `${data}/state`, '--park': `${data}/park` };
        const own = { '--port': String(port), '--host': '127.0.0.1' };
        const run = new RunningWeir(wordsFor('run', { ...places, ...own }), {
          WEIR_APPLICATION_SERVER: `127.0.0.1:${port}`,
        });
        running.push(run);
        const url = await run.ready();
        t.is(url, `http://127.0.0.1:${port}`);
        // The damage of the days that are over is no alarm: Prometheus comes after it.
        await caughtUp(url);
        prometheus = await prometheusFor(t, `127.0.0.1:${port}`);
        if (prometheus === undefined) return;
        await rename(join(later, name), join(data, 'events', name));
        running.push(new RunningWeir(words));
        t.true(onKafka.length > overFiles.length);
        t.deepEqual(await withoutData(prometheus, onKafka, 120), []);
        const { broken, firing } = await alertsAt(prometheus);
        t.deepEqual(broken, []);
        t.deepEqual(firing, []);
        for (const each of running.toReversed()) t.is(await each.stop(), 0);
      } finally {
        for (const each of running) await each.stop();
        await prometheus?.stop();
        await kafka.stop();
      }
    },
  );
}
