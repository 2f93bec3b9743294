import test, { type ExecutionContext } from 'ava';
import type { Broker, BrokerProducer, ProducerOptions, RefusedRecord } from '../../../src/clients/broker.ts';
import { decodeRecords } from '../../../src/clients/record-batch/decode-records.ts';
import { failure, scripted, text } from './scripted.ts';
import { Bytes, type Fields, type Script, type ScriptedBroker } from './scripted-broker.ts';

const [produce, initProducerId, addPartitions, addOffsets, endTxn, txnOffsets, metadata, findCoordinator] = [
  0, 22, 24, 25, 26, 28, 3, 10,
];
const codes = {
  corrupt: 2,
  unknownTopic: 3,
  notLeader: 6,
  tooLarge: 10,
  loading: 14,
  coordinatorGone: 15,
  notCoordinator: 16,
  notEnoughReplicas: 19,
  notAuthorized: 29,
  invalidTimestamp: 32,
  outOfOrder: 45,
  duplicate: 46,
  invalidEpoch: 47,
  invalidState: 48,
  mapping: 49,
  concurrent: 51,
  unknownProducer: 59,
  fenced: 90,
} as const;

/** What a Produce request says. */
interface Produced {
  readonly transactionalId: string | null;
  readonly acks: number;
  readonly batches: readonly { topic: string; partition: number; bytes: Buffer }[];
}

function readProduce(request: Fields): Produced {
  const transactionalId = request.string();
  const acks = request.int16();
  request.int32();
  const batches = request
    .array(() => {
      const topic = request.string()!;
      return request.array(() => ({ topic, partition: request.int32(), bytes: Buffer.from(request.bytes()) }));
    })
    .flat();
  return { transactionalId, acks, batches };
}

function produced(results: readonly { partition: number; error: number; offset: number }[], topic = 't'): Bytes {
  return new Bytes()
    .array([topic], (name, to) =>
      to
        .string(name)
        .array(results, ({ partition, error, offset }) =>
          to.int32(partition).int16(error).int64(offset).int64(-1).int64(0),
        ),
    )
    .int32(0);
}

const code = (error: number): Bytes => new Bytes().int32(0).int16(error);
const partitionCodes = (error: number): Bytes =>
  new Bytes()
    .int32(0)
    .array(['t'], (name, to) => to.string(name).array([0], (partition) => to.int32(partition).int16(error)));

/** All goes well: each partition grows by what is sent. */
function willing(script: ScriptedBroker): { sent: Produced[]; log: number[] } {
  const sent: Produced[] = [];
  const log = [0, 0];
  script
    .on(initProducerId, () => code(0).int64(5000).int16(3))
    .on(addPartitions, () => partitionCodes(0))
    .on(addOffsets, () => code(0))
    .on(txnOffsets, () => partitionCodes(0))
    .on(endTxn, () => code(0))
    .on(produce, (request) => {
      const all = readProduce(request);
      sent.push(all);
      return produced(
        all.batches.map(({ partition, bytes }) => {
          const offset = log[partition]!;
          log[partition] = offset + bytes.readInt32BE(57);
          return { partition, error: 0, offset };
        }),
      );
    });
  return { sent, log };
}

/** Answers with these codes one after the other, then as before. */
function first(errors: readonly number[], answer: (error: number) => Bytes, then: Script): Script {
  return (request, count) => (count < errors.length ? answer(errors[count]!) : then(request, count));
}

async function ready(broker: Broker, options: Partial<ProducerOptions> = {}): Promise<BrokerProducer> {
  const producer = broker.producer({ transactional: true, transactionalId: 'id', ...options });
  await producer.init();
  return producer;
}

const values = (bytes: Buffer): string[] => {
  const { records, failure } = decodeRecords({
    topic: 't',
    partition: 0,
    bytes,
    start: 0,
    end: bytes.length,
    position: 0,
    aborted: undefined,
    stableEnd: -1,
    checkCrcs: true,
  });
  if (failure !== undefined) throw failure;
  return Array.from({ length: records.length }, (_, i) =>
    records.bytes.toString('utf8', records.valueStarts[i], records.valueEnds[i]),
  );
};

function append(producer: BrokerProducer, partition: number, ...all: string[]): void {
  for (const value of all) producer.append('t', partition, 1000, undefined, text(value));
}

test('a transaction is: partitions once, records, offsets, end; with id, epoch and growing sequences', async (t) => {
  const { script, broker } = await scripted(t);
  const { sent } = willing(script);
  const ends: boolean[] = [];
  script.on(endTxn, (request) => {
    t.deepEqual([request.string(), request.int64(), request.int16()], ['id', 5000, 3]);
    ends.push(request.int8() === 1);
    return code(0);
  });
  const producer = await ready(broker);
  append(producer, 0, 'a', 'b');
  append(producer, 1, 'c');
  await producer.flush();
  append(producer, 0, 'd');
  t.deepEqual(
    [...(await producer.commit('g', [{ topic: 't', partition: 0, offset: 1, metadata: '' }]))],
    [
      ['t-0', 3],
      ['t-1', 1],
    ],
  );
  append(producer, 0, 'e');
  await producer.flush();
  await producer.abort();
  t.deepEqual(ends, [true, false]);
  t.deepEqual([script.count(addPartitions), script.count(addOffsets), script.count(txnOffsets)], [2, 1, 1]);
  const batches = sent.flatMap((one) => one.batches);
  t.deepEqual(
    batches.map(({ partition, bytes }) => [partition, values(bytes), bytes.readInt32BE(53)]),
    [
      [0, ['a', 'b'], 0],
      [1, ['c'], 0],
      [0, ['d'], 2],
      [0, ['e'], 3],
    ],
  );
  for (const { transactionalId, acks } of sent) t.deepEqual([transactionalId, acks], ['id', -1]);
  for (const { bytes } of batches)
    t.deepEqual([bytes.readBigInt64BE(43), bytes.readInt16BE(51), bytes.readInt16BE(21)], [5000n, 3, 16]);
});

for (const [name, apiKey, answer] of [
  ['InitProducerId', initProducerId, (error: number) => code(error).int64(-1).int16(-1)],
  ['AddPartitionsToTxn', addPartitions, partitionCodes],
  ['AddOffsetsToTxn', addOffsets, code],
  ['TxnOffsetCommit', txnOffsets, partitionCodes],
  ['EndTxn', endTxn, code],
] as const) {
  const script = (t: ExecutionContext): ReturnType<typeof scripted> => scripted(t);
  const whole = async (broker: Broker): Promise<void> => {
    const producer = await ready(broker);
    append(producer, 0, 'a');
    await producer.commit('g', [{ topic: 't', partition: 0, offset: 1, metadata: '' }]);
  };

  test(`${name} is asked again while the coordinator loads, has moved or is busy`, async (t) => {
    const { script: from, broker } = await script(t);
    willing(from);
    const then: Script = apiKey === initProducerId ? () => code(0).int64(1).int16(0) : () => answer(0);
    const errors = [codes.concurrent, codes.loading, codes.notCoordinator, codes.coordinatorGone, codes.concurrent];
    from.on(apiKey, first(errors, answer, then));
    await whole(broker);
    t.is(from.count(apiKey), errors.length + 1);
    t.true(from.count(findCoordinator) >= 3, 'it looks for the coordinator anew');
  });

  test(`${name} that is refused for an id that somebody else has is STREAMS_TASK_MIGRATED, for ever`, async (t) => {
    for (const error of [codes.invalidEpoch, codes.fenced, codes.mapping]) {
      const { script: from, broker } = await script(t);
      willing(from).log.length;
      from.on(apiKey, () => answer(error));
      t.is((await failure(t, whole(broker))).code, 'STREAMS_TASK_MIGRATED');
      t.is(from.count(apiKey), 1);
    }
  });

  test(`${name} that is refused for good is STREAMS_BROKER with the name of the error`, async (t) => {
    const { script: from, broker } = await script(t);
    willing(from);
    from.on(apiKey, () => answer(codes.invalidState));
    const { code, message } = await failure(t, whole(broker));
    t.is(code, 'STREAMS_BROKER');
    t.regex(message, /INVALID_TXN_STATE/);
    t.is(from.count(apiKey), 1);
  });
}

test.serial('an end without an answer in time is STREAMS_BROKER, and the producer is of no more use', async (t) => {
  const { script, broker } = await scripted(t, 1500);
  willing(script);
  script.on(endTxn, () => 'silence');
  const producer = await ready(broker);
  append(producer, 0, 'a');
  t.is((await failure(t, producer.commit())).code, 'STREAMS_BROKER');
  const ends = script.count(endTxn);
  for (const call of [() => producer.commit(), () => producer.flush(), () => producer.abort()]) {
    t.is((await failure(t, call())).code, 'STREAMS_BROKER');
  }
  t.is(script.count(endTxn), ends);
});

test('a batch that fails in a way that passes is sent again as it was, the other partition is not', async (t) => {
  const { script, broker } = await scripted(t);
  const { sent } = willing(script);
  const errors = [codes.notLeader, codes.notEnoughReplicas, codes.unknownTopic];
  script.on(produce, (request, count) => {
    const all = readProduce(request);
    sent.push(all);
    return produced(
      all.batches.map(({ partition }) => ({
        partition,
        error: partition === 1 ? (errors[count] ?? 0) : 0,
        offset: 10,
      })),
    );
  });
  const producer = await ready(broker);
  const asked = script.count(metadata);
  append(producer, 0, 'a');
  append(producer, 1, 'b');
  t.deepEqual([...(await producer.commit())].sort(), [
    ['t-0', 11],
    ['t-1', 11],
  ]);
  t.deepEqual(
    sent.map(({ batches }) => batches.map(({ partition }) => partition)),
    [[0, 1], [1], [1], [1]],
  );
  const again = sent.map(({ batches }) => batches.at(-1)!.bytes);
  for (const bytes of again) t.true(bytes.equals(again[0]!));
  t.true(script.count(metadata) > asked + 1, 'leaders are looked up anew');
});

test('a batch of which no answer came is sent again as it was', async (t) => {
  const { script, broker } = await scripted(t);
  const { sent, log } = willing(script);
  script.on(produce, (request, count) => {
    sent.push(readProduce(request));
    return count < 2 ? 'cut' : produced([{ partition: 0, error: 0, offset: log[0]! }]);
  });
  const producer = await ready(broker, { transactional: false });
  append(producer, 0, 'a', 'b');
  t.deepEqual([...(await producer.commit())], [['t-0', 2]]);
  const all = sent.map(({ batches }) => batches[0]!.bytes);
  t.is(all.length, 3);
  for (const bytes of all) t.true(bytes.equals(all[0]!));
  t.is(sent[0]!.transactionalId, null);
});

test('a batch that the broker has already is as good as written, its position is not known', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script).sent.length;
  script.on(produce, () => produced([{ partition: 0, error: codes.duplicate, offset: -1 }]));
  const producer = await ready(broker);
  append(producer, 0, 'a');
  t.deepEqual([...(await producer.commit())], []);
});

test('what the broker has against a producer ends it, by name', async (t) => {
  for (const [error, expected] of [
    [codes.invalidEpoch, 'STREAMS_TASK_MIGRATED'],
    [codes.fenced, 'STREAMS_TASK_MIGRATED'],
    [codes.outOfOrder, 'STREAMS_BROKER'],
    [codes.unknownProducer, 'STREAMS_BROKER'],
    [codes.notAuthorized, 'STREAMS_BROKER'],
    [codes.corrupt, 'STREAMS_BROKER'],
  ] as const) {
    const { script, broker } = await scripted(t);
    willing(script);
    script.on(produce, () => produced([{ partition: 0, error, offset: -1 }]));
    const producer = await ready(broker);
    append(producer, 0, 'a');
    t.is((await failure(t, producer.flush())).code, expected);
    t.is(script.count(produce), 1);
    t.is((await failure(t, producer.commit())).code, expected);
  }
});

test('a fenced producer without an id is a failure of the broker', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  script.on(produce, () => produced([{ partition: 0, error: codes.invalidEpoch, offset: -1 }]));
  const producer = broker.producer({ transactional: false });
  await producer.init();
  append(producer, 0, 'a');
  t.is((await failure(t, producer.flush())).code, 'STREAMS_BROKER');
});

test('records that the broker refuses are found by halving, the others keep their order and have no gap in their numbers', async (t) => {
  const { script, broker } = await scripted(t);
  const written: { values: string[]; sequence: number }[] = [];
  willing(script);
  script.on(produce, (request) => {
    const { bytes } = readProduce(request).batches[0]!;
    const all = values(bytes);
    const error = all.some((value) => value.startsWith('bad')) ? codes.tooLarge : 0;
    if (error === 0) written.push({ values: all, sequence: bytes.readInt32BE(53) });
    return produced([{ partition: 0, error, offset: 0 }]);
  });
  const refused: RefusedRecord[] = [];
  const producer = await ready(broker, {
    refused: (record) => {
      refused.push(record);
      return 'continue';
    },
  });
  append(producer, 0, '0', '1', 'bad 2', '3', '4', '5', 'bad 6', 'bad 7', '8');
  await producer.commit();
  t.deepEqual(
    written.flatMap((batch) => batch.values),
    ['0', '1', '3', '4', '5', '8'],
  );
  let sequence = 0;
  for (const batch of written) {
    t.is(batch.sequence, sequence);
    sequence += batch.values.length;
  }
  t.deepEqual(
    refused.map(({ topic, partition, key, value, timestamp, reason }) => [
      topic,
      partition,
      key,
      Buffer.from(value!).toString(),
      timestamp,
      reason,
    ]),
    ['bad 2', 'bad 6', 'bad 7'].map((value) => ['t', 0, undefined, value, 1000, 'MESSAGE_TOO_LARGE']),
  );
});

test('batches and requests keep to their limits, in order', async (t) => {
  const { script, broker } = await scripted(t);
  const { sent } = willing(script);
  const producer = await ready(broker, { maxBatchBytes: 500 });
  const all = Array.from({ length: 100 }, (_, i) => `value ${i}`);
  append(producer, 0, ...all);
  await producer.flush();
  const batches = sent.flatMap((one) => one.batches);
  t.true(batches.length >= 4);
  for (const { bytes } of batches) t.true(bytes.length <= 500);
  for (const one of sent) t.is(one.batches.length, 1, 'a partition has one batch in a request');
  t.deepEqual(
    batches.flatMap(({ bytes }) => values(bytes)),
    all,
  );
});

test('a producer is used as it is meant to be', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  t.throws(() => broker.producer({ transactional: true }), { instanceOf: TypeError });
  const plain = await ready(broker, { transactional: false });
  await t.throwsAsync(plain.commit('g', [{ topic: 't', partition: 0, offset: 1, metadata: '' }]), {
    instanceOf: TypeError,
  });
  const nameless = await ready(broker);
  await t.throwsAsync(nameless.commit(undefined, [{ topic: 't', partition: 0, offset: 1, metadata: '' }]), {
    instanceOf: TypeError,
  });
  const early = broker.producer({ transactional: true, transactionalId: 'x' });
  append(early, 0, 'a');
  await t.throwsAsync(early.commit(), { instanceOf: TypeError });
  append(plain, 0, 'a');
  await plain.close();
  t.is((await failure(t, plain.flush())).code, 'STREAMS_CLOSED');
});
