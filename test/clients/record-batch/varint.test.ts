import test from 'ava';
import fc from 'fast-check';
import { VarintReader, varintSize, writeVarint, zigzag } from '../../../src/clients/record-batch/varint.ts';
import { varint } from '../../helpers/record-batches.ts';

const numbers = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer(),
  fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
);

test('numbers of variable length are written as the format says, have the size that is foretold, and are read back', (t) => {
  fc.assert(
    fc.property(numbers, (n) => {
      const bytes = Buffer.alloc(12, 0xaa);
      const end = writeVarint(bytes, 1, zigzag(n));
      const expected = varint(n);
      const reader = new VarintReader(bytes, 1);
      return (
        bytes.subarray(1, end).equals(expected) &&
        varintSize(zigzag(n)) === expected.length &&
        reader.next() === n &&
        reader.at === end &&
        bytes[end] === 0xaa
      );
    }),
    { examples: [[0], [-1], [63], [64], [-64], [-65], [2 ** 28], [-(2 ** 28) - 1], [2 ** 31], [2 ** 35], [2 ** 51]] },
  );
  t.pass();
});
