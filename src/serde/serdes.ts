import { fromUtf8Strict, readInt64, utf8, writeInt64 } from '../common/bytes.ts';
import type { Serde } from './serde.ts';

function expectLength(bytes: Uint8Array, length: number, name: string): void {
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes, the ${name} serde needs ${length}`);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Text as UTF-8. Malformed bytes are an error. */
export const stringSerde: Serde<string> = {
  name: 'string',
  serialize: utf8,
  deserialize: fromUtf8Strict,
  read(bytes: Buffer, start: number, end: number): string {
    for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return fromUtf8Strict(bytes.subarray(start, end));
    return bytes.toString('latin1', start, end);
  },
  write(value: string, target: Uint8Array, at: number): number {
    const length = value.length;
    if (at + length > target.length) return -1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return -1;
      target[at + i] = code;
    }
    return at + length;
  },
  clone: (value) => value,
};

/** Integers within 53 bits as 8 bytes, big-endian: Java's Long. */
export const int64Serde: Serde<number> = {
  name: 'int64',
  serialize(value: number): Uint8Array {
    if (!Number.isSafeInteger(value)) throw new Error(`${value} is no integer within 53 bits`);
    const bytes = new Uint8Array(8);
    writeInt64(bytes, 0, value);
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 8, 'int64');
    const value = readInt64(bytes, 0);
    if (!Number.isSafeInteger(value)) throw new Error(`${value} does not fit in 53 bits`);
    return value;
  },
  clone: (value) => value,
};

/** Integers from -2147483648 to 2147483647 as 4 bytes, big-endian: Java's Integer. */
export const int32Serde: Serde<number> = {
  name: 'int32',
  serialize(value: number): Uint8Array {
    if ((value | 0) !== value) throw new Error(`${value} is no 32-bit integer`);
    const bytes = new Uint8Array(4);
    viewOf(bytes).setInt32(0, value);
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 4, 'int32');
    return viewOf(bytes).getInt32(0);
  },
  clone: (value) => value,
};

/** Numbers as 8 bytes, big-endian IEEE 754: Java's Double. */
export const float64Serde: Serde<number> = {
  name: 'float64',
  serialize(value: number): Uint8Array {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setFloat64(0, value);
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 8, 'float64');
    return viewOf(bytes).getFloat64(0);
  },
  clone: (value) => value,
};

/** Byte strings as they are (copied when read). */
export const bytesSerde: Serde<Uint8Array> = {
  name: 'bytes',
  serialize: (value) => value,
  // Not slice(): that of a Buffer copies nothing.
  deserialize: (bytes) => new Uint8Array(bytes),
};

/** Anything JSON can say, as UTF-8. The type is the author's promise: it is not checked. */
export function jsonSerde<T>(name = 'json'): Serde<T> {
  return {
    name,
    serialize(value: T): Uint8Array {
      const text = JSON.stringify(value);
      if (text === undefined) throw new Error(`a ${typeof value} has no JSON`);
      return utf8(text);
    },
    deserialize: (bytes) => JSON.parse(fromUtf8Strict(bytes)) as T,
  };
}

/** The standard serdes. Kafka Streams: `common/serialization/Serdes.java`. */
export const Serdes: {
  readonly string: Serde<string>;
  readonly int32: Serde<number>;
  readonly int64: Serde<number>;
  readonly float64: Serde<number>;
  readonly bytes: Serde<Uint8Array>;
  readonly json: typeof jsonSerde;
} = Object.freeze({
  string: stringSerde,
  int32: int32Serde,
  int64: int64Serde,
  float64: float64Serde,
  bytes: bytesSerde,
  json: jsonSerde,
});
