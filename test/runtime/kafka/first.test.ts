import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, TimeWindows } from '../../../src/index.ts';
import { drained, rowsOf, sameAsChangelogs, startClient, stop } from './kit.ts';

test('counts', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
    .count({ name: 'counts' });
  const topology = builder.build();
  cluster.write('in', 0, [
    { key: 'a', value: '1', timestamp: 1 },
    { key: 'a', value: '1', timestamp: 11 },
  ]);
  cluster.write('in', 1, [{ key: 'b', value: '1', timestamp: 1 }]);
  const one = await startClient(cluster, topology);
  const two = await startClient(cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(await rowsOf([one, two], 'counts'), ['a@0 1', 'a@10 1', 'b@0 1']);
  await sameAsChangelogs(t, cluster, [one, two]);
  await stop(one, two);
  console.log(one.states);
});
