import test from 'ava';
import fc from 'fast-check';
import {
  compareBytes,
  concatBytes,
  emptyBytes,
  equalBytes,
  fromUtf8,
  fromUtf8Strict,
  murmur2,
  partitionOf,
  prefixEnd,
  readInt64,
  readOrderedInt64,
  utf8,
  writeInt64,
  writeOrderedInt64,
} from '../../src/common/bytes.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const int64 = (value: number): Uint8Array => {
  const target = new Uint8Array(8);
  writeInt64(target, 0, value);
  return target;
};
const ordered = (value: number): Uint8Array => {
  const target = new Uint8Array(8);
  writeOrderedInt64(target, 0, value);
  return target;
};
const anyBytes = fc.uint8Array({ maxLength: 24 });
const edges = [
  0,
  1,
  -1,
  255,
  256,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  -(2 ** 32),
  -(2 ** 32) - 1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
];
const anyInteger = fc.oneof(fc.constantFrom(...edges), fc.maxSafeInteger());

test('murmur2 gives the numbers of the Java client', (t) => {
  // The vectors of Kafka's UtilsTest.
  t.is(murmur2(utf8('21')), -973932308);
  t.is(murmur2(utf8('foobar')), -790332482);
  t.is(murmur2(utf8('a-little-bit-long-string')), -985981536);
  t.is(murmur2(utf8('a-little-bit-longer-string')), -1486304829);
  t.is(murmur2(utf8('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8')), -58897971);
  t.is(murmur2(utf8('abc')), 479470107);
});

test('murmur2 reads every byte, of any length', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 24 }), fc.nat(), (key, at) => {
      const changed = Uint8Array.from(key);
      changed[at % key.length]! ^= 1;
      return murmur2(changed) !== murmur2(key);
    }),
  );
  t.is(murmur2(emptyBytes), murmur2(new Uint8Array(0)));
});

test('a key has one partition among those that there are', (t) => {
  t.is(partitionOf(utf8('21'), 10), (-973932308 & 0x7fffffff) % 10);
  fc.assert(
    fc.property(anyBytes, fc.integer({ min: 1, max: 100 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      return Number.isInteger(partition) && partition >= 0 && partition < partitions;
    }),
  );
});

test('an int64 is written as Java writes it', (t) => {
  t.deepEqual(int64(1), bytes(0, 0, 0, 0, 0, 0, 0, 1));
  t.deepEqual(int64(-1), bytes(255, 255, 255, 255, 255, 255, 255, 255));
  t.deepEqual(int64(1513292400000), bytes(0x00, 0x00, 0x01, 0x60, 0x57, 0x41, 0x85, 0x80));
  fc.assert(
    fc.property(anyInteger, (value) => {
      const expected = new DataView(new ArrayBuffer(8));
      expected.setBigInt64(0, BigInt(value));
      return equalBytes(int64(value), new Uint8Array(expected.buffer));
    }),
  );
});

test('an int64 is read back as it was written, anywhere in a buffer', (t) => {
  const target = new Uint8Array(12).fill(7);
  writeInt64(target, 2, -1513292400000);
  t.is(readInt64(target, 2), -1513292400000);
  t.deepEqual([...target.subarray(0, 2), ...target.subarray(10)], [7, 7, 7, 7]);
  fc.assert(
    fc.property(
      anyInteger,
      (value) => readInt64(int64(value), 0) === value && readOrderedInt64(ordered(value), 0) === value,
    ),
  );
});

test('ordered int64 sort as numbers, negative ones included', (t) => {
  const sign = (value: number): number => Math.sign(value);
  t.true(compareBytes(ordered(-1), ordered(0)) < 0);
  fc.assert(
    fc.property(anyInteger, anyInteger, (a, b) => sign(compareBytes(ordered(a), ordered(b))) === sign(a - b)),
    { numRuns: 1_000 },
  );
});

test('plain int64 sort as numbers from 0 on only', (t) => {
  t.true(compareBytes(int64(-1), int64(0)) > 0);
  fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => compareBytes(int64(a), int64(b)) < 0 === a < b));
});

test('bytes are compared unsigned, a prefix before what it starts', (t) => {
  t.true(compareBytes(bytes(1), bytes(1, 0)) < 0);
  t.true(compareBytes(bytes(0x80), bytes(0x7f, 255)) > 0);
  t.is(compareBytes(emptyBytes, emptyBytes), 0);
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      const expected = Buffer.compare(a, b);
      return Math.sign(compareBytes(a, b)) === expected && equalBytes(a, b) === (expected === 0);
    }),
  );
});

test('the end of a prefix is the least string after all that start with it', (t) => {
  t.deepEqual(prefixEnd(bytes(1, 255)), bytes(2));
  t.deepEqual(prefixEnd(bytes(1, 2)), bytes(1, 3));
  t.is(prefixEnd(bytes(255, 255)), undefined);
  t.is(prefixEnd(emptyBytes), undefined);
  const prefix = bytes(1, 2);
  prefixEnd(prefix);
  t.deepEqual(prefix, bytes(1, 2), 'and the prefix itself is left as it was');
  const near = fc
    .uint8Array({ max: 3, maxLength: 4 })
    .map((values) => values.map((value) => (value === 3 ? 255 : value)));
  fc.assert(
    fc.property(near, near, (start, other) => {
      const end = prefixEnd(start);
      const starts = equalBytes(other.subarray(0, start.length), start);
      const between = compareBytes(other, start) >= 0 && (end === undefined || compareBytes(other, end) < 0);
      return starts === between;
    }),
    { numRuns: 1_000 },
  );
});

test('parts are joined in their order', (t) => {
  t.deepEqual(concatBytes(bytes(1), emptyBytes, bytes(2, 3)), bytes(1, 2, 3));
  t.deepEqual(concatBytes(), emptyBytes);
});

test('texts become UTF-8 and come back, a byte order mark included', (t) => {
  t.deepEqual(utf8('é€'), bytes(0xc3, 0xa9, 0xe2, 0x82, 0xac));
  t.is(fromUtf8(utf8('\uFEFFa')), '\uFEFFa');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => fromUtf8(utf8(text)) === text && fromUtf8Strict(utf8(text)) === text,
    ),
  );
});

test('malformed UTF-8 is replaced, or refused where that is asked', (t) => {
  t.is(fromUtf8(bytes(0x61, 0xff)), 'a\uFFFD');
  t.throws(() => fromUtf8Strict(bytes(0x61, 0xff)), { instanceOf: TypeError });
});
