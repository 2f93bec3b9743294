import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { Serdes } from '../../../../src/index.ts';
import { Change } from '../../../../src/processor/change.ts';
import { changeSerde } from '../../../../src/runtime/kafka/change-serde.ts';
import { ScratchBytes } from '../../../../src/runtime/kafka/scratch-bytes.ts';
import { historySerde } from '../../../../src/serde/history.ts';
import type { Serde } from '../../../../src/serde/serde.ts';

const texts = changeSerde(Serdes.string);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('new and old value travel in one message', (t) => {
  t.is(hex(texts.serialize(new Change('b', 'a'))), '03000000016261');
  t.is(hex(texts.serialize(new Change<string>('b', undefined))), '0162');
  t.is(hex(texts.serialize(new Change<string>(undefined, 'a'))), '0261');
  t.is(hex(texts.serialize(new Change<string>(undefined, undefined))), '00');
  t.is(hex(texts.serialize(new Change('', ''))), '0300000000');
  t.deepEqual(texts.deserialize(bytesOf('03 00000001 62 61')), new Change('b', 'a'));
});

test('bytes of something else are not a change', (t) => {
  for (const bytes of ['', '04', '7b7d']) {
    t.throws(() => texts.deserialize(bytesOf(bytes)), { message: /not a change of a table/ });
    t.throws(() => texts.read!(bytesOf(bytes), 0, bytesOf(bytes).length), { message: /not a change of a table/ });
  }
});

const value = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }), { nil: undefined });

function agrees<V>(serde: Serde<Change<V>>, change: Change<V>, roomFor: number): boolean {
  const bytes = serde.serialize(change);
  const framed = Buffer.concat([Buffer.from([9, 9, 9]), bytes, Buffer.from([7, 7])]);
  const target = new Uint8Array(3 + roomFor).fill(0xee);
  const end = serde.write!(change, target, 3);
  const written = end < 0 || hex(target.subarray(3, end)) === hex(bytes);
  const read = serde.read!(framed, 3, 3 + bytes.length);
  return (
    written &&
    JSON.stringify(read) === JSON.stringify(change) &&
    JSON.stringify(serde.deserialize(bytes)) === JSON.stringify(change)
  );
}

test('reading and writing in place agree with bytes of their own', (t) => {
  fc.assert(
    fc.property(value, value, fc.integer({ min: 0, max: 64 }), (newValue, oldValue, room) => {
      assert.ok(agrees(texts, new Change(newValue, oldValue), room));
      // A serde that can only make bytes of its own.
      const json = changeSerde(Serdes.json<string | undefined>());
      assert.ok(agrees(json, new Change(newValue, oldValue), room));
    }),
  );
  t.pass();
});

test('a short change is written in place, one that does not fit is not', (t) => {
  const target = new Uint8Array(7);
  t.is(texts.write!(new Change('b', 'a'), target, 0), 7);
  t.is(hex(target), '03000000016261');
  t.is(texts.write!(new Change('b', 'a'), new Uint8Array(6), 0), -1);
});

test('a null of its own is a value, in place too', (t) => {
  const serde: Serde<string | null> = {
    name: 'nullable',
    serialize: (text) => Buffer.from(text ?? '~'),
    deserialize: (bytes) => (Buffer.from(bytes).toString() === '~' ? null : Buffer.from(bytes).toString()),
    write(text, target, at) {
      target[at] = (text ?? '~').charCodeAt(0);
      return at + 1;
    },
  };
  const changes = changeSerde(serde);
  t.true(agrees(changes, new Change<string | null>(null, undefined), 16));
  t.true(agrees(changes, new Change<string | null>(undefined, null), 16));
  t.true(agrees(changes, new Change<string | null>(null, null), 16));
});

test('a history is one message: when each value begins, and where none is valid', (t) => {
  const serde = historySerde(Serdes.string);
  t.is(
    hex(
      serde.serialize([
        { validFromMs: 100, value: 'A' },
        { validFromMs: 200, value: undefined },
      ]),
    ),
    ['00000002', '0000000000000064', '00000001', '41', '00000000000000c8', 'ffffffff'].join(''),
  );
  t.is(hex(serde.serialize([])), '00000000');
  t.deepEqual(serde.deserialize(bytesOf('00000000')), []);
});

test('histories are read as they were written', (t) => {
  const serde = historySerde(Serdes.string);
  const histories = fc
    .uniqueArray(fc.tuple(fc.maxSafeInteger(), value), { selector: ([from]) => from, maxLength: 8 })
    .map((versions) => versions.sort(([a], [b]) => a - b).map(([validFromMs, text]) => ({ validFromMs, value: text })));
  fc.assert(
    fc.property(histories, (history) => {
      assert.deepEqual(serde.deserialize(serde.serialize(history)), history);
    }),
  );
  t.pass();
});

test('scratch bytes are those of the serde, long or short', (t) => {
  const scratch = new ScratchBytes();
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 900, size: 'max' }), (text) => {
      assert.equal(hex(scratch.of(Serdes.string, text)), hex(Serdes.string.serialize(text)));
    }),
  );
  t.pass();
  t.is(hex(scratch.of(Serdes.int32, 1)), '00000001');
});

test('scratch bytes of the same length are one view, good until the next', (t) => {
  const scratch = new ScratchBytes();
  const first = scratch.of(Serdes.string, 'ab');
  const second = scratch.of(Serdes.string, 'cd');
  t.is(first, second);
  t.is(hex(second), hex(Buffer.from('cd')));
});
