import test from 'ava';
import fc from 'fast-check';
import { type Serde, Serdes, Windowed, WindowedSerde } from '../../src/index.ts';
import { Change } from '../../src/processor/change.ts';
import { changeSerde } from '../../src/runtime/kafka/change-serde.ts';

class Point {
  readonly x = 1;
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const withHole = [1, 2, 3];
delete withHole[1];
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false });

/** What JSON.stringify changes or drops without a word, or cannot write. */
const notJson: readonly (readonly [what: string, value: unknown, place: RegExp])[] = [
  ['NaN', Number.NaN, /it is NaN/],
  ['Infinity', Number.POSITIVE_INFINITY, /Infinity/],
  ['-Infinity in an object', { sum: { n: Number.NEGATIVE_INFINITY } }, /\.sum\.n is -Infinity/],
  ['NaN in an array', { a: [1, Number.NaN] }, /\.a\[1\] is NaN/],
  ['undefined', undefined, /undefined/],
  ['undefined in an object', { a: undefined }, /\.a is undefined/],
  ['undefined in an array', [undefined], /\[0\] is undefined/],
  ['a Set', new Set([1]), /Set/],
  ['a Map in an object', { m: new Map() }, /\.m is made by class Map/],
  ['a Date', { at: new Date(0) }, /Date/],
  ['a bigint', { n: 1n }, /1n/],
  ['a function', () => 1, /function/],
  ['a method', { f() {} }, /function/],
  ['a symbol', { s: Symbol('s') }, /Symbol/],
  ['a symbol as a name', { [Symbol('s')]: 1 }, /symbol/],
  ['a class of the user', new Point(), /Point/],
  ['a typed array', new Uint8Array(2), /Uint8Array/],
  ['a Buffer', { b: Buffer.from('x') }, /Buffer/],
  ['an Error', new Error('x'), /Error/],
  ['a boxed number', { n: Object(1) }, /Number/],
  ['a regular expression', /x/, /RegExp/],
  ['a sparse array', withHole, /\[1\] is undefined/],
  ['an array with properties', 'ab'.match(/b/), /properties/],
  ['a subclass of Array', new (class Rows extends Array {})(), /Rows/],
  ['toJSON', { toJSON: () => 1 }, /function/],
  ['a cycle', cycle, /cycle/],
  ['thousands of levels', deep(5000), /levels/],
  ['a hidden property', hidden, /hidden/],
  ['half of a surrogate pair', 'a\ud800', /surrogate/],
  ['half of a surrogate pair in an object', { a: ['\udc00'] }, /\.a\[0\]/],
  ['half of a surrogate pair in a name', { '\ud83d': 1 }, /surrogate/],
  ['an inherited property', Object.create({ x: 1 }), /class/],
];

for (const [what, value, place] of notJson)
  test(`JSON refuses ${what}`, (t) => {
    t.throws(() => Serdes.json().serialize(value), { message: place });
  });

test('what JSON takes comes back equal', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = Serdes.json();
      // -0 is 0 in JSON; to === it is, too.
      t.deepEqual(json.deserialize(json.serialize(value)), JSON.parse(JSON.stringify(value)));
      if (!JSON.stringify([value], (_, v) => (Object.is(v, -0) ? 'minus' : v)).includes('minus'))
        t.deepEqual(json.deserialize(json.serialize(value)), value);
    }),
  );
  for (const value of [
    null,
    true,
    '',
    'é😀',
    {},
    [],
    { __proto__: null, a: 1 },
    JSON.parse('{"__proto__":1}'),
    deep(900),
  ])
    t.deepEqual(Serdes.json().deserialize(Serdes.json().serialize(value)), JSON.parse(JSON.stringify(value)));
});

const max = 2 ** 53 - 1;
const refused: readonly (readonly [serde: Serde<never>, value: unknown, message: RegExp])[] = [
  [Serdes.string, 'a\ud800b', /surrogate/],
  [Serdes.string, '\udc00', /surrogate/],
  [Serdes.string, '\udc00\ud800', /surrogate/],
  [Serdes.string, 5, /5 is not a text/],
  [Serdes.string, undefined, /not a text/],
  [Serdes.string, new String('a'), /not a text/],
  [Serdes.string, ['a'], /not a text/],
  ...[0.663, max + 1, -max - 1, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined, {}].map(
    (value) => [Serdes.int64, value, /is not an integer within 53 bits/] as const,
  ),
  ...[0.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, Number.NEGATIVE_INFINITY, '1', 1n, null, undefined, [1]].map(
    (value) => [Serdes.int32, value, /is not a (32-bit integer|number)/] as const,
  ),
  ...['1.5', 1n, null, undefined, true, {}].map((value) => [Serdes.float64, value, /is not a number/] as const),
  ...[1, '1', null, undefined].map((value) => [Serdes.bigint, value, /is not a bigint/] as const),
  [Serdes.bigint, 2n ** 63n, /64 bits/],
  [Serdes.bigint, -(2n ** 63n) - 1n, /64 bits/],
  ...['abc', [1, 2], null, undefined, 7, new ArrayBuffer(2)].map(
    (value) => [Serdes.bytes, value, /is not a Uint8Array/] as const,
  ),
  [new WindowedSerde(Serdes.string, { endOf: (start) => start + 10 }), new Windowed('\ud800', 0, 10), /surrogate/],
  [new WindowedSerde(Serdes.string, { endOf: (start) => start + 10 }), new Windowed('a', 0.5, 10.5), /0\.5/],
  [changeSerde(Serdes.int64), new Change(1, 0.5), /0\.5/],
  [changeSerde(Serdes.string), new Change('\ud800', 'a'), /surrogate/],
] as unknown as readonly (readonly [Serde<never>, unknown, RegExp])[];

test('each serde refuses what it would not give back, whichever way it is asked', (t) => {
  for (const [serde, value, message] of refused) {
    const what = `${serde.name} ${String(value)}`;
    t.throws(() => serde.serialize(value as never), { message }, what);
    if (serde.clone !== undefined) t.throws(() => serde.clone!(value as never), { message }, what);
    if (serde.write === undefined) continue;
    const target = new Uint8Array(100);
    let at: number;
    try {
      at = serde.write(value as never, target, 0);
    } catch {
      continue;
    }
    t.is(at, -1, `${what} was written`);
  }
});

const takes: readonly (readonly [serde: Serde<unknown>, values: fc.Arbitrary<unknown>])[] = [
  [Serdes.string, fc.string({ unit: 'binary' })],
  [Serdes.int32, fc.integer()],
  [Serdes.int64, fc.maxSafeInteger()],
  [Serdes.float64, fc.double()],
  [Serdes.bigint, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [Serdes.bytes, fc.uint8Array()],
] as readonly (readonly [Serde<unknown>, fc.Arbitrary<unknown>])[];

test('what a serde takes comes back the same from its bytes, and from its clone', (t) => {
  for (const [serde, values] of takes)
    fc.assert(
      fc.property(values, (value) => {
        const expected = value === 0 && serde !== (Serdes.float64 as unknown) ? 0 : value;
        const bytes = serde.serialize(value);
        t.deepEqual(serde.deserialize(bytes), expected);
        if (serde.read !== undefined) t.deepEqual(serde.read(Buffer.from(bytes), 0, bytes.length), expected);
        if (serde.clone !== undefined) t.deepEqual(serde.clone(value), expected);
      }),
    );
});

test('longs have the bytes of Java, as number and as bigint', (t) => {
  for (const [value, hex] of [
    [0n, '0000000000000000'],
    [-1n, 'ffffffffffffffff'],
    [9_007_199_254_740_993n, '0020000000000001'],
    [2n ** 63n - 1n, '7fffffffffffffff'],
    [-(2n ** 63n), '8000000000000000'],
    [BigInt(max), '001fffffffffffff'],
  ] as const) {
    const bytes = Buffer.from(hex, 'hex');
    t.deepEqual(Buffer.from(Serdes.bigint.serialize(value)), bytes);
    t.is(Serdes.bigint.deserialize(bytes), value);
    if (Number.isSafeInteger(Number(value))) t.is(Serdes.int64.deserialize(bytes), Number(value));
    else t.throws(() => Serdes.int64.deserialize(bytes), { message: new RegExp(`${value} .*Serdes\\.bigint`) });
  }
});
