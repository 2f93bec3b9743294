import test from 'ava';
import { uncompressXerial, xerial } from '../../../src/clients/record-batch/xerial.ts';
import { decode, headers, texts } from './decoded.ts';

/**
 * The log of a partition to which Kafka 4.3.1's console producer has written three records in one batch: `C:1`, `C:2` without value, and one without key, with
 * headers, in each compression.
 */
const written: Readonly<Record<string, string>> = {
  none: 'AAAAAAAAAAAAAACaAAAAAAKxNB2KAAAAAAACAAABog1cVscAAAGiDVxW1QAAAAAAAAAAAAAAAAAAAAAAA24AAAAGQzoxRmZpcnN0IHZhbHVlIGZpcnN0IHZhbHVlIGZpcnN0IHZhbHVlBARoMQJ4BGgyBMOpHAAcAgZDOjIBAgRoMQJ5QgAcBAEudGhpcmQgdmFsdWUgdGhpcmQgdmFsdWUCBGgzAA==',
  gzip: 'AAAAAAAAAAAAAACHAAAAAAKdh3z0AAEAAAACAAABog1cX9cAAAGiDVxf6QAAAAAAAAABAAAAAAAAAAAAAx+LCAAAAAAAAP/LY2BgYHO2MnRLyywqLlEoS8wpTVXAwWZhyTBkqmDJMGI5vFKGQYkJqM+IkQkkWOnEoMLCqFeSkVmUAtWHxAYqMWYAANP8Q9ppAAAA',
  snappy:
    'AAAAAAAAAAAAAACRAAAAAAJmzevdAAIAAAACAAABog1cawAAAAGiDVxrQwAAAAAAAAACAAAAAAAAAAAAA4JTTkFQUFkAAAAAAQAAAAEAAABMa1BuAAAABkM6MUZmaXJzdCB2YWx1ZSBaDABYBARoMQJ4BGgyBMOpHgCEAQIGQzoyAQIBFjB5RACGAQQBLnRoaXJkDUYdDBACBGgzAA==',
  lz4: 'AAAAAAAAAAAAAACMAAAAAAKc1+ZfAAMAAAACAAABog1cfiEAAAGiDVx+XQAAAAAAAAADAAAAAAAAAAAAAwQiTRhgQIJMAAAA/wZuAAAABkM6MUZmaXJzdCB2YWx1ZSAMAATwBwQEaDECeARoMgTDqRwAdgIGQzoyAQIVAMN5QgB4BAEudGhpcmREAAcMAFACBGgzAAAAAAA=',
  zstd: 'AAAAAAAAAAAAAACLAAAAAALlSOrEAAQAAAACAAABog1cjC4AAAGiDVyMfAAAAAAAAAAEAAAAAAAAAAAAAyi1L/0AWHQCACQEbgAAAAZDOjFGZmlyc3QgdmFsdWUgBARoMQJ4BGgyBMOpHgCcAQIGQzoyAQIEaDECeUQAnAEEAS50aGlyZAIEaDMAAwBgAJKQla/LHQEAAA==',
};

for (const [codec, base64] of Object.entries(written)) {
  test(`a batch that a Java client has written with compression ${codec} is read`, (t) => {
    const bytes = Buffer.from(base64, 'base64');
    const records = decode([bytes]);
    t.is(records.nextOffset, 3);
    t.deepEqual(
      texts(records).map(({ offset, key, value }) => [offset, key, value]),
      [
        [0, 'C:1', 'first value first value first value'],
        [1, 'C:2', undefined],
        [2, undefined, 'third value third value'],
      ],
    );
    t.deepEqual(
      [0, 1, 2].map((i) => headers(records, i)),
      [
        [
          ['h1', 'x'],
          ['h2', 'é'],
        ],
        [['h1', 'y']],
        [['h3', '']],
      ],
    );
  });
}

/** Seven bits a byte, low ones first. */
const length = (n: number): Buffer => Buffer.from([(n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14]);

test('blocks of snappy lie behind the header that Java writes, and are put together again; bytes without it are one block', (t) => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251));
  // A block begins with its length uncompressed.
  const marked = xerial(bytes, (block) => Buffer.concat([length(block.length), block]));
  t.is(marked.toString('latin1', 0, 16), '\x82SNAPPY\0\0\0\0\x01\0\0\0\x01');
  t.deepEqual([marked.readInt32BE(16), marked.length], [32_771, 16 + 3 * (4 + 3) + 70_000]);
  const unmark = (block: Buffer): Buffer => block.subarray(block.findIndex((byte) => byte < 128) + 1);
  t.true(uncompressXerial(marked, 70_000, unmark).equals(bytes));
  t.is(uncompressXerial(Buffer.from('\x03raw'), 3, unmark).toString(), 'raw');
});
