import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
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
