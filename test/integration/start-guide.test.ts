import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import ts from 'typescript';
import { openKafkaBroker } from '../../src/index.ts';
import { fileNameOf } from '../docs/fenced-blocks.ts';
import { blocksOf, runProgram, writeBlocks } from '../docs/page-programs.ts';
import { type KafkaServer, startKafka } from '../helpers/kafka-broker.ts';
import { freePort, PartMissing, skipWithout } from '../helpers/parts.ts';
import { typescript } from '../helpers/typescript-child.ts';
import { PackedProject } from './helpers/packed-project.ts';

const page = 'docs/start.md';

/** What a reader types that begins so, with the places of this test in place of the page's. */
function typed(beginning: string, places: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  const lines = blocksOf(page, 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith(beginning));
  return lines.map((line) => {
    const there = Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), line);
    return there.slice(beginning.length).trim().replaceAll("'", '').split(' ');
  });
}

async function kafkaOrSkip(t: Parameters<typeof skipWithout>[0]): Promise<KafkaServer | undefined> {
  try {
    return await startKafka();
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  }
}

async function untilSaid(url: string, expected: RegExp): Promise<string> {
  for (;;) {
    const text = await fetch(url).then(
      (answer) => answer.text(),
      () => '',
    );
    if (expected.test(text)) return text;
    await delay(200);
  }
}

test('the second half of the guide to start goes as it says: Kafka, HTTP, and a metric in a real Prometheus', async (t) => {
  const kafka = await kafkaOrSkip(t);
  if (kafka === undefined) return;
  t.teardown(() => kafka.stop());
  const folder = writeBlocks(t, page);
  mkdirSync(join(folder, 'readings'));
  writeFileSync(join(folder, 'readings/march.csv'), blocksOf(page, 'csv')[0]!.text);
  const brokers = { 'localhost:9092': kafka.bootstrap };
  const [produce, run] = typed('node --import tsx main.ts', brokers);
  t.deepEqual([produce![0], run![0]], ['produce', 'run']);
  await runProgram(join(folder, 'main.ts'), produce!, folder);

  const port = await freePort();
  const words = [...typescript, join(folder, 'main.ts'), ...run!, '--port', String(port)];
  const service = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(service, 'exit');
  t.teardown(() => service.kill('SIGKILL'));
  const here = `127.0.0.1:${port}`;
  const [sums, metrics] = typed('curl -s localhost:8080', {}).map(([path]) => `http://${here}${path}`);
  const shown = blocksOf(page, 'text').at(-1)!.text;
  t.is(await untilSaid(sums!, /(.*\n){3}/), shown);
  await untilSaid(metrics!, /^streams_task_records_processed_total\{.*\} 7$/m);

  const sent = join(folder, 'send.ts');
  writeFileSync(sent, readFileSync(sent, 'utf8').replace('localhost:9092', kafka.bootstrap));
  await runProgram(sent, [], folder);
  await untilSaid(sums!, /"start":"2024-03-31T22:00:00.000Z".*"value":1500,/);

  const config = blocksOf(page, 'yaml')[0]!
    .text.replace('localhost:8080', here)
    .replace('interval: 5s', 'interval: 1s');
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const listen = `127.0.0.1:${await freePort()}`;
  const options = [...typed('prometheus', {})[0]!, `--web.listen-address=${listen}`, '--log.level=error'];
  const prometheus = spawn('prometheus', options, { cwd: folder, stdio: 'ignore' });
  const missing = await Promise.race([once(prometheus, 'spawn').then(() => undefined), once(prometheus, 'error')]);
  if (missing !== undefined) return skipWithout(t, new PartMissing('prometheus is not installed.'));
  t.teardown(async () => {
    prometheus.kill('SIGKILL');
    await once(prometheus, 'exit');
  });
  const [query] = typed("curl -s 'localhost:9090", {});
  t.regex(await untilSaid(`http://${listen}${query![0]}`, /"value":\[[\d.]+,"8"/), /"value":\[[\d.]+,"8"\]/);
  service.kill('SIGTERM');
  t.deepEqual(await ended, [0, null]);
});

/** Runs the service of docs/kafka.md at a broker. */
async function startService(
  t: ExecutionContext,
  kafka: KafkaServer,
): Promise<{ readonly service: ChildProcessByStdio<null, null, Readable>; readonly status: () => Promise<number> }> {
  const folder = writeBlocks(t, 'docs/kafka.md');
  const block = blocksOf('docs/kafka.md', 'ts').find(({ text }) => text.includes("'SIGTERM']"))!;
  const file = join(folder, fileNameOf(block));
  const port = String(await freePort());
  const program = readFileSync(file, 'utf8').replace('localhost:9092', kafka.bootstrap).replace('8080', port);
  writeFileSync(file, program);
  const service = spawn(process.execPath, [...typescript, file], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => service.kill('SIGKILL'));
  return { service, status: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status };
}

test('the service of docs/kafka.md ends with exit code 0 on a SIGTERM, while it starts and once it is ready, and with 1 on a failure, which it tells', async (t) => {
  const kafka = await kafkaOrSkip(t);
  if (kafka === undefined) return;
  t.teardown(() => kafka.stop());
  const failing = (await startService(t, kafka)).service;
  const said = text(failing.stderr);
  t.deepEqual(await once(failing, 'close'), [1, null]);
  t.regex(await said, /^StreamsError: .*readings[\s\S]*code: 'STREAMS_MISSING_SOURCE_TOPIC'/m);

  const broker = openKafkaBroker({ bootstrapServers: [kafka.bootstrap], clientId: 'guide' });
  t.teardown(() => broker.close());
  await broker.admin.createTopics([{ topic: 'readings', partitions: 1, replicationFactor: 1, configs: {} }]);
  for (const expected of [503, 200]) {
    const { service, status } = await startService(t, kafka);
    service.stderr.pipe(process.stderr);
    const ended = once(service, 'exit');
    while ((await status().catch(() => 0)) !== expected) await delay(20);
    service.kill('SIGTERM');
    t.deepEqual(await ended, [0, null], `at ${expected}`);
  }
});

test('the programs of the guide are sound to TypeScript 6 in a new project with its tsconfig.json, word by word', async (t) => {
  t.true(ts.version.startsWith('6.'));
  const project = await PackedProject.create(t);
  await project.run('npm', ['pkg', 'set', 'type=module']);
  const { devDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const [packages] = typed('npm install kafkajs', {});
  await project.install([
    `kafkajs${packages![0]}`,
    ...packages!.slice(1),
    `@types/node@${devDependencies['@types/node']}`,
  ]);
  for (const block of blocksOf(page, 'ts')) writeFileSync(join(project.folder, fileNameOf(block)), block.text);
  const config = blocksOf(page, 'json')[0]!.text;
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const found = async (tsconfig: string): Promise<string> => {
    writeFileSync(join(project.folder, 'tsconfig.json'), tsconfig);
    return project.run(process.execPath, [tsc]).catch((error) => (error as { stdout: string }).stdout);
  };
  t.is(await found(config), '');
  // The types of kafkajs, which this one imports, bring those of Node.
  rmSync(join(project.folder, 'send.ts'));
  t.regex(await found(config.replace('"types": ["node"],', '')), /Cannot find name 'process'/, 'the line is needed');
});
