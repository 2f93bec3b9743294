import { readInt64, writeInt64 } from '../../common/bytes.ts';
import type { Serde } from '../../serde/serde.ts';

const timestampLength = 8;
/** Up to this length views of the scratch buffer are kept: a view costs more than a short copy. */
const longestKeptView = 256;

/**
 * A row's value as bytes: event time, then the value.
 *
 * ```
 * | timestamp int64 BE | value bytes |      'x' at 1: 00 00 00 00 00 00 00 01 78
 * ```
 * Kafka Streams: `state/internals/ValueAndTimestampSerializer.java`.
 */
export class RowValueCodec<V> {
  readonly #serde: Serde<V>;
  #scratch = new Uint8Array(longestKeptView);
  #views: Uint8Array[] = [];

  constructor(serde: Serde<V>) {
    this.#serde = serde;
  }

  /** The bytes, in a buffer that the next call uses again. */
  encode(value: V, timestamp: number): Uint8Array {
    const end = this.#serde.write?.(value, this.#scratch, timestampLength) ?? -1;
    if (end < 0) return this.wrap(this.#serde.serialize(value), timestamp);
    writeInt64(this.#scratch, 0, timestamp);
    return this.#view(end);
  }

  /** As {@link encode}, of a value that is bytes already. */
  wrap(value: Uint8Array, timestamp: number): Uint8Array {
    const end = value.length + timestampLength;
    if (end > this.#scratch.length) {
      this.#scratch = new Uint8Array(2 * end);
      this.#views = [];
    }
    this.#scratch.set(value, timestampLength);
    writeInt64(this.#scratch, 0, timestamp);
    return this.#view(end);
  }

  /** A copy of the bytes of a row's value. */
  valueBytes(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes.subarray(timestampLength));
  }

  /** The value of a row. */
  value(bytes: Uint8Array): V {
    return this.#serde.deserialize(bytes.subarray(timestampLength));
  }

  /** The event time of a row. */
  timestamp(bytes: Uint8Array): number {
    return readInt64(bytes, 0);
  }

  #view(length: number): Uint8Array {
    const kept = this.#views[length];
    if (kept !== undefined) return kept;
    const view = this.#scratch.subarray(0, length);
    if (length <= longestKeptView) this.#views[length] = view;
    return view;
  }
}
