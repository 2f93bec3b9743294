import test from 'ava';
import fc from 'fast-check';
import { compressBatch, stampBatch } from '../../../src/clients/record-batch/batch-stamp.ts';
import { BatchWriter } from '../../../src/clients/record-batch/batch-writer.ts';
import { onlyRecord, splitBatch } from '../../../src/clients/record-batch/split-batch.ts';
import { batch } from '../../helpers/record-batches.ts';
import { decode, headers, texts } from './decoded.ts';

const optionalText = fc.option(fc.string({ maxLength: 80 }), { nil: undefined });
const anyRecord = fc.record({
  timestamp: fc.oneof(fc.nat(5000), fc.integer({ min: -1, max: 4_102_444_800_000 })),
  key: optionalText,
  value: optionalText,
  headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.option(fc.string({ maxLength: 70 }))), { maxLength: 3 }),
});
type AnyRecord = typeof anyRecord extends fc.Arbitrary<infer T> ? T : never;

const bytesOf = (text: string | undefined): Buffer | undefined => (text === undefined ? undefined : Buffer.from(text));

function write(writer: BatchWriter, { timestamp, key, value, headers }: AnyRecord): boolean {
  const encoded = headers.map(([name, text]) => ({ key: name, value: text === null ? null : Buffer.from(text) }));
  return writer.append(timestamp, bytesOf(key), bytesOf(value), encoded);
}

test('a batch has the bytes that the format prescribes', (t) => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), fc.boolean(), (records, transactional) => {
      const writer = new BatchWriter(1_000_000);
      for (const record of records) write(writer, record);
      const size = writer.size;
      const bytes = writer.seal();
      stampBatch(bytes, { producerId: 4_294_967_301n, producerEpoch: 7, baseSequence: 42, transactional });
      const baseTimestamp = records[0]!.timestamp;
      const expected = batch({
        producerId: 4_294_967_301,
        producerEpoch: 7,
        baseSequence: 42,
        attributes: transactional ? 16 : 0,
        baseTimestamp,
        maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
        records: records.map(({ timestamp, ...rest }) => ({ ...rest, timestampDelta: timestamp - baseTimestamp })),
      });
      return bytes.equals(expected) && size === expected.length;
    }),
  );
  t.pass();
});

test('what is written is read, compressed in any way', (t) => {
  const codecs = fc.constantFrom('none' as const, 'gzip' as const, 'lz4' as const, 'snappy' as const);
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 30 }), codecs, (records, codec) => {
      const writer = new BatchWriter(1_000_000);
      for (const record of records) write(writer, record);
      const bytes = compressBatch(writer.seal(), codec);
      stampBatch(bytes, { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: true });
      const read = decode([bytes]);
      t.deepEqual(
        texts(read),
        records.map(({ timestamp, key, value }, offset) => ({ offset, timestamp, key, value })),
      );
      t.deepEqual(
        records.map((_, i) => headers(read, i)),
        records.map((record) => record.headers),
      );
    }),
  );
});

test('a batch takes records up to its limit, and one record alone beyond it', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 61, max: 400 }),
      fc.array(anyRecord, { minLength: 1, maxLength: 20 }),
      (limit, records) => {
        const writer = new BatchWriter(limit);
        for (const record of records) {
          const before = { count: writer.count, size: writer.size };
          const without = new BatchWriter(1_000_000);
          for (const earlier of records.slice(0, before.count)) write(without, earlier);
          if (before.count < records.length) write(without, record);
          const fits = before.count === 0 || without.size <= limit;
          if (write(writer, record) !== fits) return false;
          if (!fits) return writer.count === before.count && writer.size === before.size;
        }
        return writer.count === records.length;
      },
    ),
  );
  t.pass();
});

test('a batch that is split has its records in two, in order', (t) => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 2, maxLength: 9 }), (records) => {
      const writer = new BatchWriter(1_000_000);
      for (const record of records) write(writer, record);
      const halves = splitBatch(writer.seal()).map((half) => decode([half], { checkCrcs: false }));
      t.is(Math.abs(halves[0]!.length - halves[1]!.length) <= 1, true);
      const found = halves.flatMap((half) =>
        texts(half).map((record, i) => ({ ...record, headers: headers(half, i) })),
      );
      t.deepEqual(
        found.map(({ offset: _, ...record }) => record),
        records,
      );
    }),
  );
});

test('the only record of a batch is copied out of it', (t) => {
  const writer = new BatchWriter(100);
  writer.append(77, undefined, Buffer.from('value'), undefined);
  const bytes = writer.seal();
  const only = onlyRecord(bytes);
  bytes.fill(0);
  t.deepEqual(only, { timestamp: 77, key: undefined, value: new Uint8Array(Buffer.from('value')) });
});

test('many large records grow a batch and are read back', (t) => {
  const writer = new BatchWriter(10_000_000, 0);
  const records = Array.from({ length: 300 }, (_, i) => ({
    offset: i,
    timestamp: 1_000_000 * i,
    key: `${i}`.padStart(1 + i, 'k'),
    value: i % 50 === 0 ? 'v'.repeat(40_000 + i) : `${i}`,
  }));
  for (const { timestamp, key, value } of records)
    t.true(writer.append(timestamp, Buffer.from(key), Buffer.from(value), []));
  t.deepEqual(texts(decode([writer.seal()], { checkCrcs: false })), records);
});
