import assert from 'node:assert/strict';
import * as zlib from 'node:zlib';
import type { RefusedRecord } from '../clients/broker.ts';
import { recordsIn, type SeenRecord } from './broker-conformance-collector.ts';
import { appendValues, type BrokerCase, bytes, fails, place, position, textOf } from './broker-conformance-kit.ts';

const sent = (
  timestamp: number,
  key: string | undefined,
  value: string | undefined,
  headers: SeenRecord['headers'] = [],
): Omit<SeenRecord, 'offset'> => ({
  timestamp,
  key: key === undefined ? undefined : bytes(key),
  value: value === undefined ? undefined : bytes(value),
  headers,
});

/** Bytes that no compression makes smaller. */
function noise(length: number, seed = 1): Uint8Array {
  const all = new Uint8Array(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    all[i] = state >>> 24;
  }
  return all;
}

/** Records: what is written is read. */
export const recordCases: readonly BrokerCase[] = [
  [
    'keys, values, headers and times of records come back as they were written, in their order',
    async (kit) => {
      const topic = await kit.topic();
      const header = (key: string, value: string): SeenRecord['headers'][number] => ({ key, value: bytes(value) });
      const records = [
        sent(1_488_326_400_000, 'C:8', 'from 2017'),
        sent(4_070_908_800_000, 'C:9', 'from 2099'),
        sent(0, 'k', 'from 1970'),
        sent(1_600_000_000_001, undefined, 'no key'),
        sent(1_600_000_000_000, 'no value', undefined),
        sent(1_600_000_000_002, undefined, undefined),
        sent(1_600_000_000_002, '', ''),
        sent(1, 'é€🌊', 'ü', [header('a', '1'), header('b', ''), header('a', '2'), header('é', 'x')]),
        sent(1, 'k', 'v'),
        sent(2, 'k', 'v', [header('last', 'one')]),
        sent(3, 'k', 'v', [{ key: 'no value', value: null }, header('empty', ''), { key: '', value: null }]),
      ];
      const producer = await kit.producer();
      for (const { timestamp, key, value, headers } of records) {
        producer.append(topic, 0, timestamp, key, value, headers);
      }
      await producer.commit();
      const expected = records.map((record, offset) => ({ offset, ...record }));
      assert.deepEqual(await kit.committedRecords(topic), expected);
    },
  ],
  [
    'the caller may reuse its buffers after append',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.plainProducer();
      const key = bytes('k0');
      const value = bytes('v0');
      const header = bytes('h0');
      for (let i = 1; i <= 3; i++) {
        key[1] = value[1] = header[1] = 48 + i;
        producer.append(topic, 0, i, key.subarray(0), value, [{ key: 'h', value: header }]);
      }
      key.fill(0);
      value.fill(0);
      header.fill(0);
      await producer.flush();
      const records = await kit.committedRecords(topic);
      assert.deepEqual(
        records.map((one) => [textOf(one.key), textOf(one.value), textOf(one.headers[0]!.value ?? undefined)]),
        [1, 2, 3].map((i) => [`k${i}`, `v${i}`, `h${i}`]),
      );
    },
  ],
  [
    'twenty thousand records in batches of all sizes keep their order, each once',
    async (kit) => {
      const topic = await kit.topic(2);
      const producer = await kit.producer({ maxBatchBytes: 20_000 });
      const counts = [0, 0];
      for (const size of [1, 9000, 2, 999, 9998]) {
        for (let i = 0; i < size; i++) {
          const partition = i % 3 === 0 ? 1 : 0;
          producer.append(topic, partition, i, bytes('k'), bytes(`${counts[partition]!++}`));
        }
        await producer.flush();
      }
      const positions = await producer.commit();
      for (const partition of [0, 1]) {
        assert.equal(positions.get(`${topic}-${partition}`), counts[partition]);
        const values = await kit.committedValues(topic, partition);
        assert.equal(values.length, counts[partition]);
        values.forEach((value, i) => {
          assert.equal(value, `${i}`);
        });
      }
    },
  ],
  [
    'records of hundreds of kilobytes come back, more of them than a fetch or a batch takes',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      const values = Array.from({ length: 12 }, (_, i) => noise(300_000 + i, i));
      for (const value of values) producer.append(topic, 0, 1, undefined, value);
      await producer.commit();
      const records = await kit.committedRecords(topic);
      assert.equal(records.length, values.length);
      records.forEach(({ value }, i) => {
        assert.ok(Buffer.from(values[i]!).equals(value!), `value ${i}`);
      });
    },
  ],
  // Node has zstd from 22.15 on.
  ...(['none', 'gzip', 'lz4', 'snappy', ...('zstdCompressSync' in zlib ? (['zstd'] as const) : [])] as const).map(
    (compression): BrokerCase => [
      `records written with compression ${compression} are read`,
      async (kit) => {
        const topic = await kit.topic();
        const producer = await kit.producer({ compression });
        const values = Array.from({ length: 500 }, (_, i) => `value ${i} ${'='.repeat(i % 50)}`);
        appendValues(producer, topic, 0, values, [{ key: 'h', value: bytes('1') }]);
        producer.append(topic, 0, 1, undefined, noise(100_000));
        await producer.commit();
        const records = await kit.committedRecords(topic);
        assert.deepEqual(
          records.slice(0, 500).map(({ value }) => textOf(value)),
          values,
        );
        assert.deepEqual(records[500]!.value, noise(100_000));
      },
    ],
  ),
  [
    'commit tells the position after the last record of each partition written since the commit before',
    async (kit) => {
      const [one, two] = [await kit.topic(2), await kit.topic()];
      const producer = await kit.producer();
      appendValues(producer, one, 0, ['a', 'b']);
      await producer.flush();
      appendValues(producer, two, 0, ['c']);
      appendValues(producer, one, 0, ['d']);
      const first = await producer.commit();
      assert.deepEqual(
        first,
        new Map([
          [`${one}-0`, 3],
          [`${two}-0`, 1],
        ]),
      );
      appendValues(producer, one, 1, ['e']);
      assert.deepEqual([...(await producer.commit())], [[`${one}-1`, 1]]);
      assert.deepEqual([...(await producer.commit())], []);
      appendValues(producer, two, 0, ['f']);
      // The first transaction's marker lies between.
      assert.deepEqual([...(await producer.commit())], [[`${two}-0`, 3]]);
    },
  ],
  [
    'what is appended while a flush or commit is under way belongs to the next one',
    async (kit) => {
      const topic = await kit.topic();
      const group = kit.name('group');
      const producer = await kit.producer();
      appendValues(producer, topic, 0, ['1']);
      const flushed = producer.flush();
      appendValues(producer, topic, 0, ['2']);
      const first = producer.commit(group, [position(topic, 0, 1)]);
      appendValues(producer, topic, 0, ['3']);
      const second = producer.commit(group, [position(topic, 0, 2)]);
      appendValues(producer, topic, 0, ['4']);
      const positions = await Promise.all([first, second, flushed]);
      assert.deepEqual([positions[0].get(`${topic}-0`), positions[1].get(`${topic}-0`)], [2, 4]);
      assert.deepEqual(await kit.committedValues(topic), ['1', '2', '3']);
      assert.deepEqual(await kit.committed(group, place(topic)), { offset: 2, metadata: '' });
      await producer.commit();
      assert.deepEqual(await kit.committedValues(topic), ['1', '2', '3', '4']);
    },
  ],
  [
    'a producer tells what it holds',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      assert.deepEqual([producer.bufferedBytes, producer.hasAppended], [0, false]);
      producer.append(topic, 0, 1, undefined, noise(5000));
      const one = producer.bufferedBytes;
      assert.ok(one >= 5000 && one < 10_000, `${one}`);
      producer.append(topic, 0, 1, undefined, noise(5000));
      assert.ok(producer.bufferedBytes > one);
      await producer.flush();
      assert.deepEqual([producer.bufferedBytes, producer.hasAppended], [0, true]);
      await producer.commit();
      assert.equal(producer.hasAppended, false);
      producer.append(topic, 0, 1, undefined, bytes('x'));
      assert.equal(producer.hasAppended, true);
      await producer.abort();
      assert.deepEqual([producer.bufferedBytes, producer.hasAppended], [0, false]);
    },
  ],
  [
    'records of a producer without transactions are seen once they are flushed, and it commits no offsets',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.plainProducer();
      appendValues(producer, topic, 0, ['a']);
      await producer.flush();
      assert.deepEqual(await kit.committedValues(topic), ['a']);
      appendValues(producer, topic, 0, ['b', 'c']);
      assert.deepEqual([...(await producer.commit())], [[`${topic}-0`, 3]]);
      await assert.rejects(producer.commit(kit.name('group'), [position(topic, 0, 1)]), TypeError);
      const nameless = (await kit.main()).producer({ transactional: false });
      await nameless.init();
      appendValues(nameless, topic, 0, ['d']);
      await nameless.flush();
      assert.deepEqual(await kit.committedValues(topic), ['a', 'b', 'c', 'd']);
    },
  ],
  [
    'where the broker sets the times, the records say so',
    async (kit) => {
      const topic = await kit.topic(1, { 'message.timestamp.type': 'LogAppendTime' });
      const other = await kit.topic();
      const producer = await kit.plainProducer();
      for (const to of [topic, other]) producer.append(to, 0, 5, undefined, bytes('a'));
      await producer.flush();
      const collector = await kit.collector();
      for (const from of [topic, other]) collector.fetcher.add({ topic: from, partition: 0, offset: 0 });
      await kit.until('both are read', () => [topic, other].every((from) => collector.of(from).records.length === 1));
      assert.deepEqual(
        [topic, other].map((from) => collector.of(from).appendTime),
        [true, false],
      );
      assert.ok(collector.of(topic).records[0]!.timestamp > 1_700_000_000_000);
      assert.equal(collector.of(other).records[0]!.timestamp, 5);
      collector.check();
    },
  ],
  [
    'a record that the broker refuses for itself is left out or ends the flush, as the producer is told',
    async (kit) => {
      const topic = await kit.topic(1, { 'max.message.bytes': '2000', 'message.timestamp.after.max.ms': '3600000' });
      for (const transactional of [true, false]) {
        const refused: RefusedRecord[] = [];
        const producer = await kit.producer({
          transactional,
          refused: (record) => {
            refused.push(record);
            return 'continue';
          },
        });
        producer.append(topic, 0, 1, bytes('1'), bytes('good'));
        producer.append(topic, 0, 2, bytes('large'), noise(5000));
        producer.append(topic, 0, 3, bytes('2'), bytes('good'));
        producer.append(topic, 0, 4_070_908_800_000, bytes('2099'), bytes('early'));
        producer.append(topic, 0, 4, bytes('3'), bytes('good'));
        await producer.commit();
        assert.deepEqual(refused.map(({ key, reason, timestamp }) => [textOf(key), reason, timestamp]).sort(), [
          ['2099', 'INVALID_TIMESTAMP', 4_070_908_800_000],
          ['large', 'MESSAGE_TOO_LARGE', 2],
        ]);
        assert.deepEqual(refused.find(({ timestamp }) => timestamp === 2)!.value, noise(5000));
        const keys = (await kit.committedRecords(topic)).map(({ key }) => textOf(key));
        assert.deepEqual(keys, transactional ? ['1', '2', '3'] : ['1', '2', '3', '1', '2', '3']);
      }
      const strict = await kit.producer();
      strict.append(topic, 0, 1, bytes('large'), noise(5000));
      const error = await fails(strict.commit(), 'STREAMS_BROKER');
      assert.match(error.message, /MESSAGE_TOO_LARGE/);
      await fails(strict.flush(), 'STREAMS_BROKER');
    },
  ],
  [
    'writing to a topic that does not exist fails and does not create it',
    async (kit) => {
      const topic = kit.name('topic');
      const producer = await kit.plainProducer();
      appendValues(producer, topic, 0, ['a']);
      const error = await fails(producer.flush(), 'STREAMS_BROKER');
      assert.match(error.message, /UNKNOWN_TOPIC_OR_PARTITION/);
      assert.equal((await (await kit.main()).admin.partitionCounts([topic])).size, 0);
    },
  ],
  [
    'fetched records do not change while somebody holds them',
    async (kit) => {
      const topic = await kit.topic();
      const held: [() => SeenRecord[], SeenRecord[]][] = [];
      const collector = await kit.collector({
        maxPartitionBytes: 50_000,
        receive: (records) => held.push([() => recordsIn(records), recordsIn(records)]),
      });
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      const producer = await kit.plainProducer();
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 20; i++) producer.append(topic, 0, round, bytes(`${round}`), noise(1000, round * 20 + i));
        await producer.flush();
      }
      await kit.until('all is read', () => collector.of(topic).position === 400);
      for (const [now, then] of held) assert.deepEqual(now(), then);
      collector.check();
    },
  ],
];
