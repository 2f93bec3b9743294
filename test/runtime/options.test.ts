import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import { EmbeddedStreams, KafkaStreams, Serdes, StreamsBuilder } from '../../src/index.ts';

const builder = new StreamsBuilder();
builder.stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string }).groupByKey().count({ name: 'n' });
const topology = builder.build();

/** What a program without types may give, and what it is told. */
const wrong: readonly (readonly [given: object, told: RegExp, error: typeof TypeError | typeof RangeError])[] = [
  [{ commitIntervallMs: 5 }, /no option commitIntervallMs\. Did you mean commitIntervalMs\?/, TypeError],
  [{ commitIntervalMs: '500' }, /commitIntervalMs of \w+ is "500": give a number/, TypeError],
  [{ commitIntervalMs: Number.NaN }, /commitIntervalMs of \w+ is NaN: give 0 or more/, RangeError],
  [{ maxFutureMs: -1 }, /maxFutureMs of \w+ is -1: give 0 or more/, RangeError],
  [{ syncWrites: 'false' }, /syncWrites of \w+ is "false": give a boolean/, TypeError],
  [{ logger: null }, /logger of \w+ is null: give an object/, TypeError],
  [{ toString: 5 }, /no option toString/, TypeError],
];

test('EmbeddedStreams refuses threads, with why there is one', async (t) => {
  const options = { stateDir: 'unused', numStreamThreads: 2 };
  await t.throwsAsync(EmbeddedStreams.open(topology, options), {
    instanceOf: TypeError,
    message: /numStreamThreads: a state over files is one database.*KafkaStreams\.fromModule/,
  });
});

for (const [given, told, error] of wrong) {
  const shown = Object.entries(given).map(([name, value]) => `${name}: ${JSON.stringify(value) ?? value}`)[0];
  test(`KafkaStreams refuses the option ${shown}`, async (t) => {
    const broker = await new MemoryCluster().connect();
    t.teardown(() => broker.close());
    const options = { broker, applicationId: 'a', stateDir: 'unused', ...given };
    t.regex(t.throws(() => new KafkaStreams(topology, options), { instanceOf: error }).message, told);
  });

  test(`EmbeddedStreams refuses the option ${shown}, and makes no folder`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'weir-options-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const stateDir = join(directory, 'state');
    const thrown = await t.throwsAsync(EmbeddedStreams.open(topology, { stateDir, ...given }), { instanceOf: error });
    t.regex(thrown.message, told);
    await t.throwsAsync(rm(stateDir), { code: 'ENOENT' });
  });
}

test('KafkaStreams says which option is missing, and which words there are', async (t) => {
  const broker = await new MemoryCluster().connect();
  t.teardown(() => broker.close());
  const make = (options: object) => () => new KafkaStreams(topology, options as never);
  t.regex(t.throws(make({ broker, stateDir: 'unused' })).message, /needs the option applicationId/);
  t.regex(t.throws(make({ applicationId: 'a' })).message, /needs the option bootstrapServers/);
  t.regex(
    t.throws(make({ broker, applicationId: 'a', stateDir: 'unused', guarantee: 'exactly_once_v3' })).message,
    /guarantee of KafkaStreams is "exactly_once_v3": give one of exactly_once, at_least_once/,
  );
});

/** What a client on Kafka is told when it is made, and the heartbeats that its member of the group gets. */
async function made(t: ExecutionContext, options: object): Promise<{ told: object[]; heartbeatIntervalMs: unknown }> {
  const connected = new MemoryCluster();
  connected.createTopic('in', 1);
  const broker = connected.connect();
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-options-'));
  const told: object[] = [];
  const warn = (fields: object): unknown => told.push(fields);
  const logger = { ...silentLogger, warn } as Logger;
  let heartbeatIntervalMs: unknown;
  const member = broker.member.bind(broker);
  broker.member = (given) => {
    ({ heartbeatIntervalMs } = given);
    return member(given);
  };
  const streams = new KafkaStreams(topology, { broker, applicationId: 'a', stateDir, logger, ...options });
  t.teardown(async () => {
    await streams.close();
    await broker.close();
    await rm(stateDir, { recursive: true });
  });
  await streams.start();
  return { told, heartbeatIntervalMs };
}

test('heartbeats are sent as often as they are set, and such that leave no room for a late one are told with both numbers', async (t) => {
  const rare = { heartbeatIntervalMs: 20_000, sessionTimeoutMs: 45_000 };
  t.deepEqual(await made(t, rare), { told: [rare], heartbeatIntervalMs: 20_000 });
  t.deepEqual(await made(t, { ...rare, heartbeatIntervalMs: 15_000 }), { told: [], heartbeatIntervalMs: 15_000 });
  // Not set: a third of a short session.
  t.deepEqual(await made(t, { sessionTimeoutMs: 900 }), { told: [], heartbeatIntervalMs: 300 });
  t.deepEqual(await made(t, {}), { told: [], heartbeatIntervalMs: 1000 });
});

test('heartbeats as rare as the session is long, and times beyond those of timers, are refused', async (t) => {
  const broker = new MemoryCluster().connect();
  t.teardown(() => broker.close());
  const make = (given: object) => () =>
    new KafkaStreams(topology, { broker, applicationId: 'a', stateDir: 'unused', ...given });
  const told = (given: object): string => t.throws(make(given), { instanceOf: RangeError }).message;
  t.regex(
    told({ heartbeatIntervalMs: 6000, sessionTimeoutMs: 6000 }),
    /is 6000: give less than sessionTimeoutMs, which is 6000/,
  );
  t.regex(told({ heartbeatIntervalMs: 45_000 }), /give less than sessionTimeoutMs, which is 45000/);
  t.regex(
    told({ metadataMaxAgeMs: Number.POSITIVE_INFINITY }),
    /metadataMaxAgeMs of KafkaStreams is Infinity: give 2147483647 or less/,
  );
  t.regex(
    told({ rebalanceTimeoutMs: 2 ** 31 }),
    /rebalanceTimeoutMs of KafkaStreams is 2147483648: give 2147483647 or less/,
  );
});
