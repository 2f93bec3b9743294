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
  return {
    name: `change(${inner.name})`,
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
        throw new Error(`${bytes.length} bytes are no change of a table`);
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
