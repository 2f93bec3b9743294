import assert from 'node:assert/strict';
import type { Fetcher } from '../clients/broker.ts';
import type { FetchedRecords } from '../clients/fetched-records.ts';
import { recordsIn, type SeenRecord } from './broker-conformance-collector.ts';
import {
  appendValues,
  type BrokerCase,
  type BrokerKit,
  bytes,
  place,
  textOf,
  withSeed,
} from './broker-conformance-kit.ts';

const valuesOf = (records: readonly SeenRecord[]): (string | undefined)[] => records.map(({ value }) => textOf(value));

/** Writes values `0` to `count - 1`, which are their offsets, in batches of this size. */
async function numbered(kit: BrokerKit, topic: string, partition: number, count: number, batch = 100): Promise<void> {
  const producer = await kit.plainProducer();
  for (let i = 0; i < count; i++) {
    producer.append(topic, partition, i, undefined, bytes(`${i}`));
    if (i % batch === batch - 1) await producer.flush();
  }
  await producer.flush();
}

/** Reading: positions, pauses, ends. */
export const fetchingCases: readonly BrokerCase[] = [
  [
    'after each add the receiver is told position and end, with nothing to read too',
    async (kit) => {
      const topic = await kit.topic(2);
      await numbered(kit, topic, 1, 3);
      const collector = await kit.collector();
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      collector.fetcher.add({ topic, partition: 1, offset: 3 });
      const told = (partition: number, calls: number): Promise<void> =>
        kit.until(`call ${calls} of partition ${partition}`, () => collector.of(topic, partition).calls >= calls);
      await Promise.all([told(0, 1), told(1, 1)]);
      assert.deepEqual([collector.of(topic, 0).position, collector.of(topic, 0).stableEnd], [0, 0]);
      assert.deepEqual([collector.of(topic, 1).position, collector.of(topic, 1).stableEnd], [3, 3]);
      const { calls } = collector.of(topic, 1);
      collector.fetcher.add({ topic, partition: 1, offset: 3 });
      await told(1, calls + 1);
      assert.deepEqual([collector.of(topic, 0).records, collector.of(topic, 1).records], [[], []]);
      collector.check();
    },
  ],
  [
    'the receiver is told when position or end move without any record',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      const collector = await kit.collector();
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      await kit.until('it is told of the start', () => collector.of(topic).calls > 0);
      appendValues(producer, topic, 0, ['x', 'y']);
      await producer.flush();
      await producer.abort();
      await kit.until('it is told of the aborted transaction', () => collector.of(topic).position === 3);
      assert.deepEqual([collector.of(topic).stableEnd, collector.of(topic).records], [3, []]);
      appendValues(producer, topic, 0, ['a']);
      await producer.commit();
      await kit.until('it is told of the marker', () => collector.of(topic).position === 5);
      assert.deepEqual(valuesOf(collector.of(topic).records), ['a']);
      collector.check();
    },
  ],
  [
    'a reader gets what is written while it waits',
    async (kit) => {
      const topic = await kit.topic();
      const collector = await kit.collector({ maxWaitMs: 60_000 });
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      await kit.until('it waits', () => collector.of(topic).calls > 0);
      const producer = await kit.plainProducer();
      for (let i = 0; i < 5; i++) {
        appendValues(producer, topic, 0, [`${i}`]);
        await producer.flush();
        await kit.until(`record ${i} is there`, () => collector.of(topic).records.length === i + 1);
      }
      collector.check();
    },
  ],
  [
    'a partition added while others wait is read at once',
    async (kit) => {
      const [quiet, full] = [await kit.topic(), await kit.topic()];
      await numbered(kit, full, 0, 5);
      const collector = await kit.collector({ maxWaitMs: 600_000 });
      collector.fetcher.add({ topic: quiet, partition: 0, offset: 0 });
      await kit.until('the first is waited for', () => collector.of(quiet).calls > 0);
      await kit.sleep(50);
      collector.fetcher.add({ topic: full, partition: 0, offset: 0 });
      await kit.until('the second is read', () => collector.of(full).records.length === 5);
      collector.check();
    },
  ],
  [
    'several partitions of several topics are read from where each was added, in small portions',
    async (kit) => {
      const topics = [await kit.topic(3), await kit.topic(2)];
      const parts = [
        [topics[0]!, 0, 700, 0],
        [topics[0]!, 1, 0, 0],
        [topics[0]!, 2, 250, 249],
        [topics[1]!, 0, 1000, 333],
        [topics[1]!, 1, 64, 64],
      ] as const;
      for (const [topic, partition, count] of parts) await numbered(kit, topic, partition, count, 50);
      const collector = await kit.collector({ maxBytes: 2000, maxPartitionBytes: 500 });
      for (const [topic, partition, , offset] of parts) collector.fetcher.add({ topic, partition, offset });
      for (const [topic, partition, count, offset] of parts) {
        const seen = collector.of(topic, partition);
        await kit.until(`${partition} is read`, () => seen.position === count);
        assert.deepEqual(
          valuesOf(seen.records),
          Array.from({ length: count - offset }, (_, i) => `${offset + i}`),
        );
        assert.equal(seen.stableEnd, count);
      }
      collector.check();
    },
  ],
  [
    'a record larger than the limits of a fetch is read all the same',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.plainProducer();
      for (let i = 0; i < 3; i++) producer.append(topic, 0, 1, undefined, new Uint8Array(200_000).fill(i));
      await producer.flush();
      const collector = await kit.collector({ maxBytes: 1000, maxPartitionBytes: 1000 });
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      await kit.until('they are read', () => collector.of(topic).records.length === 3);
      assert.deepEqual(
        collector.of(topic).records.map(({ value }) => value![199_999]),
        [0, 1, 2],
      );
      collector.check();
    },
  ],
  [
    'a reader may begin at any record of a batch',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.plainProducer();
      for (const first of [0, 10]) {
        for (let i = first; i < first + 10; i++) {
          producer.append(topic, 0, i, bytes(`k${i}`), bytes(`v${i}`), [{ key: `h${i}`, value: bytes(`${i}`) }]);
        }
        await producer.flush();
      }
      for (const offset of [0, 1, 9, 10, 11, 19]) {
        const collector = await kit.collector();
        collector.fetcher.add({ topic, partition: 0, offset });
        await kit.until('the end is reached', () => collector.of(topic).position === 20);
        const expected = Array.from({ length: 20 - offset }, (_, n) => offset + n).map((i) => ({
          offset: i,
          timestamp: i,
          key: bytes(`k${i}`),
          value: bytes(`v${i}`),
          headers: [{ key: `h${i}`, value: bytes(`${i}`) }],
        }));
        assert.deepEqual(collector.of(topic).records, expected);
        collector.check();
        await collector.fetcher.close();
      }
    },
  ],
  [
    'a paused partition is not read on until it is resumed, others are',
    async (kit) => {
      const topic = await kit.topic(2);
      const collector = await kit.collector({ maxWaitMs: 20 });
      for (const partition of [0, 1]) collector.fetcher.add({ topic, partition, offset: 0 });
      await kit.until('both are known', () => [0, 1].every((partition) => collector.of(topic, partition).calls > 0));
      collector.fetcher.pause(place(topic, 0));
      collector.fetcher.pause(place(topic, 0));
      // A fetch that was under way may still bring something.
      await kit.sleep(300);
      const producer = await kit.plainProducer();
      for (const partition of [0, 1]) appendValues(producer, topic, partition, ['a']);
      await producer.flush();
      await kit.until('the other is read', () => collector.of(topic, 1).records.length === 1);
      await kit.sleep(100);
      assert.deepEqual(collector.of(topic, 0).records, []);
      collector.fetcher.resume(place(topic, 0));
      await kit.until('it is read', () => collector.of(topic, 0).records.length === 1);
      collector.fetcher.resume(place(topic, 0));
      collector.fetcher.pause(place(topic, 7));
      collector.fetcher.resume(place(topic, 7));
      collector.check();
    },
  ],
  [
    'nothing of a partition is given out after it was removed or the fetcher closed',
    async (kit) => {
      const topic = await kit.topic(2);
      await numbered(kit, topic, 0, 3000, 500);
      await numbered(kit, topic, 1, 3000, 500);
      const collector = await kit.collector({ maxPartitionBytes: 300 });
      for (const partition of [0, 1]) collector.fetcher.add({ topic, partition, offset: 0 });
      await kit.until('some is read', () => collector.of(topic, 0).records.length > 0);
      collector.fetcher.remove(place(topic, 0));
      collector.fetcher.remove(place(topic, 0));
      const calls = collector.of(topic, 0).calls;
      await kit.until('the other is read', () => collector.of(topic, 1).position === 3000);
      assert.equal(collector.of(topic, 0).calls, calls);
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      await kit.until('it is read again', () => collector.of(topic, 0).calls > calls);
      const closing = collector.fetcher.close();
      const last = collector.of(topic, 0).calls;
      await closing;
      await kit.sleep(50);
      assert.equal(collector.of(topic, 0).calls, last);
      await collector.fetcher.close();
      collector.check();
    },
  ],
  [
    'whatever is added, removed, paused and resumed, each partition is given out from where it was added last, without a gap',
    (kit) => withSeed((random) => anyOrder(kit, random)),
  ],
  [
    'the receiver may pause, add and remove partitions of its fetcher',
    async (kit) => {
      const topic = await kit.topic(2);
      for (const partition of [0, 1]) await numbered(kit, topic, partition, 600, 50);
      let fetcher: Fetcher | undefined;
      let again = true;
      const collector = await kit.collector({
        maxPartitionBytes: 500,
        receive: (records) => {
          if (records.partition === 0 && records.nextOffset >= 300 && again) {
            again = false;
            fetcher!.add({ topic, partition: 0, offset: 100 });
            fetcher!.remove(place(topic, 1));
          } else if (records.partition === 1) {
            fetcher!.pause(place(topic, 1));
            setImmediate(() => fetcher!.resume(place(topic, 1)));
          }
        },
      });
      fetcher = collector.fetcher;
      for (const partition of [0, 1]) collector.fetcher.add({ topic, partition, offset: 0 });
      const seen = collector.of(topic, 0);
      await kit.until('all is read', () => !again && seen.position === 600);
      const offsets = seen.records.map(({ offset }) => offset);
      const turn = offsets.indexOf(100, 101);
      assert.ok(turn >= 300);
      assert.deepEqual(
        offsets.slice(0, turn),
        Array.from({ length: turn }, (_, i) => i),
      );
      assert.deepEqual(
        offsets.slice(turn),
        Array.from({ length: 500 }, (_, i) => 100 + i),
      );
      collector.check();
    },
  ],
  [
    'a position out of range is told once, and the partition is removed',
    async (kit) => {
      const topic = await kit.topic(3);
      for (const partition of [0, 1, 2]) await numbered(kit, topic, partition, 10);
      const { admin } = await kit.main();
      await admin.deleteRecords([{ topic, partition: 0, offset: 4 }]);
      const collector = await kit.collector({ maxWaitMs: 20 });
      collector.fetcher.add({ topic, partition: 0, offset: 3 });
      collector.fetcher.add({ topic, partition: 1, offset: 11 });
      collector.fetcher.add({ topic, partition: 2, offset: 0 });
      await kit.until('both are told', () => collector.failures.length === 2);
      await kit.until('the third is read', () => collector.of(topic, 2).position === 10);
      await kit.sleep(50);
      const told = collector.failures.map(({ partition, kind }) => ({ ...partition, kind }));
      assert.deepEqual(
        told.sort((a, b) => a.partition - b.partition),
        [
          { topic, partition: 0, offset: 3, kind: 'out-of-range' },
          { topic, partition: 1, offset: 11, kind: 'out-of-range' },
        ],
      );
      assert.deepEqual([collector.of(topic, 0).calls, collector.of(topic, 1).calls], [0, 0]);
      collector.fetcher.add({ topic, partition: 0, offset: 4 });
      await kit.until('it is read from its start', () => collector.of(topic, 0).position === 10);
      assert.deepEqual(valuesOf(collector.of(topic, 0).records), ['4', '5', '6', '7', '8', '9']);
    },
  ],
  [
    'records that are deleted under a waiting reader: it reads on at the end, or is told that it is out of range',
    async (kit) => {
      const topic = await kit.topic(2);
      for (const partition of [0, 1]) await numbered(kit, topic, partition, 10);
      const { admin } = await kit.main();
      const collector = await kit.collector({ maxWaitMs: 20 });
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      collector.fetcher.add({ topic, partition: 1, offset: 2 });
      await kit.until('all is read', () => [0, 1].every((partition) => collector.of(topic, partition).position === 10));
      await admin.deleteRecords([0, 1].map((partition) => ({ topic, partition, offset: 10 })));
      const producer = await kit.plainProducer();
      for (const partition of [0, 1]) appendValues(producer, topic, partition, ['new']);
      await producer.flush();
      await kit.until('the new record is read', () => collector.of(topic, 0).position === 11);
      collector.fetcher.add({ topic, partition: 1, offset: 5 });
      await kit.until('it is told', () => collector.failures.length === 1);
      assert.equal(collector.failures[0]!.kind, 'out-of-range');
    },
  ],
  [
    'what the receiver throws is told as a failure of that partition, and others are read on',
    async (kit) => {
      const topic = await kit.topic(2);
      for (const partition of [0, 1]) await numbered(kit, topic, partition, 10);
      const mistake = new Error('a mistake of the receiver');
      const collector = await kit.collector({
        receive: ({ partition, length }) => {
          if (partition === 0 && length > 0) throw mistake;
        },
      });
      for (const partition of [0, 1]) collector.fetcher.add({ topic, partition, offset: 0 });
      await kit.until('it is told', () => collector.failures.length === 1);
      assert.equal(collector.failures[0]!.error, mistake);
      assert.deepEqual([collector.failures[0]!.kind, collector.failures[0]!.partition.partition], ['failed', 0]);
      await kit.until('the other is read', () => collector.of(topic, 1).position === 10);
      await kit.sleep(50);
      assert.equal(collector.failures.length, 1);
    },
  ],
  [
    'reading a topic that does not exist fails, and does not create it',
    async (kit) => {
      const [there, missing] = [await kit.topic(), kit.name('topic')];
      await numbered(kit, there, 0, 3);
      const collector = await kit.collector({ maxWaitMs: 20 });
      collector.fetcher.add({ topic: missing, partition: 0, offset: 0 });
      collector.fetcher.add({ topic: there, partition: 0, offset: 0 });
      await kit.until('the other is read', () => collector.of(there).position === 3);
      await kit.until('it is told', () => collector.failures.length > 0);
      assert.deepEqual(
        collector.failures.map(({ partition, kind }) => [partition.topic, kind]),
        [[missing, 'failed']],
      );
      assert.equal((await (await kit.main()).admin.partitionCounts([missing])).size, 0);
    },
  ],
  [
    'a compacted topic is read with its gaps, to its end',
    async (kit) => {
      const topic = await kit.topic(1, { 'cleanup.policy': 'compact' });
      const producer = await kit.producer();
      const write = async (keys: string, isCommitted: boolean): Promise<void> => {
        for (const key of keys) producer.append(topic, 0, 1, bytes(key), bytes(`${key}!`));
        await producer.flush();
        await (isCommitted ? producer.commit() : producer.abort());
      };
      await write('aabbc', true); // 0-4, marker 5
      await write('abcd', false); // 6-9, marker 10
      await write('ada', true); // 11-13, marker 14
      const end = await kit.settled(place(topic));
      await kit.harness.compact!(topic);
      const records = await kit.committedRecords(topic);
      const last = new Map(records.map(({ key, offset }) => [textOf(key), offset]));
      assert.deepEqual(
        last,
        new Map([
          ['b', 3],
          ['c', 4],
          ['d', 12],
          ['a', 13],
        ]),
      );
      assert.ok(records.length < 8, 'something was compacted');
      for (let from = 0; from <= end; from++) {
        const collector = await kit.collector({ maxWaitMs: 20 });
        collector.fetcher.add({ topic, partition: 0, offset: from });
        await kit.until(`the end is reached from ${from}`, () => collector.of(topic).position === end);
        assert.deepEqual(
          collector.of(topic).records,
          records.filter(({ offset }) => offset >= from),
        );
        collector.check();
        await collector.fetcher.close();
      }
    },
    'compact',
  ],
];

/** What the receiver is promised of a partition. */
interface Expected {
  /** The next record, -1 for none at all. */
  next: number;
}

async function anyOrder(kit: BrokerKit, random: () => number): Promise<void> {
  const topic = await kit.topic(3);
  const count = 400;
  for (const partition of [0, 1, 2]) await numbered(kit, topic, partition, count, 40);
  const expected: Expected[] = [0, 1, 2].map(() => ({ next: -1 }));
  const problems: string[] = [];
  const check = (records: FetchedRecords): void => {
    const state = expected[records.partition]!;
    const offsets = recordsIn(records).map(({ offset }) => offset);
    if (state.next < 0) problems.push(`${records.partition} was removed, and ${offsets} were given out`);
    if (offsets.length > 0 && offsets[0] !== state.next) {
      problems.push(`${records.partition}: ${state.next} was next, and ${offsets[0]} was given out`);
    }
    if (offsets.some((offset, i) => offset !== offsets[0]! + i)) problems.push(`${offsets} have gaps`);
    state.next = records.nextOffset;
  };
  const collector = await kit.collector({ maxWaitMs: 20, maxPartitionBytes: 400, receive: check });
  const { fetcher } = collector;
  for (let step = 0; step < 150; step++) {
    const partition = Math.floor(random() * 3);
    const state = expected[partition]!;
    const choice = random();
    if (choice < 0.5) {
      state.next = Math.floor(random() * (count + 1));
      fetcher.add({ topic, partition, offset: state.next });
    } else if (choice < 0.65) {
      state.next = -1;
      fetcher.remove(place(topic, partition));
    } else if (choice < 0.8) {
      fetcher.pause(place(topic, partition));
    } else {
      fetcher.resume(place(topic, partition));
    }
    for (let turns = Math.floor(random() * 4); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    if (random() < 0.1) await kit.sleep(5);
  }
  for (const partition of [0, 1, 2]) {
    expected[partition]!.next = partition;
    fetcher.add({ topic, partition, offset: partition });
    fetcher.resume(place(topic, partition));
  }
  await kit.until('all is read', () => expected.every(({ next }) => next === count) || problems.length > 0);
  assert.deepEqual(problems, []);
  collector.check();
}
