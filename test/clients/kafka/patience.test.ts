import test from 'ava';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { type Logger, silentLogger } from '../../../src/common/logger.ts';
import { freePort } from '../../helpers/parts.ts';
import { failure, scripted, text, until } from './scripted.ts';
import { Bytes } from './scripted-broker.ts';

// What takes seconds of real time: in one file, so that all wait at once.

const [produce, metadata, initProducerId] = [0, 3, 22];
const unknownTopic = 3;

test('a topic that no broker knows is given up after a while', async (t) => {
  const { script, broker } = await scripted(t, 20_000);
  script
    .on(initProducerId, () => new Bytes().int32(0).int16(0).int64(5000).int16(3))
    .on(metadata, () => script.metadata([{ topic: 't', error: unknownTopic, leaders: [] }]));
  const producer = broker.producer({ transactional: false, transactionalId: 'id' });
  await producer.init();
  producer.append('t', 0, 1000, undefined, text('a'));
  const { code, message } = await failure(t, producer.flush());
  t.is(code, 'STREAMS_BROKER');
  t.regex(message, /UNKNOWN_TOPIC_OR_PARTITION/);
  t.is(script.count(produce), 0);
});

test('a partition that does not exist is told after a while', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(metadata, () => script.metadata([{ topic: 't', leaders: [7] }]));
  const failures: Error[] = [];
  const fetcher = broker.fetcher({ receive: () => {}, failed: (_partition, _kind, error) => failures.push(error) });
  fetcher.add({ topic: 't', partition: 5, offset: 0 });
  await until(() => failures.length > 0);
  t.regex(failures[0]!.message, /UNKNOWN_TOPIC_OR_PARTITION/);
});

test('a broker that does not answer is told of after a while, with the time that is left', async (t) => {
  const told: string[] = [];
  const note = (_fields: object, text: string): void => void told.push(text);
  const logger = { ...silentLogger, warn: note } as Logger;
  // Nobody listens there.
  const port = await freePort();
  const broker = openKafkaBroker({
    bootstrapServers: [`127.0.0.1:${port}`],
    clientId: 'test',
    timeoutMs: 6000,
    logger,
  });
  t.teardown(() => broker.close());
  t.is((await failure(t, broker.admin.listTopics())).code, 'STREAMS_BROKER');
  t.is(told.length, 1);
  t.regex(told[0]!, /^listing topics: .*ECONNREFUSED.*\. Trying again for [1-4] s at most$/);
});
