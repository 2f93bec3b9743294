import * as zlib from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { StreamsError } from '../../../src/common/errors.ts';
import { batch, marker, transactionBatch } from '../../helpers/record-batches.ts';
import { decodeAll, texts, values } from './decoded.ts';

const first = batch({ baseOffset: 0, records: ['a', 'b', 'c'].map((value) => ({ key: 'key', value })) });
const second = batch({
  baseOffset: 3,
  records: [
    { key: 'k', value: 'd', headers: [['h', 'x']] },
    { timestampDelta: 7, value: 'e' },
  ],
});
const third = batch({ baseOffset: 5, attributes: 1, records: [{ value: 'f' }, { value: 'g' }] }, (bytes) =>
  zlib.gzipSync(bytes),
);
const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

test('a bit that is wrong anywhere in a batch ends the reading before it, or changes nothing', (t) => {
  for (const [i, whole] of [first, second, third].entries()) {
    const before = all.slice(0, [0, 3, 5][i]);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const batches = [first, second, third].map((each, j) => (j === i ? bytes : each));
      const { records, failure } = decodeAll(batches, { stableEnd: 7 });
      // The offset and the epoch of the leader lie before what the checksum covers.
      const place = bit >> 3;
      if (place >= 12 && place < 16) {
        t.deepEqual([values(records), failure], [all, undefined], `bit ${bit}`);
        continue;
      }
      if (failure === undefined) {
        // As a batch whose rest is still to come: the reader stays where it is, and does not wait for ever.
        t.true(place < 12, `bit ${bit}`);
        t.true(records.nextOffset <= before.length, `bit ${bit}`);
      } else {
        t.true(['STREAMS_BATCH_CORRUPT', 'STREAMS_BATCH_UNSUPPORTED'].includes(failure.code));
        t.is(failure.details.topic, 't');
        t.is(failure.details.partition, 3);
        t.is(failure.details.offset, records.nextOffset, `bit ${bit}`);
      }
      if (place >= 8) t.deepEqual(values(records), before, `bit ${bit}`);
    }
  }
});

test('without checksums bytes of any kind are read as records that lie within them, or refused', (t) => {
  const whole = Buffer.concat([first, second, third, transactionBatch(7, 4, ['x']), marker(8, 4, 'abort')]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
      fc.nat(whole.length),
      (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        const options = { checkCrcs: false, aborted: [{ producerId: 4n, firstOffset: 7 }], stableEnd: 1000 };
        const { records, failure } = decodeAll([bytes], options);
        if (failure !== undefined) t.true(StreamsError.is(failure));
        for (let i = 0; i < records.length; i++) {
          records.headers(i);
          t.true(records.keyEnds[i]! <= records.bytes.length && records.valueEnds[i]! <= records.bytes.length);
          t.true(records.keyStarts[i]! <= records.keyEnds[i]! && records.valueStarts[i]! <= records.valueEnds[i]!);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('a damaged batch is told with its checksum and what to do, and nothing behind it is given out', (t) => {
  const bytes = Buffer.from(second);
  bytes[68]! ^= 4;
  const { records, failure } = decodeAll([first, bytes, third]);
  t.deepEqual(values(records), ['a', 'b', 'c']);
  t.is(records.nextOffset, 3);
  t.is(failure?.code, 'STREAMS_BATCH_CORRUPT');
  t.regex(
    failure!.message,
    /topic t, partition 3: the batch at offset 3 is damaged: its CRC-32C is [0-9a-f]{8}, .* another replica/,
  );
  const unchecked = decodeAll([first, bytes, third], { checkCrcs: false });
  t.is(unchecked.failure, undefined);
  t.is(unchecked.records.length, 7);
});

test('checksums are compared for markers, for aborted batches, and for those before the position', (t) => {
  const aborted = [{ producerId: 1n, firstOffset: 0 }];
  for (const i of [0, 1, 2]) {
    const batches = [
      transactionBatch(0, 1, ['aborted']),
      marker(1, 1, 'abort'),
      batch({ baseOffset: 2, records: [{ value: 'w' }] }),
    ];
    const wrong = Buffer.from(batches[i]!);
    wrong[62]! ^= 1;
    const { failure } = decodeAll(
      batches.map((each, j) => (j === i ? wrong : each)),
      { aborted, position: 3 },
    );
    t.is(failure?.code, 'STREAMS_BATCH_CORRUPT');
  }
});

test('a message format of before Kafka 0.11, or of the future, ends the reading there', (t) => {
  for (const magic of [0, 1, 3, 127]) {
    const old = Buffer.alloc(34);
    old.writeBigInt64BE(5n);
    old.writeInt32BE(22, 8);
    old[16] = magic;
    const { records, failure } = decodeAll([second, old, batch({ baseOffset: 6, records: [{ value: 'new' }] })], {
      position: 3,
    });
    t.deepEqual(values(records), ['d', 'e']);
    t.deepEqual([failure?.code, failure?.details.offset], ['STREAMS_BATCH_UNSUPPORTED', 5]);
    t.regex(failure!.message, new RegExp(`format v${magic}`));
  }
});

test('a codec that nobody knows, and bytes that are not what their codec writes, are told apart', (t) => {
  const of = (codec: number): Buffer =>
    batch({ baseOffset: 10, attributes: codec, records: ['a', 'b'].map((value) => ({ value })) });
  for (const codec of [5, 6, 7]) {
    const { records, failure } = decodeAll([of(codec)], { position: 11 });
    t.deepEqual([records.length, records.nextOffset, failure?.code], [0, 11, 'STREAMS_BATCH_UNSUPPORTED']);
    t.regex(failure!.message, new RegExp(`codec ${codec}`));
  }
  for (const [codec, name] of [
    [1, 'gzip'],
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ] as const) {
    const { failure } = decodeAll([of(codec)], { position: 10 });
    t.is(failure?.code, 'STREAMS_BATCH_CORRUPT');
    t.regex(failure!.message, new RegExp(`cannot be uncompressed as ${name}`));
  }
});

test('records that do not fit a batch whose checksum is right end the reading before it', (t) => {
  const packed = (change: (records: Buffer) => Buffer, count = 3): Buffer =>
    batch(
      {
        baseOffset: 3,
        records: Array.from({ length: count }, () => ({ key: 'k', value: 'v', headers: [['h', 'x']] })),
      },
      change,
    );
  const at = (place: number, value: number) => (records: Buffer) => {
    const changed = Buffer.from(records);
    changed[place] = value;
    return changed;
  };
  const wrong = {
    endless: packed((records) => Buffer.alloc(records.length, 0xff)),
    long: packed(at(0, 126)),
    negative: packed(at(0, 1)),
    'more headers': packed(at(8, 100)),
    'fewer headers': packed(at(8, 0)),
    'a header longer than its record': packed(at(9, 60)),
    'bytes behind': packed((records) => Buffer.concat([records, Buffer.alloc(9)])),
    'bytes missing': packed((records) => records.subarray(0, -1)),
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    const { records, failure } = decodeAll([first, bytes, batch({ baseOffset: 6, records: [{ value: 'w' }] })]);
    t.deepEqual(values(records), ['a', 'b', 'c'], what);
    t.deepEqual([records.nextOffset, failure?.code, failure?.details.offset], [3, 'STREAMS_BATCH_CORRUPT', 3], what);
  }
  for (const count of [-1, 4, 2_000_000_000]) {
    const bytes = Buffer.from(first);
    bytes.writeInt32BE(count, 57);
    t.is(decodeAll([bytes], { checkCrcs: false }).failure?.code, 'STREAMS_BATCH_CORRUPT', `${count} records`);
  }
});

test('a length that no batch has is damage, and one that leads behind the answer is as a batch that is cut off', (t) => {
  for (const length of [-2_147_483_648, -1, 0, 4, 13, 48]) {
    const bytes = Buffer.from(second);
    bytes.writeInt32BE(length, 8);
    const { records, failure } = decodeAll([first, bytes]);
    t.deepEqual([values(records), failure?.code], [['a', 'b', 'c'], 'STREAMS_BATCH_CORRUPT'], `${length}`);
  }
  const long = Buffer.from(second);
  long.writeInt32BE(2_147_483_647, 8);
  const { records, failure } = decodeAll([first, long]);
  t.deepEqual([records.nextOffset, failure], [3, undefined]);
});

test('offsets that overlap, or lie behind the end that the broker has told, are not believed', (t) => {
  const overlapping = batch({ baseOffset: 2, records: [{ value: 'x' }] });
  const { records, failure } = decodeAll([first, overlapping]);
  // One of the two is wrong, and nobody knows which.
  t.deepEqual([values(records), records.nextOffset, failure?.code], [[], 0, 'STREAMS_BATCH_CORRUPT']);
  const jumping = Buffer.from(second);
  jumping.writeInt32BE(11, 4);
  const jumped = decodeAll([first, jumping, third]);
  t.deepEqual([values(jumped.records), jumped.records.nextOffset], [['a', 'b', 'c'], 3]);
  t.deepEqual([jumped.failure?.code, jumped.failure?.details.offset], ['STREAMS_BATCH_CORRUPT', 3]);
  const behind = decodeAll([first, second], { stableEnd: 4 });
  t.deepEqual([values(behind.records), behind.records.nextOffset, behind.failure], [['a', 'b', 'c'], 3, undefined]);
});

test('much that is compressed small is given out over several fetches', (t) => {
  const value = 'v'.repeat(30 * 2 ** 20);
  const large = Array.from({ length: 5 }, (_, i) =>
    batch({ baseOffset: i, attributes: 1, records: [{ key: String(i), value }] }, (bytes) => zlib.gzipSync(bytes)),
  );
  const seen: (string | undefined)[] = [];
  let fetches = 0;
  for (let position = 0; position < 5; fetches++) {
    const { records, failure } = decodeAll(large.slice(position), { position });
    t.is(failure, undefined);
    seen.push(...texts(records).map(({ key }) => key));
    t.true(records.nextOffset > position);
    position = records.nextOffset;
  }
  t.deepEqual(seen, ['0', '1', '2', '3', '4']);
  t.is(fetches, 2);
});
