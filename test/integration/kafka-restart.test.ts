import { spawnSync } from 'node:child_process';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { AtWork } from './helpers/at-work.ts';
import { KafkaPart, newName, newProducer, newTopic, until } from './helpers/kafka-clients.ts';

// One broker that is stopped and killed: one test after the other.
const kafka = await KafkaPart.start({ throughProxy: false, properties: { 'group.min.session.timeout.ms': '500' } });

kafka.test(
  'a broker is killed and comes back while a writer, a reader and a member are at work: nothing is lost or doubled',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap], timeoutMs: 60_000 });
    const work = await AtWork.start(broker);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await work.goesOn();
      await kafka.server.kill(signal);
      await kafka.server.restart();
    }
    await work.goesOn();
    await work.end(t);
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
