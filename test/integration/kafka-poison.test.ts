import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, newProducer, newTopic, until } from './helpers/kafka-clients.ts';
import { exportedFrom, places } from './helpers/kafka-reading.ts';
import { countsOf } from './helpers/recount-statistics.ts';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });
const anyTime = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': '9223372036854775807' };

interface Message {
  readonly key: string | undefined;
  readonly value: Buffer | undefined;
  readonly timestamp: number;
}

/** An event of concentrator 5 as a message: its time and its arrival, 'YYYY-MM-DD HH:MM:SS' in summer, and its free text. */
function event(occurred: string, arrived: string, info = ''): Message {
  const id = occurred.replace(/\D/g, '');
  return {
    key: 'K:5',
    value: Buffer.from(`${id},${occurred},${arrived},ev_N,K,5,${info}`),
    timestamp: Date.parse(`${occurred.replace(' ', 'T')}+02:00`),
  };
}

const good = (hour: number): Message =>
  event(`2018-06-01 ${String(hour).padStart(2, '0')}:00:00`, '2018-06-01 23:59:59');
const at = good(1).timestamp;

/** What becomes of each message: 1 for one that counts, else the code of its letter. */
const poison: readonly (readonly [string, Message, 1 | string])[] = [
  ['an event', good(1), 1],
  ['text that is no event', { key: 'K:5', value: Buffer.from('boom'), timestamp: at }, 'STREAMS_DESERIALIZATION'],
  [
    'bytes that are no text',
    { key: 'K:5', value: Buffer.from([0, 255, 254, 0x80]), timestamp: at },
    'STREAMS_DESERIALIZATION',
  ],
  ['an event without a key', { ...good(2), key: undefined }, 'STREAMS_DESERIALIZATION'],
  ['a tombstone', { ...good(2), value: undefined }, 'STREAMS_DESERIALIZATION'],
  ['nothing at all', { key: undefined, value: undefined, timestamp: at }, 'STREAMS_DESERIALIZATION'],
  ['an empty value', { ...good(2), value: Buffer.alloc(0) }, 'STREAMS_DESERIALIZATION'],
  ['an event', good(3), 1],
  ['an event of 1 MB', event('2018-06-01 04:00:00', '2018-06-01 23:59:59', 'x'.repeat(1_000_000)), 1],
  ['1 MB of nonsense', { key: 'K:5', value: Buffer.alloc(1_000_000, 'y'), timestamp: at }, 'STREAMS_DESERIALIZATION'],
  // As large as the topic takes it: its letter, which has headers besides, is larger.
  [
    'nonsense of the largest size',
    { key: 'K:5', value: Buffer.alloc(1_048_490, 'z'), timestamp: at },
    'STREAMS_DESERIALIZATION',
  ],
  ['an event of 2099 that arrived in 2018', event('2099-06-01 05:00:00', '2018-06-01 23:59:59'), 'FUTURE'],
  ['an event', good(6), 1],
];

async function send(broker: Broker, topic: string, messages: readonly Message[]): Promise<void> {
  const producer = await newProducer(broker, { transactional: false });
  for (const { key, value, timestamp } of messages) {
    producer.append(topic, 0, timestamp, key === undefined ? undefined : Buffer.from(key), value, [
      { key: 'trace', value: Buffer.from('abc') },
    ]);
    await producer.flush();
  }
  await producer.close();
}

interface Letter {
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | undefined;
  readonly size: number;
}

/** All letters of a topic of one partition. */
async function letters(broker: Broker, topic: string): Promise<readonly Letter[]> {
  const [end] = await broker.admin.offsets([{ topic, partition: 0 }], 'stable');
  const read: FetchedRecords[] = [];
  const fetcher = broker.fetcher({ receive: (records) => read.push(records), failed: () => {} });
  fetcher.add({ topic, partition: 0, offset: 0 });
  await until('the letters are read', () => (read.at(-1)?.nextOffset ?? -1) >= end!);
  await fetcher.close();
  return read.flatMap((records) =>
    Array.from({ length: records.length }, (_, i) => ({
      headers: Object.fromEntries(
        records
          .headers(i)
          .map(({ key, value }) => [key.replace('__streams.errors.', ''), Buffer.from(value!).toString()]),
      ),
      key:
        records.keyStarts[i]! < 0
          ? undefined
          : records.bytes.toString('utf8', records.keyStarts[i]!, records.keyEnds[i]!),
      size: records.valueStarts[i]! < 0 ? -1 : records.valueEnds[i]! - records.valueStarts[i]!,
    })),
  );
}

async function applicationOver(broker: Broker, topic: string, settings: readonly string[]): Promise<KafkaApplication> {
  const park = await newTopic(broker, 1, { ...anyTime, 'cleanup.policy': 'compact' });
  return new KafkaApplication({
    ...{ brokers: kafka.server.bootstrap, broker, applicationId: newName('poison'), topic, settings },
    folder: await mkdtemp(join(tmpdir(), 'weir-poison-')),
    words: ['--park-topic', park],
  });
}

/** A metric's values by the label `reason`, those of 0 left out. */
async function byReason(url: string, metric: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sums: Record<string, number> = {};
  for (const [, labels, value] of text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\S+)$`, 'gm'))) {
    const reason = /reason="([^"]+)"/.exec(labels!)![1]!;
    if (value !== '0') sums[reason] = (sums[reason] ?? 0) + Number(value);
  }
  return sums;
}

const dead = poison.filter(([, , fate]) => fate !== 1);

kafka.test(
  'messages that cannot be counted go to the dead letters with their place and reason, and the others count',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const topic = await newTopic(broker, 1, anyTime);
    await send(
      broker,
      topic,
      poison.map(([, message]) => message),
    );
    const application = await applicationOver(broker, topic, ['session.timeout.ms=1500']);
    t.teardown(() => application.end(t));
    const url = await application.start(0).ready();
    await application.caughtUp();
    const hours = poison.filter(([, , fate]) => fate === 1).length;
    const counts = countsOf((await exportedFrom(places.url(url)))['day_equipment.csv']!);
    t.deepEqual([...counts], [['2018-06-01,K,5,ev_N', hours]]);
    const deadTopic = `${application.id}-dead-letters`;
    const told = await letters(broker, deadTopic);
    const expectedLetters = poison.flatMap(([what, { key, value }, fate], offset) =>
      fate === 1 ? [] : [{ what, code: fate, offset: String(offset), key, size: value?.length ?? -1 }],
    );
    t.deepEqual(
      told.map(({ headers, key, size }) => ({ code: headers['code'], offset: headers['offset'], key, size })),
      expectedLetters.map(({ code, offset, key, size }) => ({ code, offset, key, size })),
    );
    for (const { headers } of told) {
      t.is(headers['topic'], topic);
      t.is(headers['partition'], '0');
      t.is(headers['trace'], 'abc', 'headers of the message stay');
      t.true(headers['message']!.length > 0);
    }
    const future = dead.filter(([, , fate]) => fate === 'FUTURE').length;
    const expected = { deserialization: dead.length - future, future };
    t.deepEqual(await byReason(url, 'streams_task_records_dropped_total'), expected);
    t.deepEqual(await byReason(url, 'streams_dead_letter_records_total'), expected);

    // The letters are part of what is committed: a crash neither loses nor repeats one.
    await application.kill(0);
    await application.deleteState(0);
    await send(broker, topic, [{ ...good(7), key: undefined }, good(8)]);
    const again = await application.start(0).ready();
    await application.caughtUp();
    t.is((await letters(broker, deadTopic)).length, dead.length + 1);
    // Counters are of the process: this one has met the record without a key alone.
    t.deepEqual(await byReason(again, 'streams_task_records_dropped_total'), { deserialization: 1 });
    const later = countsOf((await exportedFrom(places.url(again)))['day_equipment.csv']!);
    t.deepEqual([...later], [['2018-06-01,K,5,ev_N', hours + 1]]);
  },
  test.serial,
);

kafka.test(
  'an event whose arrival says 2099 too is believed',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const topic = await newTopic(broker, 1, anyTime);
    await send(broker, topic, [good(1), event('2099-06-01 05:00:00', '2099-06-01 12:00:00'), good(2)]);
    const application = await applicationOver(broker, topic, []);
    t.teardown(() => application.end(t));
    const url = await application.start(0).ready();
    await application.caughtUp();
    // It moves the clock: what follows of 2018 is late.
    t.deepEqual(
      [...countsOf((await exportedFrom(places.url(url)))['day_equipment.csv']!)],
      [
        ['2018-06-01,K,5,ev_N', 1],
        ['2099-06-01,K,5,ev_N', 1],
      ],
    );
    const [letter] = await letters(broker, `${application.id}-late`);
    t.is(letter!.headers['code'], 'LATE');
    t.is(letter!.headers['offset'], '2');
    t.deepEqual(await byReason(url, 'streams_task_records_dropped_total'), { late: 1 });
  },
  test.serial,
);

kafka.test(
  'a batch that Java has compressed with zstd is read like any other',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const topic = await newTopic(broker, 1, anyTime);
    await send(broker, topic, [good(1)]);
    const words = ['--bootstrap-server', kafka.server.bootstrap, '--topic', topic, '--compression-codec', 'zstd'];
    const lines = Array.from({ length: 3 }, (_, i) => `K:5\t${good(2 + i).value}\n`).join('');
    await kafka.server.tool(
      'org.apache.kafka.tools.ConsoleProducer',
      [...words, '--reader-property', 'parse.key=true'],
      lines,
    );
    await send(broker, topic, [good(6)]);
    const application = await applicationOver(broker, topic, []);
    t.teardown(() => application.end(t));
    const url = await application.start(0).ready();
    await application.caughtUp();
    const counts = countsOf((await exportedFrom(places.url(url)))['day_equipment.csv']!);
    // The tool writes the time of now, which is after the arrival that the events themselves tell: each of them is known for what it is.
    t.deepEqual([...counts], [['2018-06-01,K,5,ev_N', 2]]);
    const told = await letters(broker, `${application.id}-dead-letters`);
    t.deepEqual(
      told.map(({ headers }) => [headers['code'], headers['offset']]),
      [
        ['FUTURE', '1'],
        ['FUTURE', '2'],
        ['FUTURE', '3'],
      ],
    );
    t.deepEqual(await byReason(url, 'streams_task_records_dropped_total'), { future: 3 });
  },
  test.serial,
);

for (const [what, message] of [poison[1]!, poison[4]!, poison[9]!])
  kafka.test(
    `with the handler "fail", ${what} stops the instance with its position, and again after a restart`,
    async (t) => {
      const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
      const topic = await newTopic(broker, 1, anyTime);
      const application = await applicationOver(broker, topic, ['deserialization.exception.handler=fail']);
      t.teardown(() => application.end(t));
      const first = application.start(0);
      const url = await first.ready();
      await send(broker, topic, [good(1), good(2), message, good(3)]);
      // From the failure to its end it is not ready.
      const states = new Set<number>();
      while (first.running) {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        if (answer !== undefined) states.add(answer.status);
        await delay(1);
      }
      t.log(`readyz said ${[...states].join(', ')}`);
      t.is(await first.ended(), 1);
      const last = first.stderr.trim().split('\n').at(-1)!;
      t.regex(last, /^STREAMS_DESERIALIZATION: record 2 of topic-/);
      t.true(last.includes('partition 0'));
      t.false(last.includes('{'), 'one line for people');
      const again = application.start(0);
      t.is(await again.ended(), 1);
      t.regex(again.stderr, /^STREAMS_DESERIALIZATION: record 2 of topic-/m);
      // What came before is committed or will be: nothing behind it is.
      const [committed] = await broker.admin.committed(application.id, [{ topic, partition: 0 }]);
      t.true((committed?.offset ?? 0) <= 2);
    },
    test.serial,
  );
