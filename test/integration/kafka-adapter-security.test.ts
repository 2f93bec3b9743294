import type { KafkaBrokerOptions } from '../../src/clients/kafka/kafka-broker.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { kafkaUser } from '../helpers/kafka-security.ts';
import { KafkaPart, newName, newProducer, newTopic, readAll } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ secure: true, throughProxy: false });

function secured(options: Partial<KafkaBrokerOptions>): Partial<KafkaBrokerOptions> {
  return { bootstrapServers: [kafka.server.secured!], ssl: { ca: kafka.server.ca! }, timeoutMs: 20_000, ...options };
}

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  kafka.test(`over TLS with a login by ${mechanism} everything is as without`, async (t) => {
    const broker = kafka.connect(secured({ sasl: { mechanism, ...kafkaUser } }));
    const topic = await newTopic(broker);
    const group = newName('group');
    const producer = await newProducer(broker);
    for (const value of ['a', 'b']) {
      producer.append(topic, 0, 1, undefined, Buffer.from(value));
      await producer.commit(group, [{ topic, partition: 0, offset: 1, metadata: value }]);
    }
    t.deepEqual(await readAll(broker, topic), ['a', 'b']);
    t.deepEqual(await broker.admin.committed(group, [{ topic, partition: 0 }]), [{ offset: 1, metadata: 'b' }]);
  });

  kafka.test(`a wrong password is refused at once, by ${mechanism}`, async (t) => {
    const broker = kafka.connect(secured({ sasl: { mechanism, username: kafkaUser.username, password: 'wrong' } }));
    const error = await t.throwsAsync(broker.admin.listTopics(), { instanceOf: StreamsError });
    t.is((error as StreamsError).code, 'STREAMS_BROKER');
    t.false((error as StreamsError).retriable);
    t.regex(error!.message, /refuses the login/);
    t.notRegex(error!.message, /wrong/);
  });
}

kafka.test('a certificate that is not trusted is refused, unless nobody looks', async (t) => {
  const sasl = { mechanism: 'plain', ...kafkaUser } as const;
  const trusting = kafka.connect(secured({ ssl: true, sasl }));
  const error = await t.throwsAsync(trusting.admin.listTopics(), { instanceOf: StreamsError });
  t.is((error as StreamsError).code, 'STREAMS_BROKER');
  t.false((error as StreamsError).retriable);
  t.regex(error!.message, /certificate/);
  const careless = kafka.connect(secured({ ssl: { rejectUnauthorized: false }, sasl }));
  t.true(Array.isArray(await careless.admin.listTopics()));
});
