import test from 'ava';
import type { Application } from '../../src/cli/application.ts';
import type { CommandContext } from '../../src/cli/command-spec.ts';
import { prepareTables } from '../../src/cli/run-tables.ts';
import type { Broker } from '../../src/clients/broker.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { Serdes } from '../../src/index.ts';
import { writeHistoryTopic } from '../../src/runtime/kafka/history-topic.ts';
import { historiesOf } from '../runtime/kafka/histories-of.ts';

const tables = [{ store: 'names', topic: 'names', directory: 'names.csv' }];

/** An application whose table has three rows, and how often each of its loads began. */
function application(): { readonly app: Application; readonly begun: string[] } {
  const begun: string[] = [];
  const app: Pick<Application, 'writeTable'> = {
    async writeTable(broker, { topic, directory }) {
      begun.push(directory);
      const histories = ['a', 'b', 'c'].map((key) => [key, [{ validFromMs: 0, value: key }]] as const);
      const { added } = await writeHistoryTopic(broker, {
        topic,
        histories: historiesOf(histories),
        keySerde: Serdes.string,
        valueSerde: Serdes.string,
      });
      return added;
    },
  };
  return { app: app as Application, begun };
}

function prepare(app: Application, broker: Broker, signal = new AbortController().signal): Promise<void> {
  const context = { config: loadConfig({ env: {} }), logger: silentLogger, signal } as CommandContext;
  return prepareTables(app, broker, tables, {} as Parameters<typeof prepareTables>[3], context);
}

test('of instances that start together one loads an empty table, and the others wait for it', async (t) => {
  const cluster = new MemoryCluster();
  const { app, begun } = application();
  const brokers = Array.from({ length: 4 }, () => cluster.connect({ latencyMs: () => 5 }));
  await Promise.all(brokers.map((broker) => prepare(app, broker)));
  t.true(begun.length > 1, 'several have found it empty');
  const keys = cluster.read('names', 0).map(({ key }) => Buffer.from(key!).toString());
  t.deepEqual(keys.sort(), ['a', 'b', 'c']);
  await Promise.all(brokers.map((broker) => broker.close()));
});

test('a table that has rows is left as it is', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('names', 1);
  cluster.write('names', 0, [{ key: 'x', value: 'y' }]);
  const { app, begun } = application();
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  await prepare(app, broker);
  t.deepEqual(begun, []);
  t.is(cluster.read('names', 0).length, 1);
});

test('who waits for the load of another can be stopped', async (t) => {
  const broker = new MemoryCluster().connect();
  t.teardown(() => broker.close());
  const overtaken: Pick<Application, 'writeTable'> = {
    writeTable: () => Promise.reject(new StreamsError('STREAMS_TASK_MIGRATED', 'another load has begun.')),
  };
  const stop = new AbortController();
  const prepared = prepare(overtaken as Application, broker, stop.signal);
  setTimeout(() => stop.abort(), 50);
  // Stopped before it waits, it is the signal's own reason: a DOMException, which is no native error.
  await t.throwsAsync(prepared, { any: true, name: 'AbortError' });
});

test('a load that fails for another reason fails the start', async (t) => {
  const broker = new MemoryCluster().connect();
  t.teardown(() => broker.close());
  const broken: Pick<Application, 'writeTable'> = {
    writeTable: () => Promise.reject(new StreamsError('STREAMS_USAGE', 'names.csv is no table.')),
  };
  await t.throwsAsync(prepare(broken as Application, broker), { code: 'STREAMS_USAGE' });
});
