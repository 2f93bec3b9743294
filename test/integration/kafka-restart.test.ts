import { spawnSync } from 'node:child_process';
import test from 'ava';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { KafkaPart, newName, newProducer, newTopic, readAll, textsOf, until } from './helpers/kafka-clients.ts';

// One broker that is stopped and killed: one test after the other.
const kafka = await KafkaPart.start({ throughProxy: false, properties: { 'group.min.session.timeout.ms': '500' } });

kafka.test(
  'a broker is killed and comes back while a writer, a reader and a member are at work: nothing is lost or doubled',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap], timeoutMs: 60_000 });
    const [topic, group] = [await newTopic(broker, 2), newName('group')];
    const read: FetchedRecords[][] = [[], []];
    const failures: Error[] = [];
    const fetcher = broker.fetcher({
      receive: (records) => read[records.partition]!.push(records),
      failed: (_partition, _kind, error) => failures.push(error),
    });
    for (const partition of [0, 1]) fetcher.add({ topic, partition, offset: 0 });
    const told: string[] = [];
    const member = broker.member({
      groupId: group,
      topics: [topic],
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      heartbeatIntervalMs: 100,
      userData: () => new Uint8Array(0),
      assign: async (members) =>
        new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: new Uint8Array(0) }])),
      rebalancing: () => told.push('rebalancing'),
      assigned: async (_assignment, generation) => void told.push(`assigned ${generation}`),
      lost: (reason) => told.push(`lost: ${reason}`),
      failed: (error) => told.push(`failed: ${error.message}`),
    });
    member.start();

    const transactionalId = newName('id');
    let producer = await newProducer(broker, { transactionalId });
    const committed: string[] = [];
    let position = 0;
    let rounds = 0;
    let isOver = false;
    const write = async (): Promise<void> => {
      while (!isOver) {
        const value = `${position + 1}`;
        for (const partition of [0, 1]) producer.append(topic, partition, 1, undefined, Buffer.from(value));
        try {
          await producer.commit(group, [{ topic, partition: 0, offset: position + 1, metadata: '' }]);
          position++;
        } catch (error) {
          if (!StreamsError.is(error)) throw error;
          // Of unknown outcome: go on from what the broker says, as a new owner.
          await producer.close();
          producer = await newProducer(broker, { transactionalId });
          const [found] = await broker.admin.committed(group, [{ topic, partition: 0 }]);
          position = found?.offset ?? 0;
        }
        rounds++;
      }
    };
    const writing = write();
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const before = rounds;
      await until('it is at work', () => rounds > before + 20);
      await kafka.server.kill(signal);
      await kafka.server.restart();
    }
    const before = rounds;
    await until('it is at work', () => rounds > before + 20);
    isOver = true;
    await writing;
    for (let i = 1; i <= position; i++) committed.push(`${i}`);
    t.deepEqual(await readAll(broker, topic, 0), committed);
    t.deepEqual(await readAll(broker, topic, 1), committed);
    for (const partition of [0, 1]) {
      await until('the reader has all', () => read[partition]!.flatMap(textsOf).length >= committed.length);
      t.deepEqual(read[partition]!.flatMap(textsOf), committed);
    }
    t.deepEqual(failures, []);
    await until('the member is confirmed', () => member.confirm());
    t.deepEqual(
      told.filter((what) => /lost|failed/.test(what)),
      [],
    );
    await member.leave();
  },
  test.serial,
);

kafka.test(
  'while the broker is stopped calls end with STREAMS_BROKER, and members leave without it',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap], timeoutMs: 2000 });
    const topic = await newTopic(broker);
    const producer = await newProducer(broker);
    producer.append(topic, 0, 1, undefined, Buffer.from('a'));
    await producer.flush();
    await kafka.server.kill('SIGSTOP');
    // A signal is on its way for a while; until then requests are answered.
    const state = (): string =>
      spawnSync('ps', ['-o', 'stat=', '-p', `${kafka.server.pid}`], { encoding: 'utf8' }).stdout;
    await until('it is stopped', () => state().startsWith('T'));
    const code = async (call: Promise<unknown>): Promise<string | undefined> => {
      const error = await t.throwsAsync(call, { instanceOf: StreamsError });
      return (error as StreamsError | undefined)?.code;
    };
    t.is(await code(broker.admin.listTopics()), 'STREAMS_BROKER');
    t.is(await code(producer.commit()), 'STREAMS_BROKER');
    t.is(await code(producer.commit()), 'STREAMS_BROKER');
    const member = broker.member({
      groupId: newName('group'),
      topics: [topic],
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      userData: () => new Uint8Array(0),
      assign: async () => new Map(),
      rebalancing: () => {},
      assigned: async () => {},
      lost: () => {},
      failed: () => {},
    });
    member.start();
    await member.leave();
    await broker.close();
    await kafka.server.kill('SIGCONT');
    const again = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    t.true((await again.admin.listTopics()).includes(topic));
  },
  test.serial,
);
