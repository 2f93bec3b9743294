import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { storesOf } from '../../../src/cli/store-source.ts';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { StreamsBuilder, TimeWindows, type Topology } from '../../../src/index.ts';
import { InstanceFolders } from '../../../src/runtime/kafka/folder-parts.ts';
import { openLevelDatabase } from '../../../state/level-database.ts';
import { damagesOf } from '../../../state/level-files/check-folder.ts';
import { copyOfOpen, damage, filesBelow, randomOf } from '../../helpers/damages.ts';
import { drained, newClient, rowsOf, running, shownRows, startClient, stop, type TestClient, until } from './kit.ts';
import { texts } from './topologies.ts';

const seed = Number(process.env['DAMAGE_SEED'] ?? Date.now() % 1_000_000);
const tries = Number(process.env['DAMAGE_TRIES'] ?? 15);
const partitions = 2;
const keys = 60;
const records = 600;
const names = ['a A', 'b B', 'c C'];

/** How many records each key has, in all and in windows of 10 ms; beside them a global table. */
function topologyOf(): Topology {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  stream.groupByKey().count({ name: 'counts' });
  stream.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(10, 1000)).count({ name: 'windows' });
  builder.globalTable('names', { name: 'names', ...texts });
  return builder.build();
}

/** Record `i` of a partition. Keys are long, so that there are several table files. */
const keyOf = (partition: number, i: number): string => `${partition}-${(i * 7) % keys}-${'x'.repeat(150)}`;

/** The rows of both stores after the first `n` records of a partition. */
function truth(partition: number, n: number): Record<string, string[]> {
  const rows = { counts: new Map<string, number>(), windows: new Map<string, number>() };
  for (let i = 0; i < n; i++) {
    const key = keyOf(partition, i);
    rows.counts.set(key, (rows.counts.get(key) ?? 0) + 1);
    const windowed = `${key}@${i - (i % 10)}`;
    rows.windows.set(windowed, (rows.windows.get(windowed) ?? 0) + 1);
  }
  const shown = (of: Map<string, number>): string[] => [...of].map(([key, count]) => `${key} ${count}`).sort();
  return { counts: shown(rows.counts), windows: shown(rows.windows) };
}

const openDatabase = (location: string): ReturnType<typeof openLevelDatabase> =>
  openLevelDatabase(location, { writeBufferBytes: 64 * 1024, maxFileBytes: 1024 * 1024 });

/** A cluster with the input so far, which can be written on. */
class Input {
  readonly cluster: MemoryCluster = new MemoryCluster();
  readonly written: number[] = Array.from({ length: partitions }, () => 0);

  constructor() {
    this.cluster.createTopic('in', partitions);
    this.cluster.createTopic('names', 1, { 'cleanup.policy': 'compact' });
    for (const name of names) this.cluster.write('names', 0, [{ key: name[0]!, value: name[2]! }]);
  }

  write(partition: number, count: number): void {
    const from = this.written[partition]!;
    this.written[partition] = from + count;
    const next = Array.from({ length: count }, (_, i) => from + i);
    this.cluster.write(
      'in',
      partition,
      next.map((i) => ({ key: keyOf(partition, i), value: 'x', timestamp: i })),
    );
  }
}

interface World {
  readonly root: string;
  readonly input: Input;
  readonly older: string;
  readonly killed: string;
  readonly closed: string;
}

async function isWhole(stateDir: string): Promise<boolean> {
  const databases = new Set((await filesBelow(stateDir)).map((file) => join(stateDir, file, '..')));
  for (const folder of databases) for await (const _ of damagesOf(folder)) return false;
  return true;
}

/** The rows of a store after all that was written. */
const rowsAfter = ({ written }: Input, store: string): string[] =>
  written.flatMap((n, partition) => truth(partition, n)[store]!).sort();

/** Whether the local copy has the results of all that was written: a commit is known to the broker before the copy has it. */
async function hasTaken(client: TestClient, input: Input): Promise<boolean> {
  for (const store of ['counts', 'windows'])
    if (String(await rowsOf([client], store)) !== String(rowsAfter(input, store))) return false;
  return true;
}

/** A state folder early, as a killed instance leaves it, and of one that ended in order. */
async function worldOf(t: ExecutionContext): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'weir-damage-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const input = new Input();
  const { cluster } = input;
  const [older, killed, closed] = ['older', 'killed', 'closed'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const take = async (count: number): Promise<void> => {
    for (let partition = 0; partition < partitions; partition++) input.write(partition, count);
    await drained(cluster, topologyOf());
  };
  const first = await startClient(t, cluster, topologyOf(), { stateDir: closed, openDatabase });
  await take(100);
  await stop(first);
  await cp(closed, older, { recursive: true });
  const second = await startClient(t, cluster, topologyOf(), { stateDir: closed, openDatabase });
  while (input.written[0]! < records) await take(100);
  await until(() => hasTaken(second, input), 'the copy has all that is committed');
  await copyOfOpen(closed, killed, isWhole);
  await stop(second);
  return { root, input, older, killed, closed };
}

/** Reads a folder as `query` does. @returns whether it is as of the last commit; undefined: an earlier one */
async function check(t: ExecutionContext, folder: string, what: string): Promise<'last' | 'earlier'> {
  const topology = topologyOf();
  const folders = await InstanceFolders.open([folder]);
  let last = true;
  try {
    const [counts, windows, global] = storesOf(topology).map((spec) => ({
      spec,
      parts: folders.partsOf(topology, spec, partitions),
    }));
    for (let partition = 0; partition < partitions; partition++) {
      const rows = await shownRows(counts!.spec, [counts!.parts[partition]!]);
      const n = rows.reduce((sum, row) => sum + Number(row.split(' ')[1]), 0);
      const expected = truth(partition, n);
      t.deepEqual(rows, expected['counts'], what);
      t.deepEqual(await shownRows(windows!.spec, [windows!.parts[partition]!]), expected['windows'], what);
      last &&= n === records;
    }
    t.deepEqual((await shownRows(global!.spec, global!.parts)).length, names.length, what);
  } finally {
    await folders.close();
  }
  return last ? 'last' : 'earlier';
}

for (const state of ['closed', 'killed'] as const)
  test(`any single damage to the folder of a ${state} instance is noticed or harmless to who reads it, and mended by run`, async (t) => {
    t.timeout(1_200_000);
    const random = randomOf(seed);
    const world = await worldOf(t);
    const { cluster } = world.input;
    const outcomes = { noticed: 0, harmless: 0, earlier: 0, rebuilt: 0 };
    const folder = join(world.root, 'damaged');
    for (let i = 0; i < tries; i++) {
      await rm(folder, { recursive: true, force: true });
      await cp(world[state], folder, { recursive: true });
      const what = await damage(folder, world.older, random);
      if (what === undefined) continue;
      const reading = `${folder}-read`;
      await rm(reading, { recursive: true, force: true });
      await cp(folder, reading, { recursive: true });
      try {
        const seen = await check(t, reading, what);
        if (state === 'closed') t.is(seen, 'last', what);
        outcomes[seen === 'last' ? 'harmless' : 'earlier']++;
      } catch (error) {
        const code = StreamsError.is(error) ? error.code : String(error);
        t.true(['STREAMS_STATE_STORE_CORRUPT', 'STREAMS_STATE_MISSING'].includes(code), `${what}: ${error}`);
        outcomes.noticed++;
      }
      const client = newClient(t, cluster, topologyOf(), { stateDir: folder, openDatabase });
      await client.streams.start();
      await running(client);
      world.input.write(random(partitions), 1);
      await drained(cluster, topologyOf());
      await until(() => hasTaken(client, world.input), `the rows are right after ${what} (seed ${seed})`);
      if ((client.streams.stats().errors['STREAMS_STATE_STORE_CORRUPT'] ?? 0) > 0) outcomes.rebuilt++;
      t.deepEqual(client.uncaught, [], `${what}, at work`);
      await stop(client);
    }
    t.log(`seed ${seed}: ${JSON.stringify(outcomes)}`);
    t.true(outcomes.noticed > 0 && outcomes.rebuilt > 0);
  });
