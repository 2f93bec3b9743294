import test from 'ava';
import { StreamsBuilder, TimeWindows } from '../../src/index.ts';
import { texts } from './text-driver.ts';

function topology(): ReturnType<StreamsBuilder['build']> {
  const builder = new StreamsBuilder();
  builder.globalTable('places', { ...texts, name: 'park' });
  builder
    .stream('in', { ...texts, name: 'source' })
    .groupBy((_key, value) => value, { ...texts, name: 'by-value' })
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
    .count({ name: 'counts' })
    .toStream({ name: 'changes' })
    .mapValues(String, { name: 'text' })
    .to('out', { name: 'sink', ...texts } as never);
  return builder.build();
}

test('the text has the form of Topology.describe() of Kafka Streams', (t) => {
  t.is(
    topology().describe().toString(),
    `Topologies:
   Sub-topology: 0
    Source: source (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> by-value-repartition-filter
      <-- source
    Processor: by-value-repartition-filter (stores: [])
      --> by-value-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: by-value-repartition-sink (topic: by-value-repartition)
      <-- by-value-repartition-filter

   Sub-topology: 1
    Source: by-value-repartition-source (topics: [by-value-repartition])
      --> counts
    Processor: counts (stores: [counts])
      --> changes
      <-- by-value-repartition-source
    Processor: changes (stores: [])
      --> text
      <-- counts
    Processor: text (stores: [])
      --> sink
      <-- changes
    Sink: sink (topic: out)
      <-- text

   Sub-topology: 2 for global store (will not generate tasks)
    Source: park-source (topics: [places])
      --> park
    Processor: park (stores: [park])
      --> none
      <-- park-source

`,
  );
});

test('the details name the windows of each store, and which sources guard against future records', (t) => {
  t.deepEqual(topology().describe().details().trimEnd().split('\n'), [
    'store counts: window, string -> int64, time 10 grace 5',
    'store park: versioned, string -> string',
    'source source: no guard against future records (no arrival time)',
  ]);
});

test('the flowchart has a box a node, a frame a sub-topology, and dotted lines through internal topics', (t) => {
  const lines = topology().describe().format('mermaid').split('\n');
  t.is(lines[0], 'flowchart TD');
  t.true(lines.includes('  subgraph s1["Sub-topology 1"]'));
  t.true(lines.includes('    n0(["source"])'));
  t.true(lines.includes('    n5["counts"]'));
  t.true(lines.includes('  n0 --> n1'));
  t.true(lines.includes('  n3 -. "by-value-repartition" .-> n4'));
});

test('the JSON lists sub-topologies, stores and global tables', (t) => {
  const description = JSON.parse(topology().describe().format('json')) as {
    subTopologies: { id: number; nodes: { kind: string; name: string; children?: string[] }[] }[];
    stores: object[];
    globalTables: object[];
  };
  t.deepEqual(
    description.subTopologies.map(({ id, nodes }) => [id, nodes.length]),
    [
      [0, 4],
      [1, 5],
    ],
  );
  t.deepEqual(description.subTopologies[1]!.nodes[1], {
    kind: 'processor',
    name: 'counts',
    stores: ['counts'],
    parents: ['by-value-repartition-source'],
    children: ['changes'],
  } as never);
  t.deepEqual(description.stores, [
    { name: 'counts', kind: 'window', key: 'string', value: 'int64', windows: 'time 10 grace 5' },
  ]);
  t.deepEqual(description.globalTables, [
    { topic: 'places', name: 'park', kind: 'versioned', key: 'string', value: 'string' },
  ]);
});

test('nodes that share a store are one sub-topology; nodes that share only a global table are two', (t) => {
  const builder = new StreamsBuilder();
  const global = builder.globalTable('places', { ...texts, name: 'park' });
  const table = builder.table('rows', { ...texts, name: 'rows' });
  builder.stream('a', texts).join(table, (value) => value);
  for (const topic of ['b', 'c']) builder.stream(topic, texts).join(global, (value) => value);
  t.deepEqual(
    builder.build().subTopologies.map(({ sources }) => sources.flatMap(({ topics }) => topics)),
    [['rows', 'a'], ['b'], ['c']],
  );
});
