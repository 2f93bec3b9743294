import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import { KafkaPart, newName, newProducer, newTopic, textsOf, until } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({
  throughProxy: false,
  properties: { 'log.cleaner.backoff.ms': '100', 'log.cleaner.dedupe.buffer.size': '4000000' },
});

const connect = (): ReturnType<KafkaPart['connect']> => kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });

kafka.test(
  "Kafka's own consumer reads what is written here, in each compression, and sees no aborted record",
  async (t) => {
    const broker = connect();
    for (const compression of ['none', 'gzip', 'lz4', 'snappy'] as const) {
      // Records of 2017: by default the broker would delete them while they are read.
      const topic = await newTopic(broker, 1, { 'retention.ms': '-1' });
      const producer = await newProducer(broker, { compression });
      const expected: string[] = [];
      for (let i = 0; i < 300; i++) {
        const value = `${i} ${'v'.repeat(i)}`;
        const headers = i % 2 === 0 ? [{ key: 'h', value: Buffer.from(`x${i}`) }] : [];
        producer.append(
          topic,
          0,
          1_490_000_000_000 + i,
          i === 7 ? undefined : Buffer.from(`k${i}`),
          Buffer.from(value),
          headers,
        );
        expected.push(
          `CreateTime:${1_490_000_000_000 + i}|${i % 2 === 0 ? `h:x${i}` : 'NO_HEADERS'}|${i === 7 ? 'null' : `k${i}`}|${value}`,
        );
        if (i === 100) await producer.commit();
      }
      await producer.commit();
      producer.append(topic, 0, 1, undefined, Buffer.from('aborted'));
      await producer.flush();
      await producer.abort();
      producer.append(topic, 0, 1_500_000_000_000, Buffer.from('last'), undefined);
      await producer.commit();
      expected.push('CreateTime:1500000000000|NO_HEADERS|last|null');
      const printed = await kafka.server.tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...['--bootstrap-server', kafka.server.bootstrap, '--topic', topic, '--from-beginning'],
        ...['--isolation-level', 'read_committed', '--max-messages', '301', '--timeout-ms', '120000'],
        ...['timestamp', 'headers', 'key'].flatMap((what) => ['--formatter-property', `print.${what}=true`]),
        ...['--formatter-property', 'key.separator=|'],
      ]);
      const lines = printed.trim().split('\n');
      t.is(lines.length, expected.length, compression);
      t.is(
        lines.find((line, at) => line !== expected[at]),
        undefined,
        compression,
      );
    }
  },
);

kafka.test('what a Java producer has compressed is read, in each codec, in small batches and large ones', async (t) => {
  const broker = connect();
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i} ${i % 1000 === 0 ? 'v'.repeat(i * 10) : i * i}`);
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = await newTopic(broker);
    const args = ['--bootstrap-server', kafka.server.bootstrap, '--topic', topic, '--compression-codec', codec];
    await kafka.server.tool('org.apache.kafka.tools.ConsoleProducer', args, `${lines.join('\n')}\n`);
    const read: FetchedRecords[] = [];
    const fetcher = broker.fetcher({
      receive: (records) => read.push(records),
      failed: (_partition, _kind, error) => t.fail(error.message),
    });
    fetcher.add({ topic, partition: 0, offset: 0 });
    await until('it is read', () => read.at(-1)?.nextOffset === lines.length);
    await fetcher.close();
    t.deepEqual(read.flatMap(textsOf), lines, codec);
  }
});

kafka.test("Kafka's tool shows the members of a group and what each was given", async (t) => {
  const broker = connect();
  const topic = await newTopic(broker, 2);
  const groupId = newName('group');
  const member = broker.member({
    groupId,
    topics: [topic],
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 6000,
    userData: () => new Uint8Array([1, 2, 3]),
    assign: async (members) =>
      new Map(
        members.map(({ memberId }) => [
          memberId,
          { partitions: [{ topic, partition: 1 }], userData: new Uint8Array([9]) },
        ]),
      ),
    rebalancing: () => {},
    assigned: async () => {},
    lost: () => {},
    failed: (error) => t.fail(error.message),
  });
  member.start();
  await until('it is assigned', () => member.generation > 0);
  await member.commit([{ topic, partition: 1, offset: 0, metadata: '' }]);
  const args = ['--bootstrap-server', kafka.server.bootstrap, '--group', groupId, '--describe'];
  const printed = await kafka.server.tool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', args);
  const row = printed.split('\n').find((line) => line.includes(topic))!;
  t.deepEqual(row.trim().split(/\s+/).slice(0, 7), [groupId, topic, '1', '0', '0', '0', member.memberId]);
});

kafka.test('a compacted topic is read with its gaps from any position to its end', async (t) => {
  const broker = connect();
  const topic = await newTopic(broker, 1, {
    'cleanup.policy': 'compact',
    'segment.bytes': '1048576',
    'segment.ms': '1000',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '0',
  });
  const producer = await newProducer(broker);
  const last = new Map<string, string>();
  for (let round = 0; round < 12; round++) {
    const isCommitted = round % 3 !== 1;
    for (let i = 0; i < 20; i++) {
      const [key, value] = [`k${(i * (round + 1)) % 17}`, `${round}.${i}`];
      producer.append(topic, 0, 1, Buffer.from(key), Buffer.from(value));
      if (isCommitted) last.set(key, value);
    }
    await producer.flush();
    await (isCommitted ? producer.commit() : producer.abort());
  }
  const written = (await broker.admin.offsets([{ topic, partition: 0 }], 'latest'))[0]!;
  const read = async (offset: number): Promise<{ texts: (string | undefined)[]; offsets: number[]; end: number }> => {
    const got: FetchedRecords[] = [];
    const fetcher = broker.fetcher({
      receive: (records) => got.push(records),
      failed: (_partition, _kind, error) => t.fail(error.message),
    });
    const [end] = await broker.admin.offsets([{ topic, partition: 0 }], 'latest');
    fetcher.add({ topic, partition: 0, offset });
    await until(`${topic} is read`, () => (got.at(-1)?.nextOffset ?? -1) >= end!);
    await fetcher.close();
    return { texts: got.flatMap(textsOf), offsets: got.flatMap((one) => [...one.offsets]), end: end! };
  };
  const rolling = await newProducer(broker, { transactional: false });
  let records: Awaited<ReturnType<typeof read>> | undefined;
  await until('it is compacted', async () => {
    // A segment is compacted after a later one has begun.
    rolling.append(topic, 0, Date.now(), Buffer.from('filler'), Buffer.from('f'));
    await rolling.flush();
    await new Promise((resolve) => setTimeout(resolve, 300));
    records = await read(0);
    return records.offsets.filter((offset) => offset < written).length <= last.size + 5;
  });
  const values = records!.texts.filter((_, i) => records!.offsets[i]! < written);
  for (const value of last.values()) t.true(values.includes(value), value);
  for (let from = 0; from <= written; from += 7) {
    const part = await read(from);
    t.deepEqual(
      part.offsets.filter((offset) => offset < written),
      records!.offsets.filter((offset) => offset < written && offset >= from),
    );
  }
});
