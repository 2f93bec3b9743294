import test from 'ava';
import fc from 'fast-check';
import { decodeRows, encodeRows } from '../../../src/runtime/parts/row-frames.ts';
import type { ByteRow } from '../../../src/runtime/stores/byte-rows.ts';
import { rowsIn } from './byte-parts.ts';

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function encoded(rows: readonly ByteRow[], pageRows = 3): Promise<Buffer> {
  const pages: ByteRow[][] = [];
  for (let at = 0; at < rows.length; at += pageRows) pages.push(rows.slice(at, at + pageRows));
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeRows(each(pages))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The rows of bytes that come in pieces of these lengths, over and over. */
function decoded(bytes: Uint8Array, lengths: readonly number[]): Promise<ByteRow[]> {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    // A copy, as from a socket: no piece lies in the memory of its neighbour.
    pieces.push(new Uint8Array(bytes.subarray(at, at + length)));
    at += length;
  }
  return rowsIn(decodeRows(each(pieces)));
}

const plain = (rows: readonly ByteRow[]): unknown =>
  rows.map(({ startMs, key, value }) => [
    startMs,
    Buffer.from(key).toString('hex'),
    Buffer.from(value).toString('hex'),
  ]);

test('one row is laid out as it is drawn', async (t) => {
  const bytes = await encoded([{ startMs: 1, key: Buffer.from('a'), value: Uint8Array.of(2) }]);
  t.is(bytes.toString('hex'), '0000000c 0000000000000001 01610102 00000000 0000000000000001'.replaceAll(' ', ''));
});

test('no rows are the end mark alone', async (t) => {
  const bytes = await encoded([]);
  t.is(bytes.toString('hex'), '000000000000000000000000');
  t.deepEqual(await decoded(bytes, [5]), []);
});

test('any rows come back from any pieces', async (t) => {
  const rows = fc.array(
    fc.record({
      startMs: fc.oneof(fc.constantFrom(0, 1, 2), fc.maxSafeInteger()),
      key: fc.uint8Array({ maxLength: 200 }),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { maxLength: 40 },
  );
  const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(rows, lengths, async (given, pieces) => {
      t.deepEqual(plain(await decoded(await encoded(given), pieces)), plain(given));
    }),
    { numRuns: 200 },
  );
});

test('rows larger than any piece come back, and many rows', async (t) => {
  const large = [1, 2].map((startMs) => ({
    startMs,
    key: Buffer.alloc(3000, 'k'),
    value: Buffer.alloc(1_500_000, startMs),
  }));
  t.deepEqual(plain(await decoded(await encoded(large), [65_536])), plain(large));
  const many = Array.from({ length: 50_000 }, (_, i) => ({
    startMs: Math.floor(i / 1000),
    key: Buffer.from(`key-${i}`),
    value: Buffer.from(String(i)),
  }));
  t.deepEqual(plain(await decoded(await encoded(many, 700), [65_536, 1, 1460])), plain(many));
});

test('a stream that is cut anywhere is an error, never fewer rows', async (t) => {
  const rows = [0, 0, 7].map((startMs, i) => ({ startMs, key: Buffer.from(`k${i}`), value: Buffer.from('v') }));
  const bytes = await encoded(rows);
  for (let length = 0; length < bytes.length; length++) {
    await t.throwsAsync(decoded(bytes.subarray(0, length), [7]), { message: /before its end mark/ }, String(length));
  }
  t.is((await decoded(bytes, [7])).length, 3);
});

test('a stream that goes on after its end, or that counts other rows, is refused', async (t) => {
  const bytes = await encoded([{ startMs: 0, key: Buffer.from('k'), value: Buffer.from('v') }]);
  await t.throwsAsync(decoded(Buffer.concat([bytes, Buffer.of(0)]), [100]), { message: /after its end mark/ });
  const wrong = Buffer.from(bytes);
  wrong[wrong.length - 1] = 2;
  await t.throwsAsync(decoded(wrong, [100]), { message: 'it has 1 rows, and says 2' });
});

test('bytes that are no frames are refused', async (t) => {
  await t.throwsAsync(decoded(Buffer.from('<!doctype html><title>Not found</title>'), [10]), { message: /frame of/ });
  await t.throwsAsync(decoded(Buffer.from('0000000300112233445566778899', 'hex'), [100]), {
    message: /frame of 3 bytes/,
  });
});
