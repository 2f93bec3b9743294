import { concatBytes } from '../../common/bytes.ts';
import { Change } from '../../processor/change.ts';
import type { Serde } from '../../serde/serde.ts';

const hasNew = 1;
const hasOld = 2;
const lengthBytes = 4;

/**
 * A table's change as the value of one message: new and old value travel together, so that a group's row moves in one step.
 *
 * ```
 * | flags: 1 new, 2 old | length of the new value int32 BE (only with both) | new value | old value |
 * Change('b', 'a'): 03 | 00 00 00 01 | 62 | 61       Change('b', undefined): 01 | 62
 * ```
 * Kafka Streams: `kstream/internals/ChangedSerializer.java` (KIP-904), whose layout differs.
 */
export function changeSerde<V>(inner: Serde<V>): Serde<Change<V>> {
  const part = (bytes: Buffer, start: number, end: number): V =>
    inner.read === undefined ? inner.deserialize(bytes.subarray(start, end)) : inner.read(bytes, start, end);
  return {
    name: `change(${inner.name})`,
    read(bytes, start, end) {
      const flags = start < end ? bytes[start]! : -1;
      if (flags === hasNew) return new Change<V>(part(bytes, start + 1, end), undefined);
      if (flags === hasOld) return new Change<V>(undefined, part(bytes, start + 1, end));
      if (flags !== (hasNew | hasOld)) return this.deserialize(bytes.subarray(start, end));
      const from = start + 1 + lengthBytes;
      const middle = from + bytes.readInt32BE(start + 1);
      return new Change<V>(part(bytes, from, middle), part(bytes, middle, end));
    },
    write({ newValue, oldValue }, target, at) {
      if (inner.write === undefined || at + 1 + lengthBytes > target.length) return -1;
      target[at] = (newValue === undefined ? 0 : hasNew) | (oldValue === undefined ? 0 : hasOld);
      if (newValue === undefined || oldValue === undefined) {
        // Not `??`: null may be a value.
        const only = newValue === undefined ? oldValue : newValue;
        return only === undefined ? at + 1 : inner.write(only, target, at + 1);
      }
      const from = at + 1 + lengthBytes;
      const middle = inner.write(newValue, target, from);
      if (middle < 0) return -1;
      const length = middle - from;
      target[at + 1] = length >>> 24;
      target[at + 2] = length >>> 16;
      target[at + 3] = length >>> 8;
      target[at + 4] = length;
      return inner.write(oldValue, target, middle);
    },
    serialize({ newValue, oldValue }) {
      const after = newValue === undefined ? undefined : inner.serialize(newValue);
      const before = oldValue === undefined ? undefined : inner.serialize(oldValue);
      const flags = Uint8Array.of((after === undefined ? 0 : hasNew) | (before === undefined ? 0 : hasOld));
      if (after === undefined || before === undefined) return concatBytes(flags, after ?? before ?? new Uint8Array(0));
      const length = new Uint8Array(lengthBytes);
      new DataView(length.buffer).setInt32(0, after.length);
      return concatBytes(flags, length, after, before);
    },
    deserialize(bytes) {
      const flags = bytes[0] ?? 0;
      if ((flags & ~(hasNew | hasOld)) !== 0 || bytes.length === 0)
        throw new Error(`${bytes.length} bytes are not a change of a table`);
      const rest = bytes.subarray(1);
      if (flags === hasNew) return new Change<V>(inner.deserialize(rest), undefined);
      if (flags === hasOld) return new Change<V>(undefined, inner.deserialize(rest));
      if (flags === 0) return new Change<V>(undefined, undefined);
      const length = new DataView(rest.buffer, rest.byteOffset, rest.byteLength).getInt32(0);
      const after = rest.subarray(lengthBytes, lengthBytes + length);
      return new Change<V>(inner.deserialize(after), inner.deserialize(rest.subarray(lengthBytes + length)));
    },
  };
}
