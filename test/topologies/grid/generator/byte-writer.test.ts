import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { ByteWriter } from '../../../../topologies/grid/generator/byte-writer.ts';
import { Random } from '../../../../topologies/grid/generator/random.ts';
import { newFolder } from './generated-set.ts';

test('what is written stands in the file, and the offset is where it stands', (t) => {
  const folder = newFolder(t);
  const piece = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.nat(),
    fc.maxSafeNat(),
    fc.integer({ min: 0, max: 300_000 }).map((length) => new Uint8Array(length).fill(length)),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.constantFrom(1, 100, 100_000), (pieces, bufferBytes) => {
      const path = join(folder, 'file');
      const out = new ByteWriter(path, bufferBytes);
      const expected: Buffer[] = [];
      for (const one of pieces) {
        t.is(
          out.offset,
          expected.reduce((length, part) => length + part.length, 0),
        );
        if (typeof one === 'string') out.text(one);
        else if (typeof one === 'number') out.number(one);
        else out.bytes(one);
        expected.push(typeof one === 'object' ? Buffer.from(one) : Buffer.from(String(one)));
      }
      out.close();
      t.true(readFileSync(path).equals(Buffer.concat(expected)));
    }),
    { numRuns: 200 },
  );
});

test('random numbers are the same for the same seed and stream, and others for another', (t) => {
  const draw = (seed: number, stream: string): number[] => {
    const random = new Random(seed, stream);
    return Array.from({ length: 20 }, () => random.next());
  };
  t.deepEqual(draw(1, 'events'), draw(1, 'events'));
  for (const other of [draw(2, 'events'), draw(1, 'late'), draw(2 ** 32 + 1, 'events')]) {
    t.is(other.filter((number) => draw(1, 'events').includes(number)).length, 0);
  }
});

test('random numbers below a bound come equally often', (t) => {
  const random = new Random(5, 'test');
  const counts = new Array<number>(41).fill(0);
  for (let i = 0; i < 410_000; i++) counts[random.below(41)]!++;
  t.true(counts.every((count) => count > 9_500 && count < 10_500));
  t.deepEqual(random.distinct(5, 5).sort(), [0, 1, 2, 3, 4]);
});
