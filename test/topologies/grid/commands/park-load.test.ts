import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { createServer } from '../../../../src/http/server.ts';
import type { KafkaGlobalStats } from '../../../../src/runtime/kafka/kafka-stats.ts';
import { KafkaStreams } from '../../../../src/runtime/kafka/kafka-streams.ts';
import { historySerde } from '../../../../src/serde/history.ts';
import { openMemoryDatabase } from '../../../../state/memory-database.ts';
import { parkLoadCommand } from '../../../../topologies/grid/commands/park-load-command.ts';
import { placeSerde } from '../../../../topologies/grid/park/place.ts';
import { isNameKey } from '../../../../topologies/grid/park/place-names.ts';
import { gridTopology } from '../../../../topologies/grid/topology.ts';
import { type Ran, run } from '../../../cli/fixtures/run.ts';
import { fakeEngine } from '../../../http/fake-engine.ts';
import { kafkaStats } from '../../../observability/fake-stats.ts';
import { type ParkFiles, parkFolder } from '../park/park-folder.ts';
import { golden, temporary, until } from './weir.ts';

function parkLoad(cluster: MemoryCluster, line: string): Promise<Ran> {
  return run([parkLoadCommand(async () => cluster.connect())], `park load ${line}`);
}

/** Runs it on a park of these files; gives what it printed. */
async function loaded(t: ExecutionContext, cluster: MemoryCluster, files: ParkFiles, line = ''): Promise<string> {
  const { code, stdout, stderr } = await parkLoad(cluster, `--park ${parkFolder(t, files)} ${line}`);
  t.is(code, 0, stderr);
  return stdout;
}

/** Where the topic says that equipments are, the last word on each: `C:8 2017-01-01 01026 ...`. */
async function places(cluster: MemoryCluster, topic = 'grid-park'): Promise<string[]> {
  const { admin } = cluster.connect();
  const end = async (at: 'stable' | 'latest'): Promise<number> =>
    (await admin.offsets([{ topic, partition: 0 }], at))[0]!;
  while ((await end('stable')) !== (await end('latest'))) await delay(1);
  const serde = historySerde(placeSerde);
  const last = new Map<string, string>();
  for (const { key, value } of cluster.read(topic, 0)) {
    const versions = serde
      .deserialize(value!)
      .map(
        ({ validFromMs, value: place }) =>
          `${new Date(validFromMs).toISOString().slice(0, 16)} ${place?.commune ?? '-'}`,
      );
    if (!isNameKey(Buffer.from(key!).toString())) last.set(Buffer.from(key!).toString(), versions.join(', '));
  }
  return [...last].map(([key, text]) => `${key} ${text}`).sort();
}

test('the topic holds the whole history of each equipment, and later loads write the difference', async (t) => {
  const cluster = new MemoryCluster();
  const first = { installation_c: ['1,8,20170101,20171231', '2,9,20180101,'], installation_k: ['1,1,20170101,'] };
  t.is(await loaded(t, cluster, first), 'grid-park: 3 added, 0 changed, 0 removed, 0 unchanged\n');
  t.deepEqual(await places(cluster), [
    'C:8 2016-12-31T23:00 01026, 2017-12-31T23:00 -',
    'C:9 2017-12-31T23:00 01027',
    'K:1 2016-12-31T23:00 01026',
  ]);
  const second = { installation_c: ['2,8,20170101,20171231', '3,10,20180101,'], installation_k: ['1,1,20170101,'] };
  const json = JSON.parse(await loaded(t, cluster, second, '--json'));
  t.deepEqual(json, { topic: 'grid-park', added: 1, changed: 1, removed: 1, unchanged: 1, names: 0, waited: false });
  t.deepEqual(await places(cluster), [
    'C:10 2017-12-31T23:00 01027',
    'C:8 2016-12-31T23:00 01027, 2017-12-31T23:00 -',
    'C:9 ',
    'K:1 2016-12-31T23:00 01026',
  ]);
});

test('the names of places that the park uses are in the topic, and a new name is written alone', async (t) => {
  const cluster = new MemoryCluster();
  const installed = { installation_c: ['1,8,20170101,'] };
  t.like(JSON.parse(await loaded(t, cluster, installed, '--json')), { added: 1, names: 7 });
  const names = (): Record<string, string> => {
    const serde = historySerde(placeSerde);
    const rows = [...cluster.read('grid-park', 0)].flatMap(({ key, value }) => {
      const name = value == null ? undefined : serde.deserialize(value).at(-1)?.value?.name;
      return name === undefined ? [] : [[Buffer.from(key!).toString(), name]];
    });
    return Object.fromEntries(rows);
  };
  const before = {
    ...{ 'commune:01026': 'NEAR', 'commune:01027': 'FAR', 'commune:97105': 'ISLE' },
    ...{ 'departement:01': 'AIN', 'departement:97': 'ISLES', 'region:4': 'RHONE', 'region:23': 'OVERSEAS' },
  };
  t.deepEqual(names(), before);
  const json = await loaded(t, cluster, { ...installed, region: ['4,ALPES', '23,OVERSEAS'] }, '--json');
  t.like(JSON.parse(json), { added: 0, changed: 0, removed: 0, unchanged: 1, names: 1 });
  t.deepEqual(names(), { ...before, 'region:4': 'ALPES' });
});

test('topic and zone can be named', async (t) => {
  const cluster = new MemoryCluster();
  await loaded(t, cluster, { installation_c: ['1,8,20170101,'] }, '--topic other --zone UTC');
  t.deepEqual(await places(cluster, 'other'), ['C:8 2017-01-01T00:00 01026']);
});

test('a folder that is no park, and brokers that are not named, are errors', async (t) => {
  const cluster = new MemoryCluster();
  const { code, stderr } = await parkLoad(cluster, `--park ${await temporary(t)}`);
  t.is(code, 1);
  t.true(stderr.startsWith('STREAMS_FILE: '), stderr);
  t.is((await parkLoad(cluster, '')).code, 2);
  t.is((await run([parkLoadCommand()], `park load --park ${golden}/park`)).code, 2);
});

test('--wait ends when the instances of the application have applied it, and in time if there is none', async (t) => {
  const cluster = new MemoryCluster();
  const files = { installation_c: ['1,8,20170101,'] };
  await loaded(t, cluster, files);
  const { code, stderr } = await parkLoad(cluster, `--park ${parkFolder(t, files)} --wait --timeout 50ms`);
  t.is(code, 1);
  t.true(stderr.includes('STREAMS_TIMEOUT: ') && stderr.includes('application grid'), stderr);
  cluster.createTopic('events', 2);
  const row = '20180310120000,2018-03-10 12:00:00,2018-03-10 13:00:00,ev_C,C,8,';
  cluster.write('events', 1, [{ key: 'C:8', value: row, timestamp: Date.parse('2018-03-10T11:00:00Z') }]);
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const topology = gridTopology({ zone: 'Europe/Paris', graceMs: 86_400_000, topics: ['events'] });
  const streams = new KafkaStreams(topology, {
    broker,
    applicationId: 'readers',
    stateDir: await temporary(t),
    openDatabase: openMemoryDatabase,
    commitIntervalMs: 10,
  });
  await streams.start();
  const moved = { installation_c: ['2,8,20170101,'] };
  const line = `--park ${parkFolder(t, moved)} --wait --application-id readers --json`;
  const waited = await parkLoad(cluster, line);
  t.is(waited.code, 0, waited.stderr);
  t.like(JSON.parse(waited.stdout), { changed: 1, waited: true });
  // The joined row stands where the park says now.
  await until(() => lastValue(cluster, 'readers-day-placed-changelog', 1).includes('01027'));
  t.false(lastValue(cluster, 'readers-day-placed-changelog', 1).includes('01026'));
  await streams.close();
});

test('--wait asks instances of which no task tells, at their endpoints', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  await loaded(t, cluster, { installation_c: ['1,8,20170101,'] });
  let globals: readonly KafkaGlobalStats[] = [];
  const server = await createServer({
    engine: { ...fakeEngine(), kafka: () => kafkaStats({ globals }) },
    metrics: { text: async () => ({ body: '', contentType: 'text/plain' }) },
    port: 0,
  });
  t.teardown(() => server.close());
  const applicationServer = new URL(server.url).host;
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const topology = gridTopology({ zone: 'Europe/Paris', graceMs: 86_400_000, topics: ['events'] });
  const openDatabase = openMemoryDatabase;
  const options = { broker, applicationId: 'grid', stateDir: await temporary(t), openDatabase, applicationServer };
  const streams = new KafkaStreams(topology, options);
  await streams.start();
  const line = `--park ${parkFolder(t, { installation_c: ['2,8,20170101,'] })} --wait`;
  const behind = await parkLoad(cluster, `${line} --timeout 500ms`);
  t.is(behind.code, 1);
  t.regex(behind.stderr, new RegExp(`instance ${applicationServer} is at 0 of \\d+`));
  const [end] = await broker.admin.offsets([{ topic: 'grid-park', partition: 0 }], 'stable');
  globals = [{ topic: 'grid-park', partition: 0, position: end!, lag: 0 }];
  const { code, stderr } = await parkLoad(cluster, line);
  t.is(code, 0, stderr);
  await server.close();
  const gone = await parkLoad(cluster, `${line} --timeout 500ms`);
  t.is(gone.code, 1);
  t.true(gone.stderr.includes(`instance ${applicationServer} cannot be asked: `), gone.stderr);
  await streams.close();
});

function lastValue(cluster: MemoryCluster, topic: string, partition: number): string {
  const value = cluster.read(topic, partition).at(-1)?.value;
  return value === undefined ? '' : Buffer.from(value).toString('latin1');
}
