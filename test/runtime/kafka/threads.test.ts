import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { KafkaStreams, type ReadOnlyKeyValueStore, StreamsError, type UncaughtResponse } from '../../../src/index.ts';
import { drained, messages, newClient, sleep, startClient, stop, until } from './kit.ts';
import { type Threaded, threadedClient } from './threaded.ts';
import { copies, counts, windowedCounts } from './topologies.ts';

function clusterOf(partitions: number, options: ConstructorParameters<typeof MemoryCluster>[0] = {}): MemoryCluster {
  const cluster = new MemoryCluster(options);
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

const partitions = 6;

/** Each of 60 keys once in each round, in the partition that Kafka's own clients choose. */
function write(cluster: MemoryCluster, rounds: number, client: Threaded): void {
  for (let i = 0; i < 60; i++) {
    const key = `k${i}`;
    const { partition } = client.streams.queryMetadataForKey('counts', key);
    cluster.write(
      'in',
      partition,
      Array.from({ length: rounds }, () => ({ key, value: 'x', timestamp: 1 })),
    );
  }
}

const running = ({ streams }: Threaded): Promise<void> =>
  until(() => streams.state === 'RUNNING', `the client is RUNNING, not ${streams.state}`);

async function start(t: ExecutionContext, cluster: MemoryCluster, ...more: ThreadedMore): Promise<Threaded> {
  const client = threadedClient(t, cluster, ...more);
  await client.streams.start();
  await running(client);
  return client;
}
type ThreadedMore = Parameters<typeof threadedClient> extends [unknown, unknown, ...infer Rest] ? Rest : never;

/** The counts of all keys, in whichever thread they are. */
async function rows({ streams }: Threaded): Promise<ReadonlyMap<string, number>> {
  for (;;)
    try {
      const store = streams.store('counts') as ReadOnlyKeyValueStore<string, number>;
      const found = new Map<string, number>();
      for await (const { key, value } of store.all()) found.set(key, value);
      return found;
    } catch (error) {
      if (!StreamsError.is(error) || error.code !== 'STREAMS_TASK_MIGRATED') throw error;
      await sleep(5);
    }
}

async function counted(t: ExecutionContext, client: Threaded, each: number): Promise<void> {
  await until(async () => {
    const found = await rows(client);
    return found.size === 60 && [...found.values()].every((n) => n === each);
  }, `each of 60 keys counts ${each}`);
  t.is(
    [...(await rows(client)).values()].reduce((sum, n) => sum + n, 0),
    60 * each,
  );
}

const activeByThread = ({ streams }: Threaded): readonly number[] =>
  streams.kafkaStats().threads.map(({ active }) => active);

async function membersOf(cluster: MemoryCluster): Promise<number> {
  const broker = cluster.connect();
  const { members } = await broker.admin.describeGroup('app');
  await broker.close();
  return members.length;
}

test('three threads share six tasks, and are one instance to whoever asks', async (t) => {
  const cluster = clusterOf(partitions);
  const client = await start(t, cluster, counts, { numStreamThreads: 3 });
  const { streams } = client;
  await until(() => activeByThread(client).join() === '2,2,2', 'each has two tasks');
  write(cluster, 3, client);
  await counted(t, client, 3);
  const store = streams.store('counts') as ReadOnlyKeyValueStore<string, number>;
  for (const i of [0, 17, 59]) t.is((await store.get(`k${i}`))?.value, 3);
  t.is(await store.get('none'), undefined);
  await until(() => Object.values(streams.stats().work).reduce((n, { processed }) => n + processed, 0) === 180, 'told');
  t.is(
    Object.values(streams.kafkaStats().consumed).reduce((sum, n) => sum + n, 0),
    180,
  );
  const { tasks, threads, instances } = streams.kafkaStats();
  t.deepEqual(tasks.map(({ taskId }) => taskId).sort(), ['0_0', '0_1', '0_2', '0_3', '0_4', '0_5']);
  t.deepEqual(
    threads.map(({ name }) => name),
    streams.threadNames(),
  );
  for (const { name, active } of threads) t.is(tasks.filter(({ thread }) => thread === name).length, active);
  t.deepEqual(
    instances.map(({ own, active }) => [own, [...active].sort()]),
    [[true, ['0_0', '0_1', '0_2', '0_3', '0_4', '0_5']]],
  );
  for (let partition = 0; partition < partitions; partition++) t.is(streams.ownerOf(`0_${partition}`), 'local');
  // The memory for caches is one for all.
  t.deepEqual(
    client.given.map(({ options }) => options.statestoreCacheMaxBytes),
    [33_554_432, 22_369_621],
  );
  await streams.close();
  t.is(streams.state, 'NOT_RUNNING');
  t.is(await membersOf(cluster), 0);
});

test('a thread that is added takes tasks of the others; one that is removed gives them back, and its counters stay', async (t) => {
  const cluster = clusterOf(partitions);
  const client = threadedClient(t, cluster, counts);
  const { streams } = client;
  t.is(streams.addStreamThread(), undefined, 'it is not started');
  t.is(await streams.removeStreamThread(), undefined);
  await streams.start();
  await running(client);
  write(cluster, 1, client);
  await counted(t, client, 1);
  t.deepEqual(activeByThread(client), [6]);
  const [first] = streams.threadNames();
  const second = streams.addStreamThread()!;
  t.is(second, first!.replace(/1$/, '2'));
  t.deepEqual(streams.threadNames(), [first!, second]);
  t.is(streams.state, 'RUNNING');
  await until(() => activeByThread(client).join() === '3,3' && streams.state === 'RUNNING', 'they share the tasks');
  write(cluster, 1, client);
  await counted(t, client, 2);
  const third = streams.addStreamThread()!;
  t.is(third, first!.replace(/1$/, '3'));
  await until(() => activeByThread(client).join() === '2,2,2' && streams.state === 'RUNNING', 'so do three');
  write(cluster, 1, client);
  await counted(t, client, 3);
  const processed = (): number => Object.values(streams.stats().work).reduce((n, each) => n + each.processed, 0);
  await until(() => processed() === 180, 'all is told');
  t.is(await streams.removeStreamThread(), third);
  t.is(await membersOf(cluster), 2);
  t.is(processed(), 180);
  await until(() => activeByThread(client).join() === '3,3', 'the others have its tasks');
  t.is(await streams.removeStreamThread(), second);
  t.is(await streams.removeStreamThread(), undefined, 'the first one stays');
  await until(() => activeByThread(client).join() === '6', 'the first one has all');
  write(cluster, 1, client);
  await counted(t, client, 4);
  t.is(processed(), 240);
  t.is(streams.addStreamThread(), second, 'a number is given again');
  await streams.close();
  t.is(streams.addStreamThread(), undefined, 'it has ended');
});

test('a thread that fails is replaced where the handler says so, and nothing is counted twice', async (t) => {
  const cluster = clusterOf(partitions);
  let left = 2;
  const topology = () =>
    copies((_key, value) => {
      if (value === 'poison' && left-- > 0) throw new StreamsError('STREAMS_FILE', 'poisoned', { file: 'a.csv' });
    });
  const more = { numStreamThreads: 3, uncaughtHandler: (): UncaughtResponse => 'replace-thread' };
  const client = await start(t, cluster, topology, more);
  const names = client.streams.threadNames();
  // Whoever has it, the first thread or a further one.
  const mine = client.streams.kafkaStats().tasks.find(({ thread }) => thread === names[2])!.taskId;
  const partition = Number(mine.slice(2));
  cluster.write('in', partition, [
    { key: 'a', value: '1' },
    { key: 'b', value: 'poison' },
    { key: 'c', value: '3' },
  ]);
  await drained(cluster, topology());
  await running(client);
  t.deepEqual(messages(cluster, 'out', partitions).sort(), ['a=1', 'b=poison', 'c=3']);
  t.is(client.uncaught.length, 2);
  for (const error of client.uncaught as StreamsError[]) {
    t.true(StreamsError.is(error));
    t.is(error.code, 'STREAMS_FILE');
    t.like(error.details, { file: 'a.csv' });
  }
  await until(() => client.streams.threadNames().length === 3, 'there are three again');
  t.deepEqual([...client.streams.threadNames()].sort(), [...names].sort());
  t.true((client.streams.stats().errors['STREAMS_FILE'] ?? 0) >= 2);
});

for (const [response, others] of [
  ['shutdown-client', 'RUNNING'],
  ['shutdown-application', 'ERROR'],
] as const satisfies readonly (readonly [UncaughtResponse, string])[])
  test(`what fails in a further thread ends the client with ${response}`, async (t) => {
    const cluster = clusterOf(partitions);
    const poisoned = () =>
      copies((_key, value) => {
        if (value === 'poison') throw new Error('poisoned');
      });
    const more = { numStreamThreads: 3, uncaughtHandler: (): UncaughtResponse => response };
    const client = await start(t, cluster, poisoned, more);
    const other = await startClient(t, cluster, copies());
    await running(client);
    const last = client.streams.threadNames()[2];
    await until(() => client.streams.kafkaStats().tasks.some(({ thread }) => thread === last), 'it has tasks');
    const mine = client.streams.kafkaStats().tasks.find(({ thread }) => thread === last)!.taskId;
    cluster.write('in', Number(mine.slice(2)), [{ key: 'a', value: 'poison' }]);
    await client.streams.untilEnded();
    t.is(client.streams.state, 'ERROR');
    t.regex(String((client.streams.failure as Error).message), /poisoned/);
    await client.streams.close();
    t.deepEqual(client.streams.threadNames().length, 1);
    await until(() => other.streams.state === others, `the other instance is ${others}`);
    if (others === 'RUNNING') {
      await until(() => other.streams.kafkaStats().tasks.length === partitions, 'it has all tasks');
      t.is(await membersOf(cluster), 1);
    }
    await stop(other);
  });

test('all threads pause, those that are added too', async (t) => {
  const cluster = clusterOf(partitions);
  const client = await start(t, cluster, counts, { numStreamThreads: 2 });
  client.streams.pause();
  t.true(client.streams.isPaused);
  client.streams.addStreamThread();
  await until(() => activeByThread(client).join() === '2,2,2', 'three share the tasks');
  await running(client);
  write(cluster, 1, client);
  const lag = (): number =>
    client.streams
      .kafkaStats()
      .tasks.reduce((all, { inputs }) => all + inputs.reduce((sum, each) => sum + each.lag, 0), 0);
  await until(() => lag() === 60, 'all of it waits');
  t.is((await rows(client)).size, 0);
  client.streams.resume();
  await counted(t, client, 1);
});

test('threads of a named instance have its name and a number, and keep their places when it closes', async (t) => {
  const cluster = clusterOf(partitions);
  const client = await start(t, cluster, counts, { numStreamThreads: 2, groupInstanceId: 'node' });
  t.deepEqual(client.streams.threadNames(), ['app-node-StreamThread-1', 'app-node-StreamThread-2']);
  t.is(client.given[0]!.options.groupInstanceId, 'node-2');
  client.streams.addStreamThread();
  await until(() => activeByThread(client).join() === '2,2,2', 'three share the tasks');
  t.is(await client.streams.removeStreamThread(), 'app-node-StreamThread-3');
  t.is(await membersOf(cluster), 2, 'one that is removed leaves, with a name too');
  await client.streams.close();
  t.is(await membersOf(cluster), 2);
});

test('a long range of a further thread is read to its end, in part, and not beyond its task', async (t) => {
  const cluster = clusterOf(2);
  const client = await start(t, cluster, windowedCounts, { numStreamThreads: 2 });
  const other = client.streams.kafkaStats().tasks.find(({ thread }) => thread === client.streams.threadNames()[1])!;
  const partition = Number(other.taskId.slice(2));
  const keys = Array.from({ length: 9000 }, (_, i) => `a key of some length, number ${i}`);
  cluster.write(
    'in',
    partition,
    keys.map((key) => ({ key, value: 'x', timestamp: 1 })),
  );
  await drained(cluster, windowedCounts());
  // What is committed may not be in the store yet, and a thread tells of its stores from time to time.
  const rowsFound = async (): Promise<number> => {
    let found = 0;
    for await (const page of client.streams.partOf('counts', partition)?.rows(0, 10) ?? []) found += page.length;
    return found;
  };
  await until(async () => (await rowsFound()) === 9000, 'all rows are found');
  const part = client.streams.partOf('counts', partition)!;
  for await (const page of part.rows(0, 10)) {
    t.true(page.length < 9000);
    break;
  }
  const range = part.rows(0, 10);
  const iterator = range[Symbol.asyncIterator]();
  t.true((await iterator.next()).value.length > 0);
  await client.streams.removeStreamThread();
  const read = async (): Promise<void> => {
    while (!(await iterator.next()).done);
  };
  const error = await t.throwsAsync(read, { code: 'STREAMS_TASK_MIGRATED' });
  t.true((error as StreamsError).retriable);
  await t.throwsAsync(part.get(0, new Uint8Array(1)), { code: 'STREAMS_TASK_MIGRATED' });
});

test('logs and restores of a further thread are told to the client', async (t) => {
  const cluster = clusterOf(2);
  const first = await startClient(t, cluster, counts());
  for (const partition of [0, 1]) cluster.write('in', partition, [{ key: 'a', value: 'x', timestamp: 1 }]);
  await drained(cluster, counts());
  await stop(first);
  const logs: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  const log = (fields: object, message: string): void => {
    logs.push({ fields: fields as Readonly<Record<string, unknown>>, message });
  };
  const restored: string[] = [];
  const client = await start(t, cluster, counts, {
    numStreamThreads: 2,
    logger: { debug: log, info: log, warn: log, error: log },
    restoreListener: { onRestoreEnd: ({ taskId }) => restored.push(taskId) },
  });
  await until(() => new Set(restored).size === 2, 'both restores are told');
  t.deepEqual([...new Set(restored)].sort(), ['0_0', '0_1']);
  const name = client.streams.threadNames()[1];
  t.true(logs.some(({ fields, message }) => fields['thread'] === name && message === 'tasks assigned'));
});

test('a thread that cannot start is told with why', async (t) => {
  const cluster = clusterOf(2);
  let left = 1;
  const topology = () => {
    if (left-- > 0) return counts();
    throw new StreamsError('STREAMS_USAGE', 'no more of them');
  };
  const client = threadedClient(t, cluster, topology, { numStreamThreads: 2, uncaughtHandler: () => 'replace-thread' });
  await client.streams.start();
  await client.streams.untilEnded();
  t.is((client.streams.failure as StreamsError).code, 'STREAMS_USAGE');
  t.is(client.given.length, 1, 'it is not tried again');
});

test('an instance with threads that is closed while it starts has ended, with all of them', async (t) => {
  for (const afterMs of [0, 2, 5, 10, 20, 40]) {
    const cluster = clusterOf(partitions);
    const client = threadedClient(t, cluster, counts, { numStreamThreads: 3 });
    const started = client.streams.start().catch((error: unknown) => {
      t.is((error as StreamsError).code, 'STREAMS_CLOSED');
    });
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await client.streams.close();
    await started;
    t.is(client.streams.state, 'NOT_RUNNING', `${afterMs} ms after the start`);
    t.is(await membersOf(cluster), 0);
  }
});

test('more threads than one need a module, and are told how', async (t) => {
  const cluster = clusterOf(1);
  t.throws(() => newClient(t, cluster, counts(), { numStreamThreads: 2 }), {
    code: 'STREAMS_CONFIG',
    message: /numStreamThreads is 2.*KafkaStreams\.fromModule\(new URL/,
  });
  t.throws(() => newClient(t, cluster, counts(), { numStreamThreads: 0 }), { instanceOf: RangeError });
  const client = await startClient(t, cluster, counts(), { numStreamThreads: 1 });
  t.throws(() => client.streams.addStreamThread(), { code: 'STREAMS_CONFIG', message: /fromModule/ });
  t.is(await client.streams.removeStreamThread(), undefined);
  t.is(client.streams.threadNames().length, 1);
});

test('a module that is none, or gives something else, is refused', async (t) => {
  const module = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const made = (code: string, more: object = {}): Promise<KafkaStreams> =>
    KafkaStreams.fromModule(module(code), { applicationId: 'a', bootstrapServers: ['localhost:1'], ...more });
  await t.throwsAsync(made('export default 1'), { instanceOf: TypeError, message: /exports no topology.*: default/ });
  await t.throwsAsync(made('export const topology = () => 5'), { instanceOf: TypeError, message: /no topology/ });
  await t.throwsAsync(made('throw new Error("at once")'), { code: 'STREAMS_CONFIG', message: /at once.*new URL/ });
  await t.throwsAsync(KafkaStreams.fromModule('file:///nowhere.js', { applicationId: 'a' }), {
    code: 'STREAMS_CONFIG',
  });
  const good = 'export const topology = { nodes: [] };';
  await t.throwsAsync(made(`${good} export const options = { brocker: {} }`), { message: /no option brocker.*broker/ });
  await t.throwsAsync(made(good, { processingHandler: () => 'fail' }), {
    instanceOf: TypeError,
    message: /processingHandler cannot be given to other threads.*export const options/,
  });
  await t.throwsAsync(made(good, { bootstrapServers: undefined }), { message: /bootstrapServers, or a module/ });
  await t.throwsAsync(made(good, { numStreamThread: 2 }), { message: /numStreamThreads/ });
});

test('a client that may take as long as it likes to close makes its last commits, in all threads', async (t) => {
  const warnings: string[] = [];
  const warned = ({ name }: Error): unknown => warnings.push(name);
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 31 - 1]) {
    const cluster = clusterOf(partitions);
    const client = await start(t, cluster, counts, { numStreamThreads: 3, commitIntervalMs: 60_000 });
    await until(() => activeByThread(client).join() === '2,2,2', 'each has two tasks');
    write(cluster, 1, client);
    const processed = (): number =>
      Object.values(client.streams.stats().work).reduce((n, each) => n + each.processed, 0);
    await until(() => processed() === 60, 'all is taken');
    t.is(client.streams.stats().committedRows, 0);
    await client.streams.removeStreamThread({ timeoutMs });
    await client.streams.close({ timeoutMs });
    const broker = cluster.connect();
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 'in', partition }));
    const committed = await broker.admin.committed('app', all);
    t.is(
      committed.reduce((sum, of) => sum + (of?.offset ?? 0), 0),
      60,
    );
    await broker.close();
  }
  t.deepEqual(warnings, []);
});
