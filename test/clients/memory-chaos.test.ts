import { randomBytes } from 'node:crypto';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import type { MemoryRequest } from '../../src/clients/memory/link.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { randomFrom } from '../../src/testing/broker-conformance-kit.ts';

const count = 400;
const input = { topic: 'in', partition: 0 };
const textOf = (value: Uint8Array | undefined): string => Buffer.from(value!).toString();

/**
 * Copies `in` to both partitions of `out` until it has reached the end or something fails, as an owner of the id does: fence, ask for the position, read from
 * there, write, commit all in one.
 */
async function own(broker: Broker, random: () => number): Promise<void> {
  const producer = broker.producer({ transactional: true, transactionalId: 'task' });
  await producer.init();
  const [found] = await broker.admin.committed('group', [input]);
  let position = found?.offset ?? 0;
  const waiting: FetchedRecords[] = [];
  let wake = (): void => {};
  let failure: Error | undefined;
  const fetcher = broker.fetcher({
    maxPartitionBytes: 200,
    receive: (records) => {
      waiting.push(records);
      wake();
    },
    failed: (_, __, error) => {
      failure = error;
      wake();
    },
  });
  fetcher.add({ ...input, offset: position });
  try {
    while (position < count) {
      while (waiting.length === 0 && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure;
      for (const records of waiting.splice(0)) {
        for (let i = 0; i < records.length; i++) {
          const value = records.bytes.subarray(records.valueStarts[i], records.valueEnds[i]);
          for (const partition of [0, 1]) producer.append('out', partition, 1, undefined, value);
        }
        position = records.nextOffset;
        if (random() < 0.3) await producer.flush();
      }
      await producer.commit('group', [{ ...input, offset: position, metadata: `${position}` }]);
    }
  } finally {
    await fetcher.close();
  }
}

const requests: readonly MemoryRequest[] = [
  'InitProducerId',
  'Produce',
  'AddOffsetsToTxn',
  'EndTxn',
  'Fetch',
  'OffsetFetch',
];

/** Owners that fail in all ways, one after the other and at the same time, until one has come to the end. */
async function copiedThroughChaos(random: () => number): Promise<readonly (readonly string[])[]> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  cluster.createTopic('out', 2);
  cluster.write(
    'in',
    0,
    Array.from({ length: count }, (_, i) => ({ value: `${i}` })),
  );
  const clients: Broker[] = [];
  const zombies: Promise<void>[] = [];
  for (let isDone = false; !isDone; ) {
    const latencyMs = random() < 0.3 ? () => random() * 2 : 0;
    const broker = cluster.connect({ latencyMs });
    clients.push(broker);
    for (let i = Math.floor(random() * 3); i > 0; i--) {
      cluster.cut(broker, pick(['before', 'in', 'after']), pick(requests));
    }
    const owning = own(broker, random).then(
      () => true,
      () => false,
    );
    const choice = random();
    if (choice < 0.3) {
      // It may be stopped for good, or only until others have taken over.
      await new Promise((resolve) => setTimeout(resolve, random() * 4));
      cluster.pause(broker);
      const zombie = owning.then(() => {});
      zombies.push(zombie);
      if (random() < 0.7) setTimeout(() => cluster.resume(broker), random() * 10);
      continue;
    }
    if (choice < 0.4) {
      await new Promise((resolve) => setTimeout(resolve, random() * 3));
      cluster.down();
      setTimeout(() => cluster.up(), random() * 5);
    }
    isDone = await owning;
  }
  for (const client of clients) cluster.resume(client);
  await Promise.all(zombies);
  await Promise.all(clients.map((client) => client.close()));
  // The last commit has been answered; after the next owner's init it is carried out.
  await cluster.connect().producer({ transactional: true, transactionalId: 'task' }).init();
  return [0, 1].map((partition) => cluster.read('out', partition).map(({ value }) => textOf(value)));
}

test('a task copied by owners that are cut, stopped, woken and restarted has each record exactly once, in order', async (t) => {
  const expected = Array.from({ length: count }, (_, i) => `${i}`);
  for (let run = 0; run < 60; run++) {
    const seed = randomBytes(4).readUInt32BE();
    const copies = await copiedThroughChaos(randomFrom(seed));
    for (const copy of copies) t.is(copy.join(), expected.join(), `seed ${seed}`);
  }
});
