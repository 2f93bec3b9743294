import test from 'ava';
import fc from 'fast-check';
import type { SettingType } from '../../src/config/setting-types.ts';
import { boolean, bytes, choice, hostPort, hostPorts, integer, text } from '../../src/config/setting-types.ts';

/** The value, or `undefined` if the text is refused. */
function read<T>(type: SettingType<T>, from: string): T | undefined {
  return type.read(from);
}

test('sizes are plain numbers or have a unit', (t) => {
  const sizes = {
    '0': 0,
    '67108864': 67_108_864,
    '64MiB': 67_108_864,
    '256 MiB': 268_435_456,
    '1gib': 1_073_741_824,
    '1.5KiB': 1536,
    '1kB': 1000,
    '2MB': 2e6,
    '3 B': 3,
  };
  for (const [from, expected] of Object.entries(sizes)) t.is(read(bytes(), from), expected, from);
  for (const bad of ['', '-1', '1.5', '64M', 'MiB', '1e6', '0x10', '64MiBs', '99999999999GiB', 'NaN'])
    t.is(read(bytes(), bad), undefined, bad);
});

test('every whole number in the range is read back, and none outside it', (t) => {
  const type = integer(-5, 1000);
  fc.assert(
    fc.property(
      fc.integer({ min: -3000, max: 3000 }),
      (n) => read(type, String(n)) === (n >= -5 && n <= 1000 ? n : undefined),
    ),
  );
  for (const bad of ['', ' ', '1.0', '1e3', '0x1', '1_000', '1,000', 'Infinity', '9007199254740993'])
    t.is(read(integer(0), bad), undefined, bad);
  t.is(integer(1, 9, 'ms').expected, 'a whole number of ms from 1 to 9');
  t.is(integer(1).expected, 'a whole number of at least 1');
});

test('words are read in any case, and aliases stand for another word', (t) => {
  const type = choice(['exactly_once', 'at_least_once'], { exactly_once_v2: 'exactly_once' });
  t.is(read(type, 'AT_LEAST_ONCE'), 'at_least_once');
  t.is(read(type, 'exactly_once_v2'), 'exactly_once');
  for (const bad of ['', 'once', 'constructor', '__proto__']) t.is(read(type, bad), undefined, bad);
});

test('true and false are the only booleans', (t) => {
  t.is(read(boolean(), 'TRUE'), true);
  t.is(read(boolean(), 'false'), false);
  for (const bad of ['', 'yes', '1', '0']) t.is(read(boolean(), bad), undefined, bad);
});

test('addresses have a host and a port', (t) => {
  for (const good of ['localhost:9092', '10.0.0.1:80', '[::1]:9092']) t.is(read(hostPort(), good), good);
  for (const bad of ['', 'localhost', ':9092', 'a:b', 'a:9092,b:9092', '::1:9092', 'a:0', 'a:65536', 'a:99999'])
    t.is(read(hostPort(), bad), undefined, bad);
  t.deepEqual(read(hostPorts(), 'a:1, b:2'), ['a:1', 'b:2']);
  for (const bad of ['', 'a:1,', 'a', 'a:1,b:65536']) t.is(read(hostPorts(), bad), undefined, bad);
});

test('text is trimmed and not empty', (t) => {
  t.is(read(text('a path'), ' a b '), 'a b');
  t.is(read(text('a path'), '  '), undefined);
});
