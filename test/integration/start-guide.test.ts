import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { blocksOf, runProgram, writeBlocks } from '../docs/page-programs.ts';
import { type KafkaServer, startKafka } from '../helpers/kafka-broker.ts';
import { freePort, PartMissing, skipWithout } from '../helpers/parts.ts';
import { typescript } from '../helpers/typescript-child.ts';

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
  t.regex(await untilSaid(`http://${listen}${query![0]}`, /"value":\[/), /"value":\[[\d.]+,"7"\]/);
  service.kill('SIGTERM');
  t.deepEqual(await ended, [0, null]);
});
