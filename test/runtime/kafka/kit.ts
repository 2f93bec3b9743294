import type { ExecutionContext } from 'ava';
import type { Broker } from '../../../src/clients/broker.ts';
import type { MemoryCluster, MemoryConnectOptions } from '../../../src/clients/memory/memory-broker.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { StoreSpec } from '../../../src/processor/node.ts';
import { digestOf } from '../../../src/runtime/digest.ts';
import type { StreamsState } from '../../../src/runtime/engine-stats.ts';
import { changelogParts } from '../../../src/runtime/kafka/changelog-parts.ts';
import type { KafkaStreamsOptions } from '../../../src/runtime/kafka/kafka-options.ts';
import { KafkaStreams } from '../../../src/runtime/kafka/kafka-streams.ts';
import { localPart } from '../../../src/runtime/parts/local-part.ts';
import { type StorePart, wholeTime } from '../../../src/runtime/parts/store-part.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { Disk } from './disk.ts';

export const app = 'app';

/** One instance of the application under test. */
export interface TestClient {
  readonly streams: KafkaStreams;
  readonly broker: Broker;
  readonly disk: Disk;
  /** States in the order in which the listener was told. */
  readonly states: StreamsState[];
  /** What the uncaught handler was asked about. */
  readonly uncaught: unknown[];
}

export interface ClientOptions extends Partial<Omit<KafkaStreamsOptions, 'broker'>> {
  readonly disk?: Disk;
  readonly connect?: MemoryConnectOptions;
}

/** What a test promises to end: its `t`. */
export type Cleanup = Pick<ExecutionContext, 'teardown'>;

/** Of those who end their instances themselves, in a `finally`: there are too many to be kept until the test ends. */
export const byItself: Cleanup = { teardown: () => {} };

/** Those that ended without a word: nothing of them may be asked to end in order. */
const killed = new WeakSet<TestClient>();

/**
 * An instance that is not started yet, and ends with its test. Intervals are short, so that tests are; sessions are not, so that no member is lost on a busy machine:
 * who wants one to be lost ends its session.
 */
export function newClient(
  t: Cleanup,
  cluster: MemoryCluster,
  topology: Topology,
  options: ClientOptions = {},
): TestClient {
  const { disk = new Disk(), connect, uncaughtHandler, ...rest } = options;
  const broker = cluster.connect(connect);
  const uncaught: unknown[] = [];
  const streams = new KafkaStreams(topology, {
    broker,
    applicationId: app,
    stateDir: disk.stateDir,
    openDatabase: disk.openDatabase,
    commitIntervalMs: 10,
    sessionTimeoutMs: 30_000,
    heartbeatIntervalMs: 50,
    rebalanceTimeoutMs: 30_000,
    logger: silentLogger,
    ...rest,
    uncaughtHandler: (error) => {
      uncaught.push(error);
      return uncaughtHandler?.(error) ?? 'shutdown-client';
    },
  });
  const states: StreamsState[] = [streams.state];
  streams.onStateChange((state) => states.push(state));
  const client = { streams, broker, disk, states, uncaught };
  t.teardown(async () => {
    if (killed.has(client)) return;
    // A test may have left it where it reaches nobody.
    cluster.resume(broker);
    await stop(client);
  });
  return client;
}

/** An instance that has started, and has its tasks. */
export async function startClient(
  t: Cleanup,
  cluster: MemoryCluster,
  topology: Topology,
  options: ClientOptions = {},
): Promise<TestClient> {
  const client = newClient(t, cluster, topology, options);
  await client.streams.start();
  await running(client);
  return client;
}

export const running = (client: TestClient): Promise<void> =>
  until(() => client.streams.state === 'RUNNING', `the client is RUNNING, not ${client.streams.state}`);

/** Ends an instance as a user would. */
export async function stop(...clients: readonly TestClient[]): Promise<void> {
  await Promise.all(
    clients.map(async ({ streams, broker }) => {
      await streams.close();
      await broker.close();
    }),
  );
}

/** Ends an instance as kill -9 does: what it has sent is sent, what it has written is written, and no word more. Its session is over too, unless it is to come back within it. */
export function kill(cluster: MemoryCluster, client: TestClient, sessionEnds = true): void {
  const { streams, broker, disk } = client;
  killed.add(client);
  cluster.pause(broker);
  if (sessionEnds) cluster.endSessions(broker);
  disk.kill();
  void broker.close();
  // Only so that its timers end: neither broker nor disk hear of it.
  streams.close().catch(() => {});
}

/** Waits until something holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`after ${timeoutMs} ms it does not hold that ${what}`);
    await sleep(2);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** All input partitions of the application's tasks. */
export async function inputsOf(
  admin: Broker['admin'],
  topology: Topology,
): Promise<{ topic: string; partition: number }[]> {
  const topics = [...topology.sourceTopics, ...[...topology.repartitions.keys()].map((topic) => `${app}-${topic}`)];
  const counts = await admin.partitionCounts(topics);
  return topics.flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
}

/** Whether everything in the inputs is committed, as the broker sees it. */
export async function isDrained(admin: Broker['admin'], topology: Topology): Promise<boolean> {
  const inputs = await inputsOf(admin, topology);
  const before = await admin.offsets(inputs, 'latest');
  const committed = await admin.committed(app, inputs);
  const after = await admin.offsets(inputs, 'latest');
  return after.every((end, i) => end === before[i] && (end === 0 || committed[i]?.offset === end));
}

/** Waits until everything in the inputs is committed. */
export async function drained(cluster: MemoryCluster, topology: Topology, timeoutMs?: number): Promise<void> {
  const broker = cluster.connect();
  try {
    // Twice: what a commit sets off may be on its way.
    for (let seen = 0; seen < 2; seen++) {
      await until(() => isDrained(broker.admin, topology), 'all inputs are committed', timeoutMs);
      await sleep(15);
      if (!(await isDrained(broker.admin, topology))) seen = -1;
    }
  } finally {
    await broker.close();
  }
}

/** A task has no owner at this moment. */
export class NotOwned extends Error {}

/** A store's partitions at the instances that own them. @throws NotOwned during a rebalance */
export function ownedParts(clients: readonly TestClient[], store: string): StorePart[] {
  const parts: StorePart[] = [];
  const partitions = Math.max(...clients.map(({ streams }) => streams.partitionsOf(store)));
  for (let partition = 0; partition < partitions; partition++) {
    const owners = clients.filter(({ streams }) => streams.ownerOf(streams.taskOf(store, partition)) === 'local');
    if (owners.length !== 1) throw new NotOwned(`${store} ${partition} has ${owners.length} owners`);
    const { streams } = owners[0]!;
    const rows = streams.localRows(store, partition)!;
    parts.push(localPart(specOf(streams.topology, store), rows.database, rows.prefix, partition));
  }
  return parts;
}

export function specOf(topology: Topology, store: string): StoreSpec {
  return topology.stores.find(({ name }) => name === store)!;
}

/** Rows of parts: `key value`, windowed ones `key@start value`, sorted. */
export async function shownRows(spec: StoreSpec, parts: readonly StorePart[]): Promise<string[]> {
  const shown: string[] = [];
  for (const part of parts)
    for await (const page of part.rows(wholeTime.fromMs, wholeTime.toMs))
      for (const { startMs, key, value } of page) {
        const at = spec.kind === 'window' ? `@${startMs}` : '';
        shown.push(
          `${print(spec.keySerde.deserialize(key))}${at} ${print(spec.valueSerde.deserialize(value.slice(8)))}`,
        );
      }
  return shown.sort();
}

/** A store's committed rows at the instances that own them: `key value`. A rebalance is waited for. */
export async function rowsOf(clients: readonly TestClient[], store: string): Promise<string[]> {
  const spec = specOf(clients[0]!.streams.topology, store);
  return whileOwned(clients, [store], () => shownRows(spec, ownedParts(clients, store)));
}

/** Reads stores as soon as all their partitions have an owner, and again where one was lost meanwhile: a member that was too slow for its session loses its tasks. */
export async function whileOwned<T>(
  clients: readonly TestClient[],
  stores: readonly string[],
  read: () => Promise<T>,
): Promise<T> {
  for (;;) {
    for (const store of stores) await owned(clients, store);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof NotOwned)) throw error;
    }
  }
}

async function owned(clients: readonly TestClient[], store: string): Promise<void> {
  const isOwned = (): boolean => {
    try {
      return ownedParts(clients, store).length > 0;
    } catch {
      return false;
    }
  };
  await until(isOwned, `all partitions of ${store} have an owner`);
}

/** A store's rows as its changelog has them. */
export async function changelogRows(cluster: MemoryCluster, topology: Topology, store: string): Promise<string[]> {
  const broker = cluster.connect();
  const spec = specOf(topology, store);
  const rows = await shownRows(spec, await changelogParts(broker, app, spec));
  await broker.close();
  return rows;
}

/** Asserts that stores and changelogs hold the same; gives the rows of the stores. */
export async function sameAsChangelogs(
  t: ExecutionContext,
  cluster: MemoryCluster,
  clients: readonly TestClient[],
): Promise<void> {
  const { topology } = clients[0]!.streams;
  const broker = cluster.connect();
  const changelogs = new Map<string, readonly StorePart[]>();
  for (const spec of topology.stores) changelogs.set(spec.name, await changelogParts(broker, app, spec));
  const expected = await digestOf(topology.stores, ({ name }) => changelogs.get(name)!);
  await broker.close();
  const names = topology.stores.map(({ name }) => name);
  const found = await whileOwned(clients, names, () =>
    digestOf(topology.stores, ({ name }) => ownedParts(clients, name)),
  );
  t.deepEqual([...found.byStore], [...expected.byStore]);
}

function print(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** What a topic holds, committed: `key=value`, over all partitions in their order. */
export function messages(cluster: MemoryCluster, topic: string, partitions = 1): string[] {
  return Array.from({ length: partitions }, (_, partition) => cluster.read(topic, partition)).flatMap((records) =>
    records.map(({ key, value }) => `${text(key)}=${text(value)}`),
  );
}

export const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '-' : Buffer.from(bytes).toString();
