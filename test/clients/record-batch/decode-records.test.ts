import * as zlib from 'node:zlib';
import test from 'ava';
import { batch, marker, slowCrc32c, transactionBatch } from '../../helpers/record-batches.ts';
import { decode, headers, texts, values } from './decoded.ts';

test('records are told with their offsets, times, keys, values and headers', (t) => {
  const records = decode([
    batch({
      baseOffset: 10,
      baseTimestamp: 1_490_000_000_000,
      records: [
        { key: 'a', value: 'one' },
        { timestampDelta: -3_600_000_000, key: '', value: undefined, headers: [['h', 'x']] },
        {
          timestampDelta: 86_400_000_000_000,
          key: undefined,
          value: '',
          headers: [
            ['é', 'ü'],
            ['', ''],
          ],
        },
      ],
    }),
    batch({ baseOffset: 13, records: [{ value: 'next' }] }),
  ]);
  t.deepEqual(texts(records), [
    { offset: 10, timestamp: 1_490_000_000_000, key: 'a', value: 'one' },
    { offset: 11, timestamp: 1_486_400_000_000, key: '', value: undefined },
    { offset: 12, timestamp: 87_890_000_000_000, key: undefined, value: '' },
    { offset: 13, timestamp: 1000, key: undefined, value: 'next' },
  ]);
  t.deepEqual(
    [0, 1, 2, 3].map((i) => headers(records, i)),
    [
      [],
      [['h', 'x']],
      [
        ['é', 'ü'],
        ['', ''],
      ],
      [],
    ],
  );
  t.throws(() => records.headers(4), { instanceOf: RangeError });
  t.deepEqual(
    [records.topic, records.partition, records.nextOffset, records.stableEnd, records.appendTime],
    ['t', 3, 14, 1000, false],
  );
});

test('a reader in the middle of a batch gets the records from its position on', (t) => {
  const bytes = batch({ baseOffset: 5, records: ['5', '6', '7', '8'].map((value) => ({ value })) });
  t.deepEqual(values(decode([bytes], { position: 7 })), ['7', '8']);
  const behind = decode([bytes], { position: 9 });
  t.deepEqual([behind.length, behind.nextOffset], [0, 9]);
});

test('gaps of a compacted batch are passed, and its last offset too where its last record is gone', (t) => {
  const records = decode([
    batch({
      baseOffset: 100,
      lastOffsetDelta: 50,
      records: [
        { offsetDelta: 7, value: 'a' },
        { offsetDelta: 31, value: 'b' },
      ],
    }),
    batch({ baseOffset: 151, lastOffsetDelta: 9, records: [] }),
  ]);
  t.deepEqual(
    texts(records).map(({ offset }) => offset),
    [107, 131],
  );
  t.is(records.nextOffset, 161);
});

test('a batch that is cut off anywhere is ignored, and read the next time', (t) => {
  const whole = batch({ baseOffset: 0, records: [{ value: 'a' }] });
  const next = batch({ baseOffset: 1, records: [{ value: 'b' }] });
  for (let length = 0; length < next.length; length++) {
    const records = decode([whole, next.subarray(0, length)]);
    t.deepEqual([values(records), records.nextOffset], [['a'], 1], `${length} bytes`);
  }
  const nothing = decode([next.subarray(0, 30)], { position: 1 });
  t.deepEqual([nothing.length, nothing.nextOffset], [0, 1]);
});

test('where the broker sets the times, all records have the time of their batch', (t) => {
  const bytes = batch({
    attributes: 8,
    baseTimestamp: 5,
    maxTimestamp: 777,
    records: [{ value: 'a' }, { timestampDelta: 9, value: 'b' }],
  });
  const records = decode([bytes]);
  t.deepEqual([records.appendTime, texts(records).map(({ timestamp }) => timestamp)], [true, [777, 777]]);
});

test('markers are passed and never given out', (t) => {
  const records = decode([transactionBatch(0, 1, ['a']), marker(1, 1, 'commit'), marker(2, 2, 'abort')]);
  t.deepEqual([values(records), records.nextOffset], [['a'], 3]);
});

test('several aborted ranges of one producer in one fetch are left out, what it committed between them is not', (t) => {
  const batches = [
    transactionBatch(0, 1, ['aborted', 'aborted']),
    transactionBatch(2, 1, ['aborted']),
    marker(3, 1, 'abort'),
    transactionBatch(4, 1, ['committed']),
    marker(5, 1, 'commit'),
    transactionBatch(6, 1, ['aborted']),
    marker(7, 1, 'abort'),
    transactionBatch(8, 1, ['aborted']),
    marker(9, 1, 'abort'),
    transactionBatch(10, 1, ['committed too']),
    marker(11, 1, 'commit'),
  ];
  const aborted = [8, 0, 6].map((firstOffset) => ({ producerId: 1n, firstOffset }));
  const records = decode(batches, { aborted });
  t.deepEqual([values(records), records.nextOffset], [['committed', 'committed too'], 12]);
  t.is(decode(batches, { aborted: undefined }).length, 7);
});

test('transactions of several producers lie among each other, each is judged for itself', (t) => {
  const batches = [
    transactionBatch(0, 1, ['1 aborted']),
    transactionBatch(1, 2, ['2 committed']),
    batch({ baseOffset: 2, records: [{ value: 'without transaction' }] }),
    transactionBatch(3, 3, ['3 aborted']),
    transactionBatch(4, 1, ['1 aborted']),
    marker(5, 1, 'abort'),
    transactionBatch(6, 2, ['2 committed']),
    transactionBatch(7, 1, ['1 committed']),
    marker(8, 3, 'abort'),
    marker(9, 2, 'commit'),
    marker(10, 1, 'commit'),
    // The same id without a transaction is never aborted.
    batch({ baseOffset: 11, producerId: 3, records: [{ value: '3 plain' }] }),
  ];
  const aborted = [
    { producerId: 1n, firstOffset: 0 },
    { producerId: 3n, firstOffset: 3 },
  ];
  t.deepEqual(values(decode(batches, { aborted })), [
    '2 committed',
    'without transaction',
    '2 committed',
    '1 committed',
    '3 plain',
  ]);
});

test('an aborted range that began before the fetch ends with its marker', (t) => {
  const batches = [
    transactionBatch(50, 1, ['aborted']),
    marker(51, 1, 'abort'),
    transactionBatch(52, 1, ['committed']),
    marker(53, 1, 'commit'),
  ];
  const records = decode(batches, { position: 50, aborted: [{ producerId: 1n, firstOffset: 3 }] });
  t.deepEqual([values(records), records.nextOffset], [['committed'], 54]);
});

test('an aborted range that ends behind the fetch hides all of its producer to the end', (t) => {
  const batches = [
    transactionBatch(0, 9, ['committed']),
    marker(1, 9, 'commit'),
    transactionBatch(2, 9, ['aborted']),
    transactionBatch(3, 9, ['aborted']),
  ];
  const records = decode(batches, { aborted: [{ producerId: 9n, firstOffset: 2 }] });
  t.deepEqual([values(records), records.nextOffset], [['committed'], 4]);
});

test('producer ids beyond 2^53 are told apart', (t) => {
  const bytes = transactionBatch(0, 1, ['a']);
  bytes.writeBigInt64BE(9_007_199_254_740_993n, 43);
  bytes.writeUInt32BE(slowCrc32c(bytes.subarray(21)), 17);
  t.is(decode([bytes], { aborted: [{ producerId: 9_007_199_254_740_992n, firstOffset: 0 }] }).length, 1);
  t.is(decode([bytes], { aborted: [{ producerId: 9_007_199_254_740_993n, firstOffset: 0 }] }).length, 0);
});

test('compressed and plain batches of one fetch come in order, with their headers', (t) => {
  const plain = batch({ baseOffset: 0, records: [{ key: 'k', value: 'plain', headers: [['p', '1']] }] });
  const zipped = batch(
    { baseOffset: 1, attributes: 1, records: [{ value: 'zipped', headers: [['z', '2']] }] },
    (bytes) => zlib.gzipSync(bytes),
  );
  const last = batch({ baseOffset: 2, records: [{ value: 'last', headers: [['l', '3']] }] });
  const records = decode([plain, zipped, last]);
  t.deepEqual(values(records), ['plain', 'zipped', 'last']);
  t.deepEqual(
    [0, 1, 2].map((i) => headers(records, i)),
    [[['p', '1']], [['z', '2']], [['l', '3']]],
  );
});
