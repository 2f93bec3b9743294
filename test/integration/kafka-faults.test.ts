import { createServer } from 'node:net';
import test from 'ava';
import type { GroupMemberOptions } from '../../src/clients/broker.ts';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import { openKafkaBroker } from '../../src/clients/kafka/kafka-broker.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { freePort } from '../helpers/parts.ts';
import { KafkaPart, newName, newProducer, newTopic, readAll, textsOf, until } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '500' } });

const moments = ['before', 'in', 'after'] as const;
const apiKeys = {
  Produce: 0,
  Fetch: 1,
  OffsetCommit: 8,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;

for (const api of [
  'FindCoordinator',
  'InitProducerId',
  'AddPartitionsToTxn',
  'Produce',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
] as const) {
  kafka.test(
    `a connection cut before, in and after ${api} harms no transaction: each is there once, whole`,
    async (t) => {
      for (const moment of moments) {
        const broker = kafka.connect();
        const topic = await newTopic(broker, 2);
        const group = newName('group');
        const cut = kafka.server.proxy!.cutOnce(apiKeys[api], moment, kafka.clientId(broker));
        const producer = await newProducer(broker);
        for (let i = 1; i <= 3; i++) {
          for (const partition of [0, 1]) producer.append(topic, partition, i, undefined, Buffer.from(`${i}`));
          const positions = await producer.commit(group, [{ topic, partition: 0, offset: i, metadata: `m${i}` }]);
          // Two records a round: the record and the marker.
          t.deepEqual([...positions.values()], [i * 2 - 1, i * 2 - 1]);
        }
        await cut;
        t.deepEqual(await readAll(broker, topic, 0), ['1', '2', '3']);
        t.deepEqual(await readAll(broker, topic, 1), ['1', '2', '3']);
        t.deepEqual(await broker.admin.committed(group, [{ topic, partition: 0 }]), [{ offset: 3, metadata: 'm3' }]);
      }
    },
  );
}

kafka.test('records without a transaction that are sent again after a cut are there once', async (t) => {
  const broker = kafka.connect();
  const topic = await newTopic(broker);
  const producer = await newProducer(broker, { transactional: false });
  const expected: string[] = [];
  for (const [round, moment] of [...moments, ...moments].entries()) {
    const cut = kafka.server.proxy!.cutOnce(apiKeys.Produce, moment, kafka.clientId(broker));
    for (let i = 0; i < 10; i++) {
      expected.push(`${round}.${i}`);
      producer.append(topic, 0, 1, undefined, Buffer.from(`${round}.${i}`));
    }
    await producer.flush();
    await cut;
  }
  t.deepEqual(await readAll(broker, topic), expected);
});

kafka.test('a reader whose connections are cut again and again gets each record once, in order', async (t) => {
  const broker = kafka.connect();
  const topic = await newTopic(broker, 2);
  const read: FetchedRecords[][] = [[], []];
  const failures: Error[] = [];
  const fetcher = broker.fetcher({
    maxPartitionBytes: 2000,
    receive: (records) => read[records.partition]!.push(records),
    failed: (_partition, _kind, error) => failures.push(error),
  });
  for (const partition of [0, 1]) fetcher.add({ topic, partition, offset: 0 });
  const writer = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
  const producer = await newProducer(writer, { transactional: false, maxBatchBytes: 1000 });
  const total = 3000;
  for (let i = 0; i < total; i++) {
    for (const partition of [0, 1]) producer.append(topic, partition, 1, undefined, Buffer.from(`${i}`));
    if (i % 300 === 299) {
      const cut = kafka.server.proxy!.cutOnce(apiKeys.Fetch, moments[((i / 300) % 3) | 0]!, kafka.clientId(broker));
      await producer.flush();
      await cut;
    }
  }
  const counted = (partition: number): number => read[partition]!.reduce((sum, { length }) => sum + length, 0);
  await until('all is read', () => counted(0) >= total && counted(1) >= total);
  const expected = Array.from({ length: total }, (_, i) => `${i}`);
  t.deepEqual(read[0]!.flatMap(textsOf), expected);
  t.deepEqual(read[1]!.flatMap(textsOf), expected);
  t.deepEqual(failures, []);
});

function memberOptions(groupId: string, topic: string, told: string[]): GroupMemberOptions {
  return {
    groupId,
    topics: [topic],
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 10_000,
    heartbeatIntervalMs: 100,
    userData: () => new Uint8Array(0),
    assign: async (members) =>
      new Map(
        members.map(({ memberId }) => [
          memberId,
          { partitions: [{ topic, partition: 0 }], userData: new Uint8Array(0) },
        ]),
      ),
    rebalancing: () => told.push('rebalancing'),
    assigned: async () => void told.push('assigned'),
    lost: (reason) => told.push(`lost: ${reason}`),
    failed: (error) => told.push(`failed: ${error.message}`),
  };
}

for (const api of ['JoinGroup', 'SyncGroup', 'Heartbeat', 'OffsetCommit'] as const) {
  kafka.test(
    `a member whose connection is cut before, in and after ${api} stays, or joins again, and commits`,
    async (t) => {
      for (const moment of moments) {
        const broker = kafka.connect();
        const [topic, group] = [await newTopic(broker), newName('group')];
        const told: string[] = [];
        const cut = kafka.server.proxy!.cutOnce(apiKeys[api], moment, kafka.clientId(broker));
        const member = broker.member(memberOptions(group, topic, told));
        member.start();
        await until('it is assigned', () => told.includes('assigned'));
        await member.commit([{ topic, partition: 0, offset: 7, metadata: '' }]);
        await cut;
        await until('it is confirmed', () => member.confirm());
        t.deepEqual(await broker.admin.committed(group, [{ topic, partition: 0 }]), [{ offset: 7, metadata: '' }]);
        t.deepEqual(
          told.filter((what) => /lost|failed/.test(what)),
          [],
        );
        await member.leave();
        await member.leave();
        t.is((await broker.admin.describeGroup(group)).members.length, 0);
      }
    },
  );
}

test.serial('where nobody listens every call ends with STREAMS_BROKER', async (t) => {
  const broker = openKafkaBroker({
    bootstrapServers: [`127.0.0.1:${await freePort()}`],
    clientId: 't',
    timeoutMs: 500,
  });
  const error = await t.throwsAsync(broker.admin.listTopics(), { instanceOf: StreamsError });
  t.is((error as StreamsError).code, 'STREAMS_BROKER');
  t.regex(error!.message, /ECONNREFUSED/);
  await t.throwsAsync(broker.producer({ transactional: false }).init(), { instanceOf: StreamsError });
  await broker.close();
});

test.serial('a server that takes connections and never answers ends every call with STREAMS_BROKER', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const broker = openKafkaBroker({ bootstrapServers: [`127.0.0.1:${port}`], clientId: 't', timeoutMs: 500 });
  for (const call of [
    () => broker.admin.partitionCounts(['a']),
    () => broker.admin.committed('g', [{ topic: 'a', partition: 0 }]),
    () => broker.producer({ transactional: true, transactionalId: 'x' }).init(),
  ]) {
    const error = await t.throwsAsync(call(), { instanceOf: StreamsError });
    t.is((error as StreamsError).code, 'STREAMS_BROKER');
  }
  const told: string[] = [];
  const member = broker.member(memberOptions('g', 'a', told));
  member.start();
  await member.leave();
  t.deepEqual(told, ['rebalancing']);
  await broker.close();
  server.close();
});

test.serial('addresses that are none are refused', async (t) => {
  for (const server of ['localhost', 'localhost:', ':9092', 'localhost:99999', 'localhost:x', '']) {
    const error = t.throws(() => openKafkaBroker({ bootstrapServers: [server], clientId: 't' }), {
      instanceOf: StreamsError,
    });
    t.is((error as StreamsError).code, 'STREAMS_CONFIG');
  }
  t.throws(() => openKafkaBroker({ bootstrapServers: [], clientId: 't' }), { instanceOf: StreamsError });
});
