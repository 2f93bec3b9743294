import test from 'ava';
import { StreamsBuilder, TimeWindows, type Topology, untilWindowCloses } from '../../src/index.ts';
import { texts } from './text-driver.ts';

const names = (topology: Topology): string[] => topology.nodes.map(({ name }) => name);

test('a node has the name that its author gives it', (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', { ...texts, name: 'source' });
  stream.filter(() => true, { name: 'kept' }).mapValues((value) => value, { name: 'mapped' });
  stream
    .split({ name: 'kinds-' })
    .branch(() => true, { name: 'one' })
    .defaultBranch({ name: 'rest' });
  stream
    .merge(stream, { name: 'both' })
    .peek(() => {}, { name: 'seen' })
    .to('out', { name: 'sink' });
  t.deepEqual(names(builder.build()), [
    'source',
    'kept',
    'mapped',
    'kinds-',
    'kinds-one',
    'kinds-rest',
    'both',
    'seen',
    'sink',
  ]);
});

test('other nodes have numbered names; a name given takes a number too, so later numbers do not move', (t) => {
  const build = (name?: string): string[] => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .filter(() => true, name === undefined ? {} : { name })
      .mapValues((value) => value)
      .to('out', texts);
    return names(builder.build());
  };
  t.deepEqual(build(), [
    'KSTREAM-SOURCE-0000000000',
    'KSTREAM-FILTER-0000000001',
    'KSTREAM-MAPVALUES-0000000002',
    'KSTREAM-SINK-0000000003',
  ]);
  t.deepEqual(build('mine'), [
    'KSTREAM-SOURCE-0000000000',
    'mine',
    'KSTREAM-MAPVALUES-0000000002',
    'KSTREAM-SINK-0000000003',
  ]);
});

test('a stateful node and its store have one name, and its internal topic is named after it', (t) => {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupBy((_key, value) => value, texts)
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'counts' });
  counts.filter(() => true, { name: 'some', materialize: true });
  counts.suppress(untilWindowCloses({ name: 'final' }));
  const topology = builder.build();
  t.deepEqual(
    topology.stores.map(({ name }) => name),
    ['counts', 'some', 'final'],
  );
  for (const { name } of topology.stores) t.true(names(topology).includes(name), name);
  t.deepEqual([...topology.repartitions.keys()], ['counts-repartition']);
  for (const suffix of ['filter', 'sink', 'source'])
    t.true(names(topology).includes(`counts-repartition-${suffix}`), suffix);
});
