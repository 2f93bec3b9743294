import { randomBytes } from 'node:crypto';
import test from 'ava';
import { rangeReader } from '../../../src/runtime/kafka/input-buffer.ts';
import { rememberingKeys } from '../../../src/runtime/kafka/key-memo.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import { Serdes } from '../../../src/serde/serdes.ts';
import { Random } from '../../parity/random-input.ts';

/** A reader of the keys of a serde, and how often the serde itself was asked. */
function counted(serde: Serde<unknown>): { read: (key: Uint8Array) => unknown; asked: () => number } {
  let asked = 0;
  const plain = rangeReader(serde);
  const read = rememberingKeys((bytes, start, end) => {
    asked++;
    return plain(bytes, start, end);
  });
  return {
    // Not at the start of its bytes, as in a batch.
    read: (key) => read(Buffer.concat([Buffer.from('..'), key, Buffer.from('..')]), 2, 2 + key.length),
    asked: () => asked,
  };
}

test('each key comes back as its bytes say, whatever was read before', (t) => {
  const seed = randomBytes(4).toString('hex');
  const random = new Random(seed);
  const { read } = counted(Serdes.string as Serde<unknown>);
  for (let i = 0; i < 60_000; i++) {
    const length = random.below(40);
    // Few letters, some of two bytes: keys that differ in one place, and that come again.
    const key =
      Array.from({ length: length < 4 ? length : 3 }, () => random.of(['a', 'b', 'é'])).join('') +
      'x'.repeat(Math.max(0, length - 3));
    if (read(Buffer.from(key)) !== key) return t.fail(`seed ${seed}: ${key}`);
  }
  t.pass();
});

test('a key that comes again is not decoded again', (t) => {
  const { read, asked } = counted(Serdes.string as Serde<unknown>);
  for (let i = 0; i < 1000; i++) for (const id of ['C:1', 'C:2', 'K:1']) read(Buffer.from(id));
  t.is(asked(), 3);
});

test('keys that never come again are not remembered for long', (t) => {
  const { read, asked } = counted(Serdes.string as Serde<unknown>);
  for (let i = 0; i < 20_000; i++) read(Buffer.from(`meter-${i}`));
  const before = asked();
  read(Buffer.from('C:1'));
  read(Buffer.from('C:1'));
  t.is(asked(), before + 2);
});

test('keys that are not texts are decoded each time, since a program may change them', (t) => {
  const { read } = counted(Serdes.json<unknown>() as Serde<unknown>);
  const [a, b] = [read(Buffer.from('{"id":1}')), read(Buffer.from('{"id":1}'))];
  t.deepEqual(a, b);
  t.not(a, b);
});

test('a key that cannot be read is refused each time', (t) => {
  const { read } = counted(Serdes.string as Serde<unknown>);
  for (let i = 0; i < 3; i++) t.throws(() => read(Buffer.from([0xc3, 0x28])));
});
