import test from 'ava';
import fc from 'fast-check';
import { KeyNumbers } from '../../../src/runtime/stores/key-numbers.ts';

/** Text of bytes: what a serialized key is. */
const keys = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const numbers = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('keys of any bytes have the number that was set last, others none', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, numbers), { maxLength: 300 }), fc.array(keys), (sets, others) => {
      const expected = new Map(sets);
      const actual = new KeyNumbers();
      for (const [key, number] of sets) actual.set(key, number);
      for (const [key, number] of expected) t.is(actual.get(key), number);
      for (const key of others) t.is(actual.get(key), expected.get(key) ?? -1);
      t.is(actual.size, expected.size);
      for (const key of expected.keys()) t.is(actual.keyAt(actual.placeOf(key)), key);
      t.is(actual.size, expected.size);
    }),
  );
});

test('a key whose length takes two bytes is told from those with its beginning', (t) => {
  const actual = new KeyNumbers();
  for (const length of [0, 1, 127, 128, 129, 16_383, 16_384]) actual.set('a'.repeat(length), length);
  for (const length of [0, 1, 127, 128, 129, 16_383, 16_384]) t.is(actual.get('a'.repeat(length)), length);
  t.is(actual.get('a'.repeat(130)), -1);
});

test('a hundred thousand keys take some 30 bytes each, and are all found', (t) => {
  const actual = new KeyNumbers();
  for (let i = 0; i < 100_000; i++) actual.set(`C:${i}`, 7 * i);
  for (let i = 0; i < 100_000; i++) if (actual.get(`C:${i}`) !== 7 * i) t.fail(`C:${i}`);
  t.is(actual.get('C:100000'), -1);
  // An entry of 5 + 7 bytes, half as much to grow, and 4 bytes in 0.35 to 0.7 of the slots.
  t.true(actual.bytes < 100_000 * (12 * 1.5 + 12), `${actual.bytes} bytes`);
});
