import { crc32 as zlibCrc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { crc32, crc32c, portableCrc32c } from '../../src/common/crc.ts';
import { slowCrc32c } from '../helpers/record-batches.ts';

test('the checksums of RFC 3720, B.4', (t) => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  const checks: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.slice().reverse(), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
  ];
  for (const [bytes, expected] of checks) {
    t.is(crc32c(bytes), expected);
    t.is(portableCrc32c(bytes, 0, bytes.length), expected);
  }
});

test('any part of any bytes has the checksum that is computed bit by bit', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
      const expected = slowCrc32c(bytes.subarray(start, end));
      return crc32c(bytes, start, end) === expected && portableCrc32c(bytes, start, end) === expected;
    }),
  );
  t.pass();
});

test('CRC-32 goes on from what came before, and is what zlib says', (t) => {
  t.is(crc32(Buffer.from('123456789'), 0), 0xcbf43926);
  t.is(crc32(Buffer.from('6789'), crc32(Buffer.from('12345'), 0)), 0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(0xffffffff), (bytes, from) => {
      return crc32(bytes, from) === zlibCrc32(bytes, from);
    }),
  );
});
