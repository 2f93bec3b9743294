import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  type Serde,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
  Windowed,
  WindowedSerde,
} from '../../../src/index.ts';
import { Disk } from './disk.ts';
import { drained, kill, rowsOf, sameAsChangelogs, startClient, stop } from './kit.ts';
import { texts } from './topologies.ts';

const windows = TimeWindows.ofSizeAndGrace(10, 1000);
const keySerde: Serde<Windowed<string>> = new WindowedSerde(Serdes.string, windows);
const rows = { keySerde, valueSerde: Serdes.string };

/** Counts by window; what became of each, as tables of windowed keys: the latest, all, by window alone, and joined with the table of a topic. */
function topology(): Topology {
  const builder = new StreamsBuilder();
  const limits = builder.table('limits', { name: 'limits', ...rows });
  const counts = builder.stream('in', texts).groupByKey().windowedBy(windows).count({ name: 'counts', caching: false });
  counts.join(limits, (n, limit) => `${n}/${limit}`, { name: 'joined', materialize: true, ...rows });
  const changes = counts.toStream().mapValues((n) => `${n}`);
  changes.toTable({ name: 'latest', ...rows });
  changes.groupByKey(rows).reduce((total, n) => `${total},${n}`, { name: 'traces' });
  changes
    .groupBy(({ startMs }) => new Windowed('all', startMs, startMs + 10), { name: 'by-window', ...rows })
    .count({ name: 'changes' });
  return builder.build();
}

const expected: Readonly<Record<string, readonly string[]>> = {
  counts: ['a@0 2', 'a@10 1', 'b@0 1'],
  limits: ['a@0 5', 'b@0 6'],
  joined: ['a@0 2/5', 'b@0 1/6'],
  latest: ['a@0 2', 'a@10 1', 'b@0 1'],
  traces: ['a@0 1,2', 'a@10 1', 'b@0 1'],
  changes: ['all@0 3', 'all@10 1'],
};

/** Two partitions, each with the keys whose records a producer would send there. */
function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'limits']) cluster.createTopic(topic, 2);
  return cluster;
}

function write(cluster: MemoryCluster, partitionOf: (key: string) => number): void {
  const limit = (key: string, startMs: number, value: string | undefined): void => {
    const bytes = keySerde.serialize(new Windowed(key, startMs, startMs + 10));
    cluster.write('limits', partitionOf(key), [{ key: bytes, value, timestamp: 1 }] as never);
  };
  limit('a', 0, '5');
  limit('a', 10, '7');
  limit('b', 0, '6');
  limit('a', 10, undefined);
  for (const [key, timestamp] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['a', 11],
  ] as const)
    cluster.write('in', partitionOf(key), [{ key, value: 'x', timestamp }]);
}

for (const loss of ['a restart', 'a kill', 'the loss of the copy'])
  test(`tables of windowed keys are what they were after ${loss}`, async (t) => {
    const cluster = clusterOf();
    const disk = new Disk();
    const first = await startClient(t, cluster, topology(), { disk });
    write(cluster, (key) => first.streams.queryMetadataForKey('counts', key).partition);
    await drained(cluster, topology());
    for (const [store, shown] of Object.entries(expected)) t.deepEqual(await rowsOf([first], store), shown, store);
    await sameAsChangelogs(t, cluster, [first]);
    if (loss === 'a kill') kill(cluster, first);
    else await stop(first);
    const second = await startClient(t, cluster, topology(), loss === 'the loss of the copy' ? {} : { disk });
    for (const [store, shown] of Object.entries(expected)) t.deepEqual(await rowsOf([second], store), shown, store);
    const limits = second.streams.store('limits');
    if (limits.kind !== 'window') return t.fail();
    t.is((await limits.fetch('b', 0))?.value, '6');
    t.is(await limits.fetch('a', 10), undefined);
    const found: unknown[] = [];
    for await (const { windowed, value } of limits.fetchAll(0, 100)) found.push([String(windowed), value]);
    t.deepEqual(found, [
      ['[a@0/10]', '5'],
      ['[b@0/10]', '6'],
    ]);
    await stop(second);
  });
