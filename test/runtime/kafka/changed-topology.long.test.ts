import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  type KStream,
  type ProcessorContext,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  Topology,
} from '../../../src/index.ts';
import { Disk, dyingAfter } from './disk.ts';
import {
  app,
  drained,
  kill,
  messages,
  newClient,
  rowsOf,
  sameAsChangelogs,
  sleep,
  startClient,
  stop,
  type TestClient,
  until,
} from './kit.ts';
import { texts } from './topologies.ts';

/** Windows of 10 ms by key, and of how many records each value has: through a repartition topic. */
function program(edited: boolean): Topology {
  const builder = new StreamsBuilder();
  let all = builder.stream('in', texts);
  if (edited) all = all.peek(() => {}, { name: 'look' }).filter(() => true, { name: 'keep' });
  all
    .mapValues((value) => value, { name: edited ? 'renamed' : 'same' })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0))
    .count({ name: 'windows' });
  const grouped = all.groupBy((_key, value) => value, { name: 'by-value', ...texts });
  grouped.count({ name: 'by-value-counts' });
  return builder.build();
}

function clusterOf(partitions: number): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', partitions);
  return cluster;
}

/** Writes a record of `in`. */
function write(cluster: MemoryCluster, partition: number, key: string, value: string, timestamp: number): void {
  cluster.write('in', partition, [{ key, value, timestamp }]);
}

test('an instance whose stateless nodes have changed goes on with its folder and its clocks', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  const first = await startClient(t, cluster, program(false), { disk });
  write(cluster, 0, 'a', 'x', 1);
  for (const [key, value] of ['au', 'cv', 'dw'].map((pair) => [...pair])) write(cluster, 0, key!, value!, 14);
  await drained(cluster, program(false));
  await stop(first);
  const all = ['u 1', 'v 1', 'w 1', 'x 2', 'y 1'];
  const second = await startClient(t, cluster, program(true), { disk });
  const { tasks } = second.streams.kafkaStats();
  // What the close has written after the last rows is passed; of four rows none is read again.
  t.true(tasks.every(({ restore }) => (restore?.restored ?? 0) <= 1));
  // Late: 14 was seen before the change.
  write(cluster, 0, 'b', 'x', 5);
  write(cluster, 0, 'b', 'y', 15);
  await drained(cluster, program(true));
  t.deepEqual(await rowsOf([second], 'windows'), ['a@0 1', 'a@10 1', 'b@10 1', 'c@10 1', 'd@10 1']);
  t.deepEqual(await rowsOf([second], 'by-value-counts'), all);
  await stop(second);
  // And back, with the folder and without.
  for (const again of [disk, new Disk()]) {
    const third = await startClient(t, cluster, program(false), { disk: again });
    await drained(cluster, program(false));
    t.deepEqual(await rowsOf([third], 'by-value-counts'), all);
    await stop(third);
  }
});

test('two instances are updated one after the other while records come, and each record counts once', async (t) => {
  const cluster = clusterOf(2);
  const disks = [new Disk(), new Disk()];
  let written = 0;
  const say = (count: number): void => {
    for (let i = 0; i < count; i++) write(cluster, i % 2, `k${i % 2}`, 'x', 1 + written++);
  };
  let clients = [
    await startClient(t, cluster, program(false), { disk: disks[0]! }),
    await startClient(t, cluster, program(false), { disk: disks[1]! }),
  ];
  say(20);
  for (const i of [0, 1]) {
    say(10);
    await stop(clients[i]!);
    say(10);
    const updated = await startClient(t, cluster, program(true), { disk: disks[i]! });
    clients = clients.map((client, at) => (at === i ? updated : client));
    say(10);
  }
  await drained(cluster, program(true));
  t.is(written, 80);
  t.deepEqual(await rowsOf(clients, 'by-value-counts'), ['x 80']);
  t.deepEqual(
    clients.flatMap(({ uncaught }) => uncaught),
    [],
  );
});

type Words = KStream<string, string>;

/** Windows of 10 ms by key, and of how many records each value has; with what a test changes. */
function changed(change: { readonly [part: string]: (builder: StreamsBuilder, all: Words) => void } = {}): Topology {
  const builder = new StreamsBuilder();
  change['before']?.(builder, undefined as unknown as Words);
  const all = builder.stream('in', texts);
  (change['windows'] ?? ((_b, words) => windowCounts(words, 10)))(builder, all);
  (change['by-value'] ?? ((_b, words) => valueCounts(words)))(builder, all);
  change['after']?.(builder, all);
  return builder.build();
}

function windowCounts(all: Words, sizeMs: number): void {
  all.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 0)).count({ name: 'windows' });
}

function valueCounts(all: Words, grouping = 'by-value', name = 'by-value-counts'): void {
  all.groupBy((_key, value) => value, { name: grouping, ...texts }).count({ name });
}

/** What a test logs. */
function heard() {
  const told: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message: string) => void told.push(message) };
  return { told, logger, of: (store: string) => told.filter((text) => text.includes(`store ${store} `)) };
}

async function refusal(t: ExecutionContext, cluster: MemoryCluster, topology: Topology, disk: Disk): Promise<Error> {
  const { streams, uncaught } = newClient(t, cluster, topology, { disk });
  const error = await t.throwsAsync(
    streams.start().then(() => until(() => uncaught.length > 0, 'it fails').then(() => Promise.reject(uncaught[0]))),
    { code: 'STREAMS_STATE_INCOMPATIBLE' } as object,
  );
  await streams.close();
  return error!;
}

const edits: { readonly [title: string]: Parameters<typeof changed>[0] } = {
  'a source of its own comes first, so that sub-topologies have another order': {
    before: (builder) => void builder.stream('other', texts).peek(() => {}),
  },
  'the statistics come in another order': {
    windows: (_b, all) => valueCounts(all),
    'by-value': (_b, all) => windowCounts(all, 10),
  },
  'a statistic is added through a repartition topic': {
    after: (_b, all) =>
      valueCounts(
        all.mapValues((value) => `${value}!`),
        'by-shout',
        'by-shout-counts',
      ),
  },
  'a windowed statistic is added': {
    after: (_b, all) =>
      void all.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(100, 0)).count({ name: 'hundreds' }),
  },
};

for (const [title, edit] of Object.entries(edits))
  for (const place of ['its folder', 'an empty folder'])
    test(`the state goes on by names with ${place} when ${title}`, async (t) => {
      const cluster = clusterOf(2);
      cluster.createTopic('other', 2);
      const disk = new Disk();
      const first = await startClient(t, cluster, changed(), { disk });
      write(cluster, 0, 'a', 'x', 1);
      write(cluster, 0, 'b', 'x', 14);
      write(cluster, 1, 'c', 'y', 3);
      await drained(cluster, changed());
      await stop(first);
      const second = await startClient(t, cluster, changed(edit), { disk: place === 'its folder' ? disk : new Disk() });
      // The first of them is late in its task: 14 was seen there, and 3 in the other.
      write(cluster, 0, 'a', 'x', 5);
      write(cluster, 0, 'a', 'y', 15);
      write(cluster, 1, 'c', 'x', 5);
      await drained(cluster, changed(edit));
      t.deepEqual(await rowsOf([second], 'windows'), ['a@0 1', 'a@10 1', 'b@10 1', 'c@0 2']);
      t.deepEqual(await rowsOf([second], 'by-value-counts'), ['x 4', 'y 2']);
      await sameAsChangelogs(t, cluster, [second]);
      await stop(second);
      // And back, wherever.
      const third = await startClient(t, cluster, changed(), { disk: new Disk() });
      write(cluster, 0, 'a', 'z', 2);
      await drained(cluster, changed());
      t.deepEqual(await rowsOf([third], 'windows'), ['a@0 1', 'a@10 1', 'b@10 1', 'c@0 2']);
      t.deepEqual(await rowsOf([third], 'by-value-counts'), ['x 4', 'y 2', 'z 1']);
      await stop(third);
    });

test('a store that is new starts empty, which is said once, and counts from then on', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  await stop(await startClient(t, cluster, changed(), { disk, ...{ logger: heard().logger } }));
  // Nothing was read yet: all counts.
  const whole = heard();
  const more = changed({
    after: (_b, all) => {
      all.groupByKey().count({ name: 'by-key' });
      valueCounts(all, 'by-letter', 'by-letter-counts');
    },
  });
  await stop(await startClient(t, cluster, more, { disk, logger: whole.logger }));
  t.deepEqual(whole.told, []);
  for (const stateDisk of [disk, new Disk()]) {
    const old = await startClient(t, cluster, changed(), { disk: stateDisk });
    write(cluster, 0, 'a', 'x', 1);
    await drained(cluster, changed());
    await stop(old);
    const log = heard();
    const client = await startClient(t, cluster, more, { disk: stateDisk, logger: log.logger });
    for (const store of ['by-key', 'by-letter-counts'])
      t.regex(
        log.of(store).join(),
        /is new in application app and starts empty: what was read before does not count in it\. .*--rebuild/,
      );
    await drained(cluster, more);
    t.deepEqual(await rowsOf([client], 'by-key'), []);
    write(cluster, 0, 'a', 'x', 2);
    await drained(cluster, more);
    t.deepEqual(await rowsOf([client], 'by-key'), ['a 1']);
    await sameAsChangelogs(t, cluster, [client]);
    await stop(client);
    const again = heard();
    await stop(await startClient(t, cluster, more, { disk: stateDisk, logger: again.logger }));
    t.deepEqual(again.told, [], 'it is said once');
  }
});

test('a store that the program has no more leaves the state: when it comes back it is new', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  const without = changed({ windows: () => {} });
  const first = await startClient(t, cluster, changed(), { disk });
  write(cluster, 0, 'a', 'x', 1);
  await drained(cluster, changed());
  await stop(first);
  const log = heard();
  const second = await startClient(t, cluster, without, { disk, logger: log.logger });
  t.regex(log.of('windows').join(), /^the program has no store windows any more/);
  write(cluster, 0, 'a', 'x', 2);
  await drained(cluster, without);
  t.deepEqual(await rowsOf([second], 'by-value-counts'), ['x 2']);
  await stop(second);
  for (const stateDisk of [disk, new Disk()]) {
    const back = heard();
    const third = await startClient(t, cluster, changed(), { disk: stateDisk, logger: back.logger });
    write(cluster, 0, 'a', 'x', 3);
    await drained(cluster, changed());
    t.deepEqual(await rowsOf([third], 'windows'), ['a@0 1']);
    await sameAsChangelogs(t, cluster, [third]);
    t.regex(back.of('windows').join(), /starts empty/);
    await stop(third);
    const fourth = await startClient(t, cluster, without, { disk: stateDisk });
    await stop(fourth);
  }
});

test('a store whose windows, serde or grouping have changed is refused by its name, with a folder and without, and the old program goes on', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  const first = await startClient(t, cluster, changed(), { disk });
  write(cluster, 0, 'a', 'x', 1);
  await drained(cluster, changed());
  await stop(first);
  const refused: [change: Parameters<typeof changed>[0], message: RegExp][] = [
    [{ windows: (_b, all) => windowCounts(all, 20) }, /store windows was window, .*10.* and is now window, .*20/],
    [
      {
        'by-value': (_b, all) =>
          void all
            .groupBy((_key, value) => value, { name: 'by-value', ...texts })
            .aggregate(
              () => 0.5,
              (_key, _value, sum) => sum,
              { name: 'by-value-counts', valueSerde: Serdes.float64 },
            ),
      },
      /store by-value-counts was key-value, string -> int64, and is now key-value, string -> float64/,
    ],
    [
      { 'by-value': (_b, all) => valueCounts(all, 'by-letter') },
      /store by-value-counts was fed by by-value-repartition, and is now by by-letter-repartition/,
    ],
  ];
  for (const [change, message] of refused)
    for (const stateDisk of [disk, new Disk()])
      t.regex((await refusal(t, cluster, changed(change), stateDisk)).message, message);
  const serdes = changed({
    'by-value': (_b, all) =>
      void all
        .mapValues((value) => value.length)
        .groupBy((_key, value) => String(value), {
          name: 'by-value',
          keySerde: Serdes.string,
          valueSerde: Serdes.int64,
        })
        .count({ name: 'by-value-counts' }),
  });
  t.regex(
    (await refusal(t, cluster, serdes, new Disk())).message,
    /repartition topic by-value-repartition carried string -> string, and carries string -> int64 now/,
  );
  const other = changed({ windows: () => {}, 'by-value': (_b, all) => valueCounts(all, 'other', 'other-counts') });
  for (const stateDisk of [disk, new Disk()])
    t.regex(
      (await refusal(t, cluster, other, stateDisk)).message,
      /none of its stores \((by-value-counts, windows|windows, by-value-counts)\)/,
    );
  const again = await startClient(t, cluster, changed(), { disk });
  write(cluster, 0, 'a', 'x', 2);
  await drained(cluster, changed());
  t.deepEqual(await rowsOf([again], 'windows'), ['a@0 2']);
  t.deepEqual(await rowsOf([again], 'by-value-counts'), ['x 2']);
});

test('sub-topologies that become one, or several, are refused', async (t) => {
  const apart = new StreamsBuilder();
  for (const topic of ['in', 'other'])
    apart
      .stream(topic, texts)
      .groupByKey()
      .count({ name: `${topic}-counts` });
  const together = new StreamsBuilder();
  const streams = ['in', 'other'].map((topic) => together.stream(topic, texts)) as [Words, Words];
  streams.forEach((stream, i) => void stream.groupByKey().count({ name: `${['in', 'other'][i]}-counts` }));
  streams[0].merge(streams[1]).peek(() => {});
  const [two, one] = [apart.build(), together.build()];
  for (const [before, after, message] of [
    [two, one, /topics in, other were read by several sub-topologies, and are now by one/],
    [one, two, /topics in and other were read by one sub-topology, and are now by several/],
  ] as const) {
    const cluster = clusterOf(1);
    cluster.createTopic('other', 1);
    const client = await startClient(t, cluster, before);
    write(cluster, 0, 'a', 'x', 1);
    cluster.write('other', 0, [{ key: 'a', value: 'x', timestamp: 1 }]);
    await drained(cluster, before);
    await stop(client);
    t.regex((await refusal(t, cluster, after, new Disk())).message, message);
  }
});

test('a topic that joins those of a sub-topology is read from its begin, and one that leaves them stays where it was', async (t) => {
  const program = (topics: readonly string[]): Topology => {
    const builder = new StreamsBuilder();
    const all = builder.stream(topics, texts).peek(() => {});
    all.to('out');
    return builder.build();
  };
  const cluster = clusterOf(1);
  for (const topic of ['again', 'out']) cluster.createTopic(topic, 1);
  const say = (topic: string): number => cluster.write(topic, 0, [{ key: topic, value: 'x', timestamp: 1 }]);
  for (const [topics, again, own] of [
    [['in'], 0, 1],
    [['again', 'in'], 2, 2],
    [['in'], 2, 3],
    [['again', 'in'], 4, 4],
    [['again'], 5, 4],
    [['again', 'in'], 6, 6],
  ] as const) {
    for (const topic of ['in', 'again']) say(topic);
    const client = await startClient(t, cluster, program(topics));
    await drained(cluster, program(topics));
    const out = messages(cluster, 'out');
    t.is(out.filter((text) => text === 'again=x').length, again, topics.join());
    t.is(out.filter((text) => text === 'in=x').length, own, topics.join());
    await stop(client);
  }
});

test('punctuations belong to the names of their nodes', async (t) => {
  const timer = (name: string, everyMs: number, fired: string[]) => ({
    name,
    supplier: () => ({
      init: (context: ProcessorContext<string, string>) =>
        void context.schedule(everyMs, 'stream-time', (at) => void fired.push(`${name} ${at}`)),
      process: () => {},
    }),
  });
  const program = (fired: string[], ...names: readonly (readonly [string, number])[]): Topology => {
    const topology = new Topology().addSource('source', 'in', texts);
    for (const [name, everyMs] of names) {
      const { supplier } = timer(name, everyMs, fired);
      topology.addProcessor(name, supplier, 'source');
    }
    return topology;
  };
  const cluster = clusterOf(1);
  const fired: string[] = [];
  const before = program(fired, ['slow', 100], ['fast', 10]);
  const first = await startClient(t, cluster, before);
  write(cluster, 0, 'a', 'x', 5);
  await drained(cluster, before);
  await stop(first);
  t.deepEqual(fired, ['slow 5', 'fast 5']);
  const after = program(fired, ['fast', 10], ['slow', 100]);
  const second = await startClient(t, cluster, after);
  // Only the fast one is due: by their order it would be the slow one.
  write(cluster, 0, 'a', 'x', 12);
  await drained(cluster, after);
  t.deepEqual(fired, ['slow 5', 'fast 5', 'fast 12']);
  await stop(second);
});

test('a statistic behind a repartition topic that comes back after all did without it is new, and what was left on its way does not count', async (t) => {
  const cluster = clusterOf(2);
  const without = changed({ 'by-value': () => {} });
  const other = changed({ 'by-value': (_b, all) => valueCounts(all, 'by-letter') });
  const first = await startClient(t, cluster, changed());
  for (const partition of [0, 1]) write(cluster, partition, 'a', 'x', 1);
  await drained(cluster, changed());
  await stop(first);
  // Sent by a task whose reader was stopped before it had read it.
  const late = changed();
  const second = newClient(t, cluster, without);
  cluster.write('app-by-value-repartition', 0, [{ key: 'x', value: 'x', timestamp: 1 }]);
  await second.streams.start();
  await until(() => second.streams.state === 'RUNNING', 'it runs');
  for (const partition of [0, 1]) write(cluster, partition, 'a', 'y', 2);
  await drained(cluster, without);
  await stop(second);
  const log = heard();
  const third = await startClient(t, cluster, late, { logger: log.logger });
  write(cluster, 0, 'a', 'z', 3);
  await drained(cluster, late);
  t.deepEqual(await rowsOf([third], 'by-value-counts'), ['z 1']);
  t.deepEqual(await rowsOf([third], 'windows'), ['a@0 2', 'a@0 3'], 'of two partitions');
  await sameAsChangelogs(t, cluster, [third]);
  t.regex(log.of('by-value-counts').join(), /starts empty/);
  await stop(third);
  // With another grouping it may come back, once it is gone.
  await stop(await startClient(t, cluster, without));
  const fourth = await startClient(t, cluster, other);
  write(cluster, 0, 'a', 'w', 4);
  await drained(cluster, other);
  t.deepEqual(await rowsOf([fourth], 'by-value-counts'), ['w 1']);
});

test('whatever ends the first start of a program without a store, or the way back, the old program goes on from all its rows', async (t) => {
  const named = (...names: readonly string[]): Topology => {
    const builder = new StreamsBuilder();
    const all = builder.stream('in', texts);
    for (const name of names) all.groupByKey().count({ name });
    return builder.build();
  };
  const old = named('counts', 'others');
  let deaths = 0;
  for (const next of [named('counts', 'new'), named('counts')])
    for (const back of [0, 1, 2])
      for (let writes = 0; ; writes++) {
        const cluster = clusterOf(1);
        const broker = cluster.connect();
        const committed = async (): Promise<string> =>
          JSON.stringify(await broker.admin.committed(app, [{ topic: 'in', partition: 0 }]));
        const disk = new Disk();
        const first = await startClient(t, cluster, old, { disk });
        for (const at of [1, 2, 3]) write(cluster, 0, 'a', 'x', at);
        await drained(cluster, old);
        await stop(first);
        const before = await committed();
        const dies = async (program: Topology, after: number): Promise<void> => {
          const client = newClient(t, cluster, program, { disk, openDatabase: dyingAfter(disk, 'tasks', after) });
          await client.streams.start();
          await until(
            () => client.uncaught.length > 0 || client.streams.state === 'RUNNING',
            'it is as far as it comes',
          );
          kill(cluster, client);
        };
        await dies(next, writes);
        // From then on it is a store that a program did without.
        if ((await committed()) !== before) break;
        deaths++;
        await dies(old, back);
        const last = await startClient(t, cluster, old, { disk });
        for (const at of [4, 5]) write(cluster, 0, 'a', 'x', at);
        await drained(cluster, old);
        for (const store of ['counts', 'others'])
          t.deepEqual(await rowsOf([last], store), ['a 5'], `${store}, ${writes} writes and ${back} on the way back`);
        await stop(last);
        await broker.close();
      }
  t.true(deaths > 20, String(deaths));
});

test('a sub-topology that is new begins once, though two instances start with it at the same time and one takes its tasks from the other', async (t) => {
  const cluster = clusterOf(2);
  cluster.createTopic('other', 2);
  const more = changed({
    before: (builder) => void builder.stream('other', texts).groupByKey().count({ name: 'other-counts' }),
  });
  const others = (count: number): void => {
    for (let i = 0; i < count; i++)
      for (const partition of [0, 1])
        cluster.write('other', partition, [{ key: `o${partition}`, value: 'x', timestamp: 1 + i }]);
  };
  const first = await startClient(t, cluster, changed());
  for (const partition of [0, 1]) write(cluster, partition, 'a', 'x', 1);
  await drained(cluster, changed());
  await stop(first);
  const clients = [newClient(t, cluster, more), newClient(t, cluster, more)] as const;
  await Promise.all(clients.map(({ streams }) => streams.start()));
  others(7);
  await drained(cluster, more);
  t.deepEqual(await rowsOf(clients, 'other-counts'), ['o0 7', 'o1 7']);
  await stop(clients[0]);
  others(2);
  await drained(cluster, more);
  t.deepEqual(await rowsOf([clients[1]], 'other-counts'), ['o0 9', 'o1 9']);
  t.deepEqual(await rowsOf([clients[1]], 'by-value-counts'), ['x 2']);
});

for (const killed of [false, true])
  test(`two instances get a program with more and fewer statistics one after the other under load${killed ? ', and one is killed at each step' : ''}: what both programs have is exact`, async (t) => {
    const older = changed({
      after: (_b, all) => valueCounts(all, 'by-gone', 'gone-counts'),
    });
    const newer = changed({
      before: (builder) => void builder.stream('other', texts).groupByKey().count({ name: 'other-counts' }),
      windows: (_b, all) => {
        all.groupByKey().count({ name: 'by-key' });
        valueCounts(all);
      },
      'by-value': (_b, all) =>
        windowCounts(
          all.peek(() => {}),
          10,
        ),
      after: (_b, all) => valueCounts(all, 'by-new', 'new-counts'),
    });
    const cluster = clusterOf(4);
    cluster.createTopic('other', 2);
    const disks = [new Disk(), new Disk()];
    let written = 0;
    let saying = true;
    const load = (async () => {
      while (saying) {
        write(cluster, written % 4, `k${written % 4}`, 'x', 1 + written);
        cluster.write('other', written % 2, [{ key: `o${written % 2}`, value: 'x', timestamp: 1 + written }]);
        written++;
        await sleep(3);
      }
    })();
    const clients: TestClient[] = [];
    for (const i of [0, 1]) clients[i] = await startClient(t, cluster, older, { disk: disks[i]! });
    await sleep(100);
    const end = async (i: number): Promise<void> => {
      if (!killed) return stop(clients[i]!);
      kill(cluster, clients[i]!);
    };
    // One, the other, and back and forth: tasks may go from the newer program to the older one.
    for (const [i, program] of [
      [1, newer],
      [1, newer],
      [0, newer],
    ] as const) {
      await end(i);
      await sleep(50);
      clients[i] = await startClient(t, cluster, program, { disk: disks[i]! });
      await sleep(100);
    }
    saying = false;
    await load;
    await drained(cluster, newer);
    t.deepEqual(await rowsOf(clients, 'by-value-counts'), [`x ${written}`]);
    t.deepEqual(await rowsOf(clients, 'other-counts'), [
      `o0 ${Math.ceil(written / 2)}`,
      `o1 ${Math.floor(written / 2)}`,
    ]);
    const windows = new Map<string, number>();
    for (let n = 0; n < written; n++) {
      const window = `k${n % 4}@${10 * Math.floor((1 + n) / 10)}`;
      windows.set(window, (windows.get(window) ?? 0) + 1);
    }
    t.deepEqual(await rowsOf(clients, 'windows'), [...windows].map(([window, count]) => `${window} ${count}`).sort());
    // What is new counts less than all, and something.
    const [count] = (await rowsOf(clients, 'new-counts')).map((row) => Number(row.split(' ')[1]));
    t.true(count! > 0 && count! < written, `${count} of ${written}`);
    await sameAsChangelogs(t, cluster, clients);
    t.deepEqual(
      clients.flatMap(({ uncaught }) => uncaught),
      [],
    );
  });

/** What a version before 1.0 committed in the place of this: numbers in the order of names on the broker, and no names. */
function asVersion1(text: string): string {
  const { x: _x, w: _w, v: _v, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify({ v: 1, ...rest });
}

test('what a version before 1.0 has committed goes on without loss, also with stateless nodes more, and with the folder in another order', async (t) => {
  const orders = {
    before: (builder: StreamsBuilder) => void builder.stream('other', texts).peek(() => {}),
    windows: (_b: StreamsBuilder, all: Words) => valueCounts(all.peek(() => {})),
    'by-value': (_b: StreamsBuilder, all: Words) => windowCounts(all, 10),
  };
  for (const [next, withFolder] of [
    [changed(), false],
    [changed({ after: (_b, all) => void all.peek(() => {}) }), false],
    [changed(orders), true],
  ] as const) {
    const cluster = clusterOf(2);
    cluster.createTopic('other', 2);
    const disk = new Disk();
    const first = await startClient(t, cluster, changed(), { disk });
    write(cluster, 0, 'a', 'x', 1);
    write(cluster, 0, 'b', 'x', 14);
    write(cluster, 1, 'c', 'y', 3);
    await drained(cluster, changed());
    await stop(first);
    const { admin } = cluster.connect();
    const places = ['in', 'app-by-value-repartition'].flatMap((topic) =>
      [0, 1].map((partition) => ({ topic, partition })),
    );
    const committed = await admin.committed(app, places);
    await admin.setCommitted(
      app,
      places.flatMap((place, i) =>
        committed[i] === undefined
          ? []
          : [{ ...place, offset: committed[i].offset, metadata: asVersion1(committed[i].metadata) }],
      ),
    );
    const second = await startClient(t, cluster, next, { disk: withFolder ? disk : new Disk() });
    write(cluster, 0, 'a', 'x', 5);
    write(cluster, 1, 'c', 'x', 5);
    await drained(cluster, next);
    t.deepEqual(await rowsOf([second], 'windows'), ['a@0 1', 'b@10 1', 'c@0 2']);
    t.deepEqual(await rowsOf([second], 'by-value-counts'), ['x 4', 'y 1']);
    t.is(second.streams.taskOf('windows', 1), '0_1', 'by the number that it had');
    await sameAsChangelogs(t, cluster, [second]);
    const now = await admin.committed(app, places.slice(0, 2));
    t.true(now.every((each) => each?.metadata.startsWith('{"v":2,') === true));
    await stop(second);
  }
});

test('a commit that this version does not know is refused, not read wrongly', async (t) => {
  const cluster = clusterOf(1);
  const first = await startClient(t, cluster, changed());
  write(cluster, 0, 'a', 'x', 1);
  await drained(cluster, changed());
  await stop(first);
  const { admin } = cluster.connect();
  const [committed] = await admin.committed(app, [{ topic: 'in', partition: 0 }]);
  const metadata = committed!.metadata.replace('{"v":2,', '{"v":3,');
  await admin.setCommitted(app, [{ topic: 'in', partition: 0, offset: committed!.offset, metadata }]);
  const { streams } = newClient(t, cluster, changed());
  await t.throwsAsync(streams.start(), { code: 'STREAMS_INPUT_REFUSED', message: /set by something else/ });
});
