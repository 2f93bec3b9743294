import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { ApplicationProgress } from '../../src/runtime/kafka/application-progress.ts';
import { changelogParts } from '../../src/runtime/kafka/changelog-parts.ts';
import { wholeTime } from '../../src/runtime/parts/store-part.ts';
import { countingProgram } from './fixtures/counting-instance.ts';
import { KafkaPart, newName, newProducer, newTopic, until } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '500' }, throughProxy: false });

type Version = 'older' | 'newer';

/** A process of the application. */
class Instance {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #states = '';
  told = '';

  constructor(t: ExecutionContext, version: Version, words: readonly string[]) {
    const program = ['--import=tsx', 'test/integration/fixtures/counting-instance.ts', version, ...words];
    this.#child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#states += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.told += text;
    });
    t.teardown(() => this.end('SIGKILL'));
  }

  async running(): Promise<void> {
    await until('it runs', () => {
      if (this.#child.exitCode !== null) throw new Error(`it has ended:\n${this.told}`);
      return this.#states.trimEnd().endsWith('RUNNING');
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#closed;
  }
}

/** Rows of a store, as its changelog has them: `key@start count`, sorted. */
async function rowsOf(broker: Broker, applicationId: string, store: string): Promise<string[]> {
  const spec = countingProgram('newer', ['events', 'other']).stores.find(({ name }) => name === store)!;
  const rows: string[] = [];
  for (const part of await changelogParts(broker, applicationId, spec))
    for await (const page of part.rows(wholeTime.fromMs, wholeTime.toMs))
      for (const { startMs, key, value } of page) {
        const at = spec.kind === 'window' ? `@${startMs}` : '';
        rows.push(`${spec.keySerde.deserialize(key)}${at} ${spec.valueSerde.deserialize(value.slice(8))}`);
      }
  return rows.sort();
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  kafka.test(
    `two instances get another program one after the other under load, ended by ${signal}: no row is lost or counted twice`,
    async (t) => {
      const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
      const [events, other] = [await newTopic(broker, 2), await newTopic(broker, 2)];
      const applicationId = newName('app');
      const folder = await mkdtemp(join(tmpdir(), 'weir-versions-'));
      t.teardown(() => rm(folder, { recursive: true, force: true }));
      const start = (i: number, version: Version): Instance =>
        new Instance(t, version, [kafka.server.bootstrap, applicationId, join(folder, `${i}`), events, other]);
      const producer = await newProducer(broker);
      let written = 0;
      let loading = true;
      const load = (async () => {
        while (loading) {
          for (let n = 0; n < 20; n++, written++) {
            const partition = written % 2;
            for (const topic of [events, other])
              producer.append(topic, partition, written, Buffer.from(`k${partition}`), Buffer.from('x'));
          }
          await producer.commit();
          await delay(20);
        }
      })();
      const instances = [start(0, 'older'), start(1, 'older')];
      await Promise.all(instances.map((instance) => instance.running()));
      await delay(500);
      for (const i of [1, 0]) {
        await instances[i]!.end(signal);
        instances[i] = start(i, 'newer');
        await instances[i]!.running();
        await delay(500);
      }
      loading = false;
      await load;
      const progress = new ApplicationProgress(broker.admin, countingProgram('newer', [events, other]), applicationId);
      await progress.untilCaughtUp(() => delay(100));
      await instances[0]!.running();
      const half = [Math.ceil(written / 2), Math.floor(written / 2)];
      t.deepEqual(await rowsOf(broker, applicationId, 'values'), [`x ${written}`]);
      t.deepEqual(await rowsOf(broker, applicationId, 'others'), [`k0 ${half[0]}`, `k1 ${half[1]}`]);
      const windows = new Map<string, number>();
      for (let n = 0; n < written; n++) {
        const window = `k${n % 2}@${1000 * Math.floor(n / 1000)}`;
        windows.set(window, (windows.get(window) ?? 0) + 1);
      }
      t.deepEqual(
        await rowsOf(broker, applicationId, 'windows'),
        [...windows].map(([window, count]) => `${window} ${count}`).sort(),
      );
      const [added] = (await rowsOf(broker, applicationId, 'added')).map((row) => Number(row.split(' ')[1]));
      t.true(added! > 0 && added! < written, `${added} of ${written}`);
      t.log(`${written} records; ${added} in the store that came`);
      // The first one took all tasks while the other was away: it was the only one that began the store.
      t.regex(instances[1]!.told, /store added is new .* starts empty/);
      for (const instance of instances) await instance.end('SIGTERM');
      await producer.close();
    },
  );
