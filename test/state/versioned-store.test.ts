import test from 'ava';
import fc from 'fast-check';
import { equalBytes, utf8 } from '../../src/common/bytes.ts';
import {
  changedIntervals,
  decodeHistory,
  encodeHistory,
  type History,
  putVersion,
  versionAt,
} from '../../state/versioned-store.ts';

const same = (a: string, b: string): boolean => a === b;

const history = fc
  .uniqueArray(
    fc.record({ validFromMs: fc.integer({ min: -4, max: 8 }), value: fc.option(fc.constantFrom('A', 'B')) }),
    {
      selector: ({ validFromMs }) => validFromMs,
      maxLength: 6,
    },
  )
  .map((versions): History<string> => versions.sort((a, b) => a.validFromMs - b.validFromMs));

test('a version is valid from its moment, inclusive, until the next one, exclusive', (t) => {
  const history: History<string> = [
    { validFromMs: 100, value: 'A' },
    { validFromMs: 200, value: null },
    { validFromMs: 300, value: 'B' },
  ];
  t.is(versionAt(history, 99), undefined);
  t.deepEqual(versionAt(history, 100), { value: 'A', validFromMs: 100, validToMs: 200 });
  t.deepEqual(versionAt(history, 199), { value: 'A', validFromMs: 100, validToMs: 200 });
  t.is(versionAt(history, 200), undefined);
  t.deepEqual(versionAt(history, 300), { value: 'B', validFromMs: 300, validToMs: Infinity });
  t.deepEqual(versionAt(history), { value: 'B', validFromMs: 300, validToMs: Infinity });
  t.is(versionAt([], 0), undefined);
});

test('a put inserts in the order of time, and replaces at a moment that has a version', (t) => {
  const first = putVersion<string>([], 100, 'A');
  const second = putVersion(first, 300, 'C');
  const third = putVersion(second, 200, null);
  t.deepEqual(third, [
    { validFromMs: 100, value: 'A' },
    { validFromMs: 200, value: null },
    { validFromMs: 300, value: 'C' },
  ]);
  t.deepEqual(putVersion(third, 200, 'B')[1], { validFromMs: 200, value: 'B' });
  t.deepEqual(putVersion(third, 50, 'Z')[0], { validFromMs: 50, value: 'Z' });
  t.is(third.length, 3);
  t.deepEqual(first, [{ validFromMs: 100, value: 'A' }]);
});

test('puts in any order give what the last put at each moment says', (t) => {
  const put = fc.record({ at: fc.integer({ min: 0, max: 9 }), value: fc.option(fc.string({ maxLength: 1 })) });
  fc.assert(
    fc.property(fc.array(put), (puts) => {
      const last = new Map(puts.map(({ at, value }) => [at, value]));
      const expected = [...last].sort(([a], [b]) => a - b).map(([validFromMs, value]) => ({ validFromMs, value }));
      const made = puts.reduce<History<string>>((history, { at, value }) => putVersion(history, at, value), []);
      t.deepEqual(made, expected);
    }),
  );
});

test('the bytes of a history are count, then validFrom, length and value of each version', (t) => {
  const history = [
    { validFromMs: 100, value: Uint8Array.of(0x0a, 0x0b) },
    { validFromMs: 200, value: null },
  ];
  const hex = '000000020000000000000064000000020a0b00000000000000c8ffffffff';
  t.is(Buffer.from(encodeHistory(history)).toString('hex'), hex);
  t.deepEqual(decodeHistory(Uint8Array.from(Buffer.from(hex, 'hex'))), history);
});

test('a history is what it was after its bytes', (t) => {
  const version = fc.record({
    validFromMs: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 3 })),
    value: fc.option(fc.uint8Array()),
  });
  fc.assert(
    fc.property(fc.uniqueArray(version, { selector: ({ validFromMs }) => validFromMs }), (versions) => {
      versions.sort((a, b) => a.validFromMs - b.validFromMs);
      t.deepEqual(decodeHistory(encodeHistory(versions)), versions);
    }),
  );
});

test('bytes that are no history are refused, wherever they are cut', (t) => {
  const bytes = encodeHistory([
    { validFromMs: 1, value: utf8('abc') },
    { validFromMs: 2, value: null },
  ]);
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => decodeHistory(bytes.slice(0, length)), { code: 'STREAMS_STATE_STORE_CORRUPT' });
  }
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  t.throws(() => decodeHistory(longer), { code: 'STREAMS_STATE_STORE_CORRUPT' });
  const negative = bytes.slice();
  negative.set([255, 255, 255, 254], 12);
  t.throws(() => decodeHistory(negative), { code: 'STREAMS_STATE_STORE_CORRUPT' });
});

test('bytes of versions that do not ascend, or that begin beyond 53 bits, are no history', (t) => {
  const of = (...starts: readonly bigint[]): Buffer => {
    const bytes = Buffer.alloc(4 + 12 * starts.length, 0xff);
    bytes.writeInt32BE(starts.length);
    for (const [i, start] of starts.entries()) bytes.writeBigInt64BE(start, 4 + 12 * i);
    return bytes;
  };
  t.deepEqual(decodeHistory(of(1n, 2n)), [
    { validFromMs: 1, value: null },
    { validFromMs: 2, value: null },
  ]);
  for (const starts of [[2n, 1n], [1n, 1n], [-(2n ** 63n)], [1n, 2n ** 63n - 1n]])
    t.throws(() => decodeHistory(of(...starts)), { code: 'STREAMS_STATE_STORE_CORRUPT' });
});

test('versions that do not ascend, or begin at no integer, are a RangeError', (t) => {
  const value = utf8('a');
  t.throws(
    () =>
      encodeHistory([
        { validFromMs: 1, value },
        { validFromMs: 1, value },
      ]),
    { instanceOf: RangeError },
  );
  t.throws(() => encodeHistory([{ validFromMs: 0.5, value }]), { instanceOf: RangeError });
  t.throws(() => encodeHistory([{ validFromMs: -Infinity, value }]), { instanceOf: RangeError });
});

test('changed intervals are where the value differs, joined where they touch', (t) => {
  const a = [{ validFromMs: 100, value: 'A' }];
  t.deepEqual(changedIntervals([], a, same), [{ fromMs: 100, toMs: Infinity }]);
  t.deepEqual(changedIntervals(a, [], same), [{ fromMs: 100, toMs: Infinity }]);
  t.deepEqual(changedIntervals(a, a, same), []);
  t.deepEqual(changedIntervals(a, putVersion(putVersion(a, 200, 'B'), 300, 'A'), same), [{ fromMs: 200, toMs: 300 }]);
  t.deepEqual(changedIntervals(a, putVersion(putVersion(a, 200, 'B'), 300, 'C'), same), [
    { fromMs: 200, toMs: Infinity },
  ]);
  t.deepEqual(changedIntervals(a, [{ validFromMs: 150, value: 'A' }], same), [{ fromMs: 100, toMs: 150 }]);
  t.deepEqual(changedIntervals(a, putVersion(a, 50, null), same), []);
  t.deepEqual(changedIntervals(a, [{ validFromMs: -Infinity, value: 'A' }], same), [{ fromMs: -Infinity, toMs: 100 }]);
  t.deepEqual(
    changedIntervals([{ validFromMs: 1, value: utf8('x') }], [{ validFromMs: 1, value: utf8('x') }], equalBytes),
    [],
  );
});

test('changed intervals hold exactly the moments at which two histories differ', (t) => {
  fc.assert(
    fc.property(history, history, (before, after) => {
      const intervals = changedIntervals(before, after, same);
      for (let at = -6; at <= 10; at++) {
        const differs = versionAt(before, at)?.value !== versionAt(after, at)?.value;
        t.is(
          intervals.some(({ fromMs, toMs }) => fromMs <= at && at < toMs),
          differs,
          `at ${at}`,
        );
      }
      for (const [i, { fromMs, toMs }] of intervals.entries()) {
        t.true(fromMs < toMs);
        if (i > 0) t.true(intervals[i - 1]!.toMs < fromMs);
      }
    }),
    { numRuns: 300 },
  );
});
