import test from 'ava';
import type { Broker, Fetcher, FetcherOptions, PartitionOffset } from '../../../src/clients/broker.ts';
import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import type { StreamsError } from '../../../src/common/errors.ts';
import { batch } from '../../helpers/record-batches.ts';
import { scripted, until } from './scripted.ts';
import { Bytes, type Fields, type Reply, type ScriptedBroker } from './scripted-broker.ts';

const [fetch, metadata] = [1, 3];

/** What a Fetch request says. */
interface Fetched {
  readonly maxWait: number;
  readonly isolation: number;
  readonly partitions: readonly { partition: number; offset: number }[];
}

function readFetch(request: Fields): Fetched {
  request.int32();
  const maxWait = request.int32();
  request.int32();
  request.int32();
  const isolation = request.int8();
  request.int32();
  request.int32();
  const partitions = request
    .array(() => {
      request.string();
      return request.array(() => {
        const partition = request.int32();
        request.int32();
        const offset = request.int64();
        request.int64();
        request.int32();
        return { partition, offset };
      });
    })
    .flat();
  return { maxWait, isolation, partitions };
}

interface Part {
  readonly partition: number;
  readonly error?: number;
  readonly end?: number;
  readonly stable?: number;
  readonly bytes?: Buffer;
}

function fetched(parts: readonly Part[]): Bytes {
  return new Bytes()
    .int32(0)
    .int16(0)
    .int32(0)
    .array(['t'], (name, to) =>
      to
        .string(name)
        .array(parts, ({ partition, error = 0, end = 0, stable = end, bytes = Buffer.alloc(0) }) =>
          to.int32(partition).int16(error).int64(end).int64(stable).int64(0).int32(-1).bytes(bytes),
        ),
    );
}

/** Partitions with one record in a batch; a reader at the end waits until the script is over. */
function logOf(script: ScriptedBroker, logs: readonly (readonly string[])[]): Fetched[] {
  const asked: Fetched[] = [];
  script.on(fetch, (request): Reply => {
    const all = readFetch(request);
    asked.push(all);
    const parts = all.partitions.map(({ partition, offset }) => {
      const value = logs[partition]?.[offset];
      const end = logs[partition]!.length;
      return {
        partition,
        end,
        ...(value === undefined ? {} : { bytes: batch({ baseOffset: offset, records: [{ value }] }) }),
      };
    });
    return all.maxWait > 0 && parts.every(({ bytes }) => bytes === undefined) ? 'silence' : fetched(parts);
  });
  return asked;
}

function reader(
  broker: Broker,
  options: Partial<FetcherOptions> = {},
): {
  fetcher: Fetcher;
  got: FetchedRecords[];
  failures: { partition: PartitionOffset; kind: string; error: Error }[];
  values(partition: number): string[];
} {
  const got: FetchedRecords[] = [];
  const failures: { partition: PartitionOffset; kind: string; error: Error }[] = [];
  const fetcher = broker.fetcher({
    receive: (records) => got.push(records),
    failed: (partition, kind, error) => failures.push({ partition, kind, error }),
    ...options,
  });
  const values = (partition: number): string[] =>
    got
      .filter((one) => one.partition === partition)
      .flatMap((one) =>
        Array.from({ length: one.length }, (_, i) => one.bytes.toString('utf8', one.valueStarts[i], one.valueEnds[i])),
      );
  return { fetcher, got, failures, values };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test('partitions are read in one fetch after the other, each from where it is', async (t) => {
  const { script, broker } = await scripted(t);
  const asked = logOf(script, [numbers(20), numbers(7)]);
  const { fetcher, values, got } = reader(broker, { isolation: 'read_uncommitted' });
  fetcher.add({ topic: 't', partition: 0, offset: 5 });
  fetcher.add({ topic: 't', partition: 1, offset: 0 });
  await until(() => values(0).length === 15 && values(1).length === 7);
  t.deepEqual(values(0), numbers(20).slice(5));
  t.deepEqual(values(1), numbers(7));
  t.is(got.at(-1)!.stableEnd, 20);
  t.deepEqual(asked[0]!.partitions, [
    { partition: 0, offset: 5 },
    { partition: 1, offset: 0 },
  ]);
  t.true(asked.every(({ isolation }) => isolation === 0));
});

test('who reads with read_committed is told the stable end, others the end', async (t) => {
  for (const [isolation, expected] of [
    ['read_committed', 3],
    ['read_uncommitted', 9],
  ] as const) {
    const { script, broker } = await scripted(t);
    script.on(fetch, (request) => {
      const { isolation: level, maxWait } = readFetch(request);
      t.is(level, isolation === 'read_committed' ? 1 : 0);
      return maxWait > 0 ? 'silence' : fetched([{ partition: 0, end: 9, stable: 3 }]);
    });
    const { fetcher, got } = reader(broker, { isolation });
    fetcher.add({ topic: 't', partition: 0, offset: 0 });
    await until(() => got.length > 0);
    t.deepEqual(
      got.map(({ stableEnd, nextOffset, length }) => [stableEnd, nextOffset, length]),
      [[expected, 0, 0]],
    );
  }
});

test('a partition that is added or resumed while a fetch waits is fetched beside it', async (t) => {
  const { script, broker } = await scripted(t);
  const asked = logOf(script, [[], numbers(3)]);
  const { fetcher, values, got } = reader(broker, { maxWaitMs: 600_000 });
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => got.length === 1 && asked.at(-1)!.maxWait > 0);
  fetcher.add({ topic: 't', partition: 1, offset: 0 });
  await until(() => values(1).length === 3);
  const connections = new Set(script.seen.filter(({ apiKey }) => apiKey === fetch).map(({ connection }) => connection));
  t.is(connections.size, 2);
  t.is(asked.filter(({ partitions }) => partitions.some(({ partition }) => partition === 0)).length, 2);
});

test('a leader that has moved is looked up and asked, nothing is told of it', async (t) => {
  const { script, broker } = await scripted(t);
  const other = await scripted(t);
  logOf(other.script, [numbers(3), []]);
  script.on(metadata, (_request, count) =>
    script.metadata(
      [{ topic: 't', leaders: [count < 2 ? 7 : 8, 7] }],
      [
        { nodeId: 7, port: script.port },
        { nodeId: 8, port: other.script.port },
      ],
    ),
  );
  script.on(fetch, () => fetched([{ partition: 0, error: 6 }]));
  const { fetcher, values, failures } = reader(broker);
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => values(0).length === 3);
  t.deepEqual(values(0), numbers(3));
  t.deepEqual(failures, []);
});

test('a leader that cuts, or has none, is asked again without end, and not without pause', async (t) => {
  const { script, broker } = await scripted(t);
  const { fetcher, failures } = reader(broker);
  script.on(metadata, (_request, count) => script.metadata([{ topic: 't', leaders: [count % 2 === 0 ? 7 : -1] }]));
  script.on(fetch, () => 'cut');
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => script.count(fetch) >= 4);
  const before = script.count(fetch) + script.count(metadata);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.true(script.count(fetch) + script.count(metadata) - before < 50);
  t.deepEqual(failures, []);
});

test('a batch that does not come whole is asked for again with pauses, and read when it is there', async (t) => {
  const { script, broker } = await scripted(t);
  const whole = batch({ records: [{ value: 'a' }] });
  script.on(fetch, (request, count) => {
    if (count < 4) return fetched([{ partition: 0, end: 1, bytes: whole.subarray(0, 50) }]);
    return readFetch(request).partitions[0]!.offset > 0 ? 'silence' : fetched([{ partition: 0, end: 1, bytes: whole }]);
  });
  const { fetcher, failures, values } = reader(broker);
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => values(0).length > 0);
  t.deepEqual([values(0), failures.length], [['a'], 0]);
});

test('a batch that never comes whole, or lies behind the end for good, is damaged: reading ends, and not at once', async (t) => {
  const cut = batch({ baseOffset: 5, records: [{ value: 'a' }] }).subarray(0, 50);
  const ahead = batch({ baseOffset: 70_000, records: [{ value: 'a' }] });
  for (const bytes of [cut, ahead]) {
    const { script, broker } = await scripted(t);
    script.on(fetch, () => fetched([{ partition: 0, end: 9, bytes }]));
    const { fetcher, failures, got } = reader(broker);
    fetcher.add({ topic: 't', partition: 0, offset: 5 });
    await until(() => failures.length > 0);
    t.deepEqual([failures[0]!.partition.offset, failures[0]!.kind, got.length], [5, 'failed', 1]);
    t.is((failures[0]!.error as StreamsError).code, 'STREAMS_BATCH_CORRUPT');
    t.true(script.count(fetch) > 3);
  }
});

test('what lies before a damaged batch is given out, then reading ends at it; without check.crcs it is read on', async (t) => {
  const wrong = batch({ baseOffset: 2, records: [{ value: 'c' }] });
  wrong[67]! ^= 2;
  const bytes = Buffer.concat([batch({ records: [{ value: 'a' }, { value: 'b' }] }), wrong]);
  for (const checkCrcs of [true, false]) {
    const { script } = await scripted(t);
    const broker = openKafkaBroker({ bootstrapServers: [script.address], clientId: 'test', checkCrcs });
    t.teardown(() => broker.close());
    script.on(fetch, (request) =>
      readFetch(request).partitions[0]!.offset === 0 ? fetched([{ partition: 0, end: 3, bytes }]) : 'silence',
    );
    const { fetcher, failures, values } = reader(broker);
    fetcher.add({ topic: 't', partition: 0, offset: 0 });
    await until(() => failures.length > 0 || values(0).length === 3);
    t.deepEqual(values(0).slice(0, 2), ['a', 'b']);
    t.is(values(0).length, checkCrcs ? 2 : 3);
    t.deepEqual(
      failures.map(({ partition, error }) => [partition.offset, (error as StreamsError).code]),
      checkCrcs ? [[2, 'STREAMS_BATCH_CORRUPT']] : [],
    );
  }
});

test('what no retry helps is told once, and the partition is removed', async (t) => {
  for (const [error, kind, name] of [
    [1, 'out-of-range', /OFFSET_OUT_OF_RANGE/],
    [29, 'failed', /TOPIC_AUTHORIZATION_FAILED/],
    [2, 'failed', /CORRUPT_MESSAGE/],
  ] as const) {
    const { script, broker } = await scripted(t);
    script.on(fetch, (request) =>
      fetched(readFetch(request).partitions.map(({ partition }) => ({ partition, error }))),
    );
    const { fetcher, failures } = reader(broker);
    fetcher.add({ topic: 't', partition: 0, offset: 5 });
    await until(() => failures.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.deepEqual(
      failures.map((one) => [one.partition, one.kind]),
      [[{ topic: 't', partition: 0, offset: 5 }, kind]],
    );
    t.regex(failures[0]!.error.message, name);
    t.is(script.count(fetch), 1);
  }
});

test('a topic that may not be read, by its metadata, is told', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(metadata, () => script.metadata([{ topic: 't', error: 29, leaders: [] }]));
  const one = reader(broker);
  one.fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => one.failures.length > 0);
  t.regex(one.failures[0]!.error.message, /TOPIC_AUTHORIZATION_FAILED/);
});

test('a broker that is too old to be read from is told', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(18, () =>
    new Bytes()
      .int16(0)
      .array([1, 3, 18], (key, to) =>
        to
          .int16(key)
          .int16(0)
          .int16(key === 1 ? 9 : 6),
      )
      .int32(0),
  );
  const { fetcher, failures } = reader(broker);
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => failures.length > 0);
  t.regex(failures[0]!.error.message, /Fetch 0 to 9, 10 is needed/);
});

test('nothing is given out of a fetch that was under way when its partition was removed, added again, or the fetcher closed', async (t) => {
  const { script, broker } = await scripted(t);
  let release: (() => void) | undefined;
  const asked = logOf(script, [numbers(5), []]);
  const { fetcher, got } = reader(broker, { receive: (records) => void got.push(records) });
  fetcher.add({ topic: 't', partition: 0, offset: 0 });
  await until(() => asked.length > 0);
  // The answer is on its way now, and was not taken yet.
  fetcher.remove({ topic: 't', partition: 0 });
  const before = got.length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(got.length, before);
  await fetcher.close();
  t.throws(() => fetcher.add({ topic: 't', partition: 0, offset: 0 }));
  release?.();
});
