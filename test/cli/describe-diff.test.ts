import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { ApplicationSpec } from '../../src/cli/application.ts';
import { describeCommand } from '../../src/cli/describe-command.ts';
import { resetCommand } from '../../src/cli/reset-command.ts';
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts';
import { EmbeddedStreams } from '../../src/runtime/embedded-streams.ts';
import { ApplicationProgress } from '../../src/runtime/kafka/application-progress.ts';
import { KafkaStreams } from '../../src/runtime/kafka/kafka-streams.ts';
import type { ReadOnlyKeyValueStore } from '../../src/runtime/read-only-stores.ts';
import { float64Serde, stringSerde } from '../../src/serde/serdes.ts';
import { ListFeed } from '../runtime/list-feed.ts';
import { CountsWorld, counts, countsSpec, countsTopology } from './fixtures/counted.ts';

/** The counts without those by letter, which another repartition topic feeds, with lengths, and as `by-word` says. */
function changed(byWord: 'as it was' | 'other serde'): ApplicationSpec {
  return {
    ...countsSpec,
    load: async () => ({
      ...(await countsSpec.load()),
      topology: (_settings, topics) => {
        const builder = new StreamsBuilder();
        const words = builder.stream(topics, { name: 'words', keySerde: stringSerde, valueSerde: stringSerde });
        const grouped = words.groupByKey();
        if (byWord === 'as it was') grouped.count({ name: 'by-word' });
        else
          grouped.aggregate(
            () => 0,
            (_key, _value, sum) => sum + 1,
            { name: 'by-word', valueSerde: float64Serde },
          );
        words
          .groupBy((key) => String(key.length), { name: 'length', keySerde: stringSerde })
          .count({ name: 'by-length' });
        return builder.build();
      },
    }),
  };
}

const describeOf = (world: CountsWorld, spec: ApplicationSpec) =>
  describeCommand(spec, async () => world.cluster.connect());

test('describe --diff says what a program would do to an application on Kafka, and changes nothing there', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 3000]);
  const before = [
    await world.topics(),
    await world.client().admin.committed('counts', [{ topic: 'words', partition: 0 }]),
  ];
  const same = await counts(describeOf(world, countsSpec), 'describe --diff');
  t.deepEqual([same.code, same.stdout], [0, 'keeps    by-word\nkeeps    by-letter\n']);
  const other = await counts(describeOf(world, changed('as it was')), 'describe --diff');
  t.is(other.code, 0, other.stderr);
  t.is(
    other.stdout,
    'keeps    by-word\n' +
      'adds     by-length: it starts empty, what was read before counts in it only with --rebuild by-length\n' +
      'removes  by-letter: its rows leave the state\n',
  );
  const refused = await counts(describeOf(world, changed('other serde')), 'describe --diff');
  t.is(refused.code, 3);
  t.regex(
    refused.stdout,
    /^refuses {2}store by-word was key-value, string -> int64, and is now key-value, string -> float64$/m,
  );
  t.regex(refused.stdout, /^rebuilds by-word, with --rebuild by-word$/m);
  t.regex(
    refused.stderr,
    /^STREAMS_STATE_INCOMPATIBLE: a store of this program is not as in application counts\. Make what changes anew with --rebuild by-word, give/,
  );
  t.deepEqual(
    [await world.topics(), await world.client().admin.committed('counts', [{ topic: 'words', partition: 0 }])],
    before,
  );
});

test('a program whose store has changed counts everything again after a reset, as a first run does', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 3000], ['ant', 3001]);
  const other = changed('other serde');
  const topology = (await other.load()).topology({} as never, ['words']);
  const start = async (): Promise<KafkaStreams> => {
    const streams = new KafkaStreams(topology, {
      ...{ broker: world.client(), applicationId: 'counts', stateDir: world.folder('a'), commitIntervalMs: 5 },
    });
    t.teardown(() => streams.close());
    await streams.start();
    return streams;
  };
  await t.throwsAsync(start(), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message:
      /store by-word was .*int64, and is now .*float64\..* after weir reset\. weir describe --diff --brokers says/,
  });
  const reset = resetCommand(other, async () => world.cluster.connect());
  const { code, stderr } = await counts(reset, `reset --brokers memory:1 --state ${world.folder('a')} --execute`);
  t.is(code, 0, stderr);
  const streams = await start();
  const progress = new ApplicationProgress(world.client().admin, topology, 'counts');
  await progress.untilCaughtUp(() => delay(2));
  // A task without records commits nothing that could be waited for.
  while (streams.state !== 'RUNNING') await delay(2);
  const rows: string[] = [];
  const read = async (name: string): Promise<void> => {
    const store = streams.store(name) as ReadOnlyKeyValueStore<string, number>;
    for await (const { key, value } of store.all()) rows.push(`${name} ${key}: ${value}`);
  };
  await read('by-word');
  await read('by-length');
  t.deepEqual(rows.sort(), ['by-length 3: 3', 'by-word ant: 2', 'by-word bee: 1']);
});

test('describe --diff of a folder says with which option the state of a replay goes on all the same, and which stores are made anew then', async (t) => {
  const world = new CountsWorld(t);
  const stateDir = world.folder('replayed');
  const streams = await EmbeddedStreams.open(countsTopology(['words'], 'names'), { stateDir });
  await streams.run([new ListFeed('words', [])]);
  await streams.close();
  const { code, stdout, stderr } = await counts(
    describeOf(world, changed('other serde')),
    `describe --diff ${stateDir}`,
  );
  t.is(code, 3);
  t.deepEqual(stdout.trimEnd().split('\n'), [
    'adds     by-length: it starts empty, what was read before counts in it only with --rebuild by-length',
    'removes  by-letter: its rows leave the state',
    'removes  names: its rows leave the state',
    'refuses  store by-word was key-value, string -> int64, and is now key-value, string -> float64',
    'rebuilds by-word, with --rebuild by-word',
  ]);
  t.regex(stderr, /Make what changes anew with --rebuild by-word, give a store that changes another name/);
});

test('describe --diff of an application that has committed nothing ends with 3', async (t) => {
  const world = new CountsWorld(t);
  const { code, stderr } = await counts(describeOf(world, countsSpec), 'describe --diff --application-id cuonts');
  t.is(code, 3);
  t.regex(stderr, /^STREAMS_STATE_MISSING: application cuonts has committed nothing/);
});

test('describe --diff without a folder and without brokers says what is missing', async (t) => {
  const { code, stderr } = await counts(describeCommand(countsSpec), 'describe --diff');
  t.is(code, 2);
  t.regex(stderr, /--brokers/);
});
