import { readInt64, writeInt64 } from '../../common/bytes.ts';
import type { Serde } from '../../serde/serde.ts';

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
  #scratch = new Uint8Array(256);

  constructor(serde: Serde<V>) {
    this.#serde = serde;
  }

  /** The bytes, in a buffer that the next call uses again. */
  encode(value: V, timestamp: number): Uint8Array {
    const end = this.#serde.write?.(value, this.#scratch, 8) ?? -1;
    if (end >= 0) {
      writeInt64(this.#scratch, 0, timestamp);
      return this.#scratch.subarray(0, end);
    }
    const bytes = this.#serde.serialize(value);
    if (bytes.length + 8 > this.#scratch.length) this.#scratch = new Uint8Array(2 * (bytes.length + 8));
    writeInt64(this.#scratch, 0, timestamp);
    this.#scratch.set(bytes, 8);
    return this.#scratch.subarray(0, bytes.length + 8);
  }

  value(bytes: Uint8Array): V {
    return this.#serde.deserialize(bytes.subarray(8));
  }

  timestamp(bytes: Uint8Array): number {
    return readInt64(bytes, 0);
  }
}
