import test from 'ava';
import { ProduceLoop, type ProduceLoopOptions } from '../../src/cli/produce-loop.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import type { RowMessage } from '../../src/files/message-format.ts';
import { PositionTopic } from '../../src/files/position-topic.ts';
import type { Feed, FeedBatch } from '../../src/runtime/feed.ts';

/** A feed of messages at these times; `dead` bad rows stand before the first. Notes what is asked of it. */
function feedOf(topic: string, times: readonly number[], dead = 0): Feed & { readonly asked: string[] } {
  const asked: string[] = [];
  const progress = {
    topic,
    filesDone: 0,
    filesTotal: 1,
    rows: 0,
    bytes: 0,
    bytesRead: 0,
    bytesTotal: 0,
    dead: 0,
    late: 0,
    skipped: 0,
  };
  const values = times.map(
    (timestamp): RowMessage => ({ partition: 0, timestamp, key: undefined, value: Buffer.from(`${timestamp}`) }),
  );
  let given = false;
  let accepted = 0;
  const batch: FeedBatch = {
    length: values.length,
    keys: values,
    values,
    accept(n) {
      accepted = n;
      feed.progress.dead = dead;
    },
    drop: () => {},
    origin: () => ({ file: 'a.csv', line: 1, offset: 0, raw: Buffer.alloc(0) }),
  };
  const feed = {
    topic,
    asked,
    progress: { ...progress, deadByReason: {} },
    timestampOf: () => 0,
    open: async () => {},
    async poll() {
      if (given) return undefined;
      given = true;
      return batch;
    },
    wait: async () => {},
    async save(rows: Parameters<Feed['save']>[0]) {
      asked.push(`save ${accepted}`);
      rows.put(Buffer.from(topic), Buffer.from(String(accepted)));
    },
    close: async () => {},
  };
  return feed;
}

/** Runs a loop over feeds; gives what was written to the topic `events`, in order. */
async function looped(
  feeds: readonly Feed[],
  options: Partial<ProduceLoopOptions> = {},
): Promise<{ readonly cluster: MemoryCluster; readonly failure: unknown }> {
  const cluster = new MemoryCluster();
  for (const { topic } of feeds) cluster.createTopic(topic);
  const broker = cluster.connect();
  const positions = new PositionTopic(broker, 'positions');
  await positions.prepare(-1, { debug() {}, info() {}, warn() {}, error() {} });
  const producer = broker.producer({ transactionalId: 'loop', transactional: true });
  await producer.init();
  const loop = new ProduceLoop({
    feeds,
    producer,
    positions,
    follow: false,
    pace: undefined,
    commitIntervalMs: 60_000,
    commitRecords: 1_000_000,
    confirm: async () => {},
    committed: async () => {},
    idle: async () => {},
    signal: new AbortController().signal,
    ...options,
  });
  const failure = await loop.run().then(
    () => undefined,
    (error: unknown) => error,
  );
  await loop.ended();
  await broker.close();
  return { cluster, failure };
}

test('records of several feeds are sent in the order of their times, each feed in its own order', async (t) => {
  const sent: number[] = [];
  const pace = {
    waitMs(ms: number) {
      sent.push(ms);
      return 0;
    },
    rest: () => {},
  };
  const { failure } = await looped([feedOf('a', [1, 4, 5, 2]), feedOf('b', [3, 3, 9])], { pace: pace as never });
  t.is(failure, undefined);
  t.deepEqual(sent, [1, 3, 3, 4, 5, 2, 9]);
});

test('a commit is due after so many records', async (t) => {
  const feed = feedOf('a', [1, 2, 3, 4, 5, 6, 7]);
  await looped([feed], { commitRecords: 3 });
  t.deepEqual(feed.asked, ['save 3', 'save 6', 'save 7']);
});

test('nothing is saved, and so no letter is written, before it is certain that nobody has taken over', async (t) => {
  const feed = feedOf('a', [1, 2], 1);
  const fenced = new Error('fenced');
  const { failure, cluster } = await looped([feed], { confirm: () => Promise.reject(fenced) });
  t.is(failure, fenced);
  t.deepEqual(feed.asked, []);
  t.deepEqual(cluster.read('a', 0), []);
  t.deepEqual(cluster.read('positions', 0), []);
});

test('without new letters there is nothing to be certain of', async (t) => {
  const { failure } = await looped([feedOf('a', [1, 2])], { confirm: () => Promise.reject(new Error('asked')) });
  t.is(failure, undefined);
});

test('what a commit leads to is waited for, and its failure ends the loop', async (t) => {
  const failed = new Error('cannot be moved');
  const { failure } = await looped([feedOf('a', [1, 2, 3, 4])], {
    commitRecords: 2,
    committed: () => Promise.reject(failed),
  });
  t.is(failure, failed);
});
