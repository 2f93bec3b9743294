import assert from 'node:assert/strict';
import type { BrokerProducer } from '../clients/broker.ts';
import { appendValues, type BrokerCase, fails, place, position, textOf, withSeed } from './broker-conformance-kit.ts';

/** A transaction that writes values to a partition and is given up after they were sent. */
async function aborted(producer: BrokerProducer, topic: string, ...values: readonly string[]): Promise<void> {
  appendValues(producer, topic, 0, values);
  await producer.flush();
  await producer.abort();
}

async function committed(producer: BrokerProducer, topic: string, ...values: readonly string[]): Promise<void> {
  appendValues(producer, topic, 0, values);
  await producer.commit();
}

/** Transactions: who sees what, when. */
export const transactionCases: readonly BrokerCase[] = [
  [
    'records of a transaction are seen after its commit, before it only by read_uncommitted readers',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      const [careful, careless] = [await kit.collector(), await kit.collector({ isolation: 'read_uncommitted' })];
      for (const { fetcher } of [careful, careless]) fetcher.add({ topic, partition: 0, offset: 0 });
      appendValues(producer, topic, 0, ['a', 'b']);
      await producer.flush();
      await kit.until('read_uncommitted sees them', () => careless.of(topic).records.length === 2);
      await kit.sleep(150);
      assert.equal(careful.of(topic).records.length, 0);
      assert.deepEqual(await kit.ends(place(topic)), { stable: 0, latest: 2 });
      await producer.commit();
      await kit.until('read_committed sees them', () => careful.of(topic).records.length === 2);
      await kit.until('the marker is passed', () => careful.of(topic).position === 3);
      for (const collector of [careful, careless]) collector.check();
    },
  ],
  [
    'the stable end stands at the first record of an open transaction, whatever others write behind it',
    async (kit) => {
      const topic = await kit.topic();
      const [open, other, plain] = [await kit.producer(), await kit.producer(), await kit.plainProducer()];
      await committed(other, topic, 'before');
      await kit.settled(place(topic));
      appendValues(open, topic, 0, ['open']);
      await open.flush();
      await committed(other, topic, 'behind');
      await aborted(other, topic, 'aborted');
      appendValues(plain, topic, 0, ['plain']);
      await plain.flush();
      // before, marker, open, behind, marker, aborted, marker, plain
      await kit.until('all is there', async () => (await kit.ends(place(topic))).latest === 8);
      assert.equal((await kit.ends(place(topic))).stable, 2);
      assert.deepEqual(
        (await kit.recordsUpTo(topic, 0, 2)).map(({ value }) => textOf(value)),
        ['before'],
      );
      await open.commit();
      assert.equal(await kit.settled(place(topic)), 9);
      assert.deepEqual(await kit.committedValues(topic), ['before', 'open', 'behind', 'plain']);
    },
  ],
  [
    'of several aborted ranges of one producer among committed ones, none is seen',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      const expected: string[] = [];
      for (let round = 0; round < 12; round++) {
        const values = Array.from({ length: 1 + (round % 3) }, (_, i) => `${round}.${i}`);
        if (round % 3 === 1) {
          await committed(producer, topic, ...values);
          expected.push(...values);
        } else {
          await aborted(producer, topic, ...values);
        }
      }
      assert.deepEqual(await kit.committedValues(topic), expected);
    },
  ],
  [
    'transactions of several producers that lie among each other are told apart',
    async (kit) => {
      const topic = await kit.topic();
      const producers = [await kit.producer(), await kit.producer(), await kit.producer()] as const;
      const [a, b, c] = producers;
      for (let round = 0; round < 3; round++) {
        for (const [i, producer] of producers.entries()) {
          appendValues(producer, topic, 0, [`${round}${'abc'[i]}`]);
          await producer.flush();
        }
      }
      await b.abort();
      await committed(c, topic, '3c');
      await committed(b, topic, '4b');
      await a.commit();
      await aborted(c, topic, '5c');
      const expected = ['0a', '0c', '1a', '1c', '2a', '2c', '3c', '4b'];
      assert.deepEqual(await kit.committedValues(topic), expected);
    },
  ],
  [
    'the position reaches the stable end of a topic that ends in an aborted transaction and its marker',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      await committed(producer, topic, 'a');
      await aborted(producer, topic, 'x', 'y');
      const end = await kit.settled(place(topic));
      assert.equal(end, 5);
      const collector = await kit.collector();
      collector.fetcher.add({ topic, partition: 0, offset: 0 });
      await kit.until('the end is reached', () => collector.of(topic).position === end);
      assert.equal(collector.of(topic).stableEnd, end);
      assert.deepEqual(
        collector.of(topic).records.map(({ value }) => textOf(value)),
        ['a'],
      );
      collector.check();
    },
  ],
  [
    'the position reaches the stable end where nothing but aborted records and markers is',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      for (let i = 0; i < 3; i++) await aborted(producer, topic, 'x');
      const end = await kit.settled(place(topic));
      assert.equal(end, 6);
      for (const from of [0, 1, 4, 5, 6]) {
        const collector = await kit.collector();
        collector.fetcher.add({ topic, partition: 0, offset: from });
        await kit.until(`the end is reached from ${from}`, () => collector.of(topic).position === end);
        assert.deepEqual([collector.of(topic).stableEnd, collector.of(topic).records], [end, []]);
        collector.check();
      }
    },
  ],
  [
    'a reader that begins in the middle of aborted ranges is not misled',
    async (kit) => {
      const topic = await kit.topic();
      const [one, two] = [await kit.producer(), await kit.producer()];
      await aborted(one, topic, 'x0', 'x1', 'x2');
      appendValues(two, topic, 0, ['b0']);
      await two.flush();
      await aborted(one, topic, 'x3', 'x4');
      await committed(one, topic, 'a0', 'a1');
      await two.commit();
      await aborted(one, topic, 'x5', 'x6');
      const all = await kit.committedRecords(topic);
      assert.deepEqual(
        all.map(({ value }) => textOf(value)),
        ['b0', 'a0', 'a1'],
      );
      const end = await kit.settled(place(topic));
      for (let from = 0; from <= end; from++) {
        const collector = await kit.collector({ maxWaitMs: 20 });
        collector.fetcher.add({ topic, partition: 0, offset: from });
        await kit.until(`the end is reached from ${from}`, () => collector.of(topic).position === end);
        assert.deepEqual(
          collector.of(topic).records,
          all.filter(({ offset }) => offset >= from),
          `from ${from}`,
        );
        collector.check();
        await collector.fetcher.close();
      }
    },
  ],
  [
    'offsets with up to 4,000 bytes of metadata are seen after the commit of their transaction, with all partitions written',
    async (kit) => {
      const topic = await kit.topic(3);
      const group = kit.name('group');
      const producer = await kit.producer();
      const metadata = `${'é'.repeat(1999)}ab`;
      for (const partition of [0, 1]) appendValues(producer, topic, partition, ['a']);
      await producer.flush();
      assert.equal(await kit.committed(group, place(topic)), undefined);
      await producer.commit(group, [position(topic, 0, 17, metadata), position(topic, 2, 2 ** 40)]);
      const { admin } = await kit.main();
      assert.deepEqual(
        (
          await admin.committed(
            group,
            [2, 1, 0].map((partition) => place(topic, partition)),
          )
        ).map((found) => found && [found.offset, found.metadata]),
        [[2 ** 40, ''], undefined, [17, metadata]],
      );
      for (const partition of [0, 1]) assert.deepEqual(await kit.committedValues(topic, partition), ['a']);
    },
  ],
  [
    'a transaction of offsets alone commits them, and a later one of the same producer replaces them',
    async (kit) => {
      const topic = await kit.topic();
      const [one, two] = [kit.name('group'), kit.name('group')];
      const producer = await kit.producer();
      assert.equal((await producer.commit(one, [position(topic, 0, 1, 'm')])).size, 0);
      assert.deepEqual(await kit.committed(one, place(topic)), { offset: 1, metadata: 'm' });
      await producer.commit(one, [position(topic, 0, 2)]);
      await producer.commit(two, [position(topic, 0, 3)]);
      assert.deepEqual(await kit.committed(one, place(topic)), { offset: 2, metadata: '' });
      assert.deepEqual(await kit.committed(two, place(topic)), { offset: 3, metadata: '' });
      assert.deepEqual(await kit.ends(place(topic)), { stable: 0, latest: 0 });
    },
  ],
  [
    'metadata that the broker does not take fails the commit, and nothing of it is seen',
    async (kit) => {
      const topic = await kit.topic();
      const group = kit.name('group');
      const transactionalId = kit.name('id');
      const producer = await kit.producer({ transactionalId });
      appendValues(producer, topic, 0, ['a']);
      const error = await fails(producer.commit(group, [position(topic, 0, 1, 'm'.repeat(5000))]), 'STREAMS_BROKER');
      assert.match(error.message, /OFFSET_METADATA_TOO_LARGE/);
      await kit.producer({ transactionalId });
      assert.equal(await kit.committed(group, place(topic)), undefined);
      assert.deepEqual(await kit.committedValues(topic), []);
    },
  ],
  [
    'an aborted transaction leaves no record, and its producer goes on',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer();
      appendValues(producer, topic, 0, ['never sent']);
      await producer.abort();
      assert.deepEqual(await kit.ends(place(topic)), { stable: 0, latest: 0 });
      appendValues(producer, topic, 0, ['sent']);
      await producer.flush();
      appendValues(producer, topic, 0, ['not sent']);
      await producer.abort();
      await producer.abort();
      assert.deepEqual([...(await producer.commit())], [], 'nothing is left to commit');
      await committed(producer, topic, 'good');
      assert.deepEqual(await kit.committedValues(topic), ['good']);
    },
  ],
  [
    'flushes and commits without anything to send do nothing',
    async (kit) => {
      const topic = await kit.topic();
      const group = kit.name('group');
      const producer = await kit.producer();
      await producer.flush();
      assert.equal((await producer.commit()).size, 0);
      assert.equal((await producer.commit(group, [])).size, 0);
      await committed(producer, topic, 'a');
      for (let i = 0; i < 5; i++) {
        await producer.flush();
        assert.equal((await producer.commit(group, [])).size, 0);
        await producer.abort();
      }
      assert.equal(await kit.settled(place(topic)), 2);
      assert.equal(await kit.committed(group, place(topic)), undefined);
    },
  ],
  [
    'a transaction left open is aborted after its timeout, and its producer is of no more use',
    async (kit) => {
      const topic = await kit.topic();
      const producer = await kit.producer({ transactionTimeoutMs: 1000 });
      appendValues(producer, topic, 0, ['a']);
      await producer.flush();
      assert.deepEqual(await kit.committedValues(topic), []);
      appendValues(producer, topic, 0, ['b']);
      await fails(producer.commit(), 'STREAMS_TASK_MIGRATED', 'STREAMS_BROKER');
      assert.deepEqual(await kit.committedValues(topic), []);
    },
  ],
  [
    'twelve producers in parallel each commit exactly their own',
    async (kit) => {
      const [topic, source] = [await kit.topic(3), await kit.topic(12)];
      const group = kit.name('group');
      const rounds = 8;
      await Promise.all(
        Array.from({ length: 12 }, async (_, p) => {
          const producer = await kit.producer();
          for (let round = 0; round < rounds; round++) {
            for (const partition of [0, 1, 2]) {
              appendValues(
                producer,
                topic,
                partition,
                Array.from({ length: 5 }, (__, i) => `${p}.${round}.${i}`),
              );
            }
            if (round % 4 === 3) await producer.abort();
            else await producer.commit(group, [position(source, p, round)]);
          }
        }),
      );
      for (const partition of [0, 1, 2]) {
        const values = await kit.committedValues(topic, partition);
        assert.equal(values.length, 12 * 6 * 5);
        for (let p = 0; p < 12; p++) {
          const own = values.filter((value) => value!.startsWith(`${p}.`));
          const expected = [0, 1, 2, 4, 5, 6].flatMap((round) => [0, 1, 2, 3, 4].map((i) => `${p}.${round}.${i}`));
          assert.deepEqual(own, expected);
        }
      }
      for (let p = 0; p < 12; p++) {
        assert.deepEqual(await kit.committed(group, place(source, p)), { offset: 6, metadata: '' });
      }
    },
  ],
  [
    'whatever producers do in whatever order, a read_committed reader gets the committed records in offset order',
    (kit) =>
      withSeed(async (random) => {
        const topic = await kit.topic();
        const reader = await kit.collector({ maxWaitMs: 20 });
        reader.fetcher.add({ topic, partition: 0, offset: 0 });
        const good = new Set<string>();
        const runs = await Promise.all(
          [0, 1, 2, 3].map(async (p) => ({ p, producer: await kit.producer(), open: [] as string[], n: 0 })),
        );
        for (let step = 0; step < 120; step++) {
          const run = runs[Math.floor(random() * runs.length)]!;
          const choice = random();
          if (choice < 0.6) {
            const value = `${run.p}.${run.n++}`;
            appendValues(run.producer, topic, 0, [value]);
            run.open.push(value);
            if (random() < 0.7) await run.producer.flush();
            continue;
          }
          if (choice < 0.85) {
            for (const value of run.open) good.add(value);
            await run.producer.commit();
          } else {
            await run.producer.abort();
          }
          run.open = [];
        }
        for (const { producer } of runs) await producer.abort();
        const end = await kit.settled(place(topic));
        await kit.until('the reader is at the end', () => reader.of(topic).position === end);
        reader.check();
        const values = reader.of(topic).records.map(({ value }) => textOf(value)!);
        assert.deepEqual([...values].sort(), [...good].sort());
        for (const { p } of runs) {
          const own = values.filter((value) => value.startsWith(`${p}.`)).map((value) => Number(value.split('.')[1]));
          assert.deepEqual(
            own,
            [...own].sort((a, b) => a - b),
          );
        }
        assert.deepEqual(await kit.committedRecords(topic), reader.of(topic).records);
      }),
  ],
];
