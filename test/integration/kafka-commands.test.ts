import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from '../../src/cli/doctor-check.ts';
import { doctorCommand } from '../../src/cli/doctor-command.ts';
import type { ApplicationLag } from '../../src/cli/lag.ts';
import { lagCommand } from '../../src/cli/lag-command.ts';
import { resetCommand } from '../../src/cli/reset-command.ts';
import { ApplicationProgress } from '../../src/runtime/kafka/application-progress.ts';
import { KafkaStreams } from '../../src/runtime/kafka/kafka-streams.ts';
import { counts, countsSpec, countsTopology, internalTopics } from '../cli/fixtures/counted.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ throughProxy: false });

kafka.test('lag, doctor and reset see what a real broker has, and a reset leaves nothing', async (t) => {
  const { bootstrap } = kafka.server;
  const state = await mkdtemp(join(tmpdir(), 'weir-commands-'));
  t.teardown(() => rm(state, { recursive: true, force: true }));
  const broker = kafka.connect({ bootstrapServers: [bootstrap] });
  const examine = async (): Promise<{ code: number; checks: Check[] }> => {
    const { code, stdout } = await counts(
      doctorCommand(countsSpec),
      `doctor --brokers ${bootstrap} --state ${state} --json`,
    );
    return { code, checks: (JSON.parse(stdout) as { checks: Check[] }).checks };
  };
  const lag = async (): Promise<{ code: number; stdout: string; stderr: string }> =>
    counts(lagCommand(countsSpec), `lag --brokers ${bootstrap} --json`);

  const without = await examine();
  t.is(without.code, 1);
  t.deepEqual(
    without.checks.filter(({ result }) => result === 'failed').map(({ about }) => about),
    ['topic words'],
  );
  t.is((await lag()).code, 3);

  await broker.admin.createTopics([
    { topic: 'words', partitions: 2, replicationFactor: -1, configs: { 'retention.ms': '604800000' } },
    { topic: 'names', partitions: 1, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } },
  ]);
  const producer = broker.producer({ transactional: false });
  await producer.init();
  for (const word of ['ant', 'bee', 'cat'])
    producer.append('words', 0, 1_500_000_000_000, Buffer.from(word), Buffer.from(''));
  await producer.flush();
  const topology = countsTopology(['words'], 'names');
  const streams = new KafkaStreams(topology, {
    broker,
    applicationId: 'counts',
    stateDir: state,
    commitIntervalMs: 20,
  });
  t.teardown(() => streams.close());
  await streams.start();
  await new ApplicationProgress(broker.admin, topology, 'counts').untilCaughtUp(() => delay(20));

  const running = await examine();
  t.is(running.code, 0);
  const said = running.checks.map(({ about, result, text }) => `${result} ${about}: ${text}`);
  t.true(
    said.some((line) => /^ok group counts: 1 instance \(client-\w+ at 127\.0\.0\.1\), 0 records behind$/.test(line)),
    said.join('\n'),
  );
  t.true(said.includes('ok internal topics: 3 of 3 are there, as 4 tasks need them'), said.join('\n'));
  t.true(said.some((line) => line.startsWith('ok transactions: supported')));
  t.true(
    said.some((line) =>
      line.startsWith('warning topic words: retention.ms is 604800000 and it holds records of 2017-07-14'),
    ),
  );
  const refused = await counts(resetCommand(countsSpec), `reset --brokers ${bootstrap} --state ${state} --execute`);
  t.is(refused.code, 3);
  t.regex(refused.stderr, /^STREAMS_INPUT_REFUSED: application counts runs/);

  await streams.close();
  for (const word of ['ant', 'bee']) producer.append('words', 1, 1_500_000_000_000, Buffer.from(word), Buffer.from(''));
  await producer.flush();
  const behind = JSON.parse((await lag()).stdout) as ApplicationLag;
  t.deepEqual([behind.lag, behind.group], [2, { state: 'Empty', instances: 0, members: 0 }]);
  const read = behind.partitions.find(({ topic, partition }) => topic === 'words' && partition === 0)!;
  t.deepEqual([read.position, read.end, read.streamTimeMs], [3, 3, 1_500_000_000_000]);

  const { code, stderr } = await counts(
    resetCommand(countsSpec),
    `reset --brokers ${bootstrap} --state ${state} --execute`,
  );
  t.is(code, 0, stderr);
  const left = await broker.admin.listTopics();
  t.deepEqual(
    internalTopics.filter((topic) => left.includes(topic)),
    [],
  );
  for (const topic of ['words', 'names', 'counts-dead-letters', 'counts-late']) t.true(left.includes(topic), topic);
  t.is((await broker.admin.describeGroup('counts')).state, 'Dead');
  t.deepEqual(await readdir(state), []);
  t.is((await lag()).code, 3);
});
