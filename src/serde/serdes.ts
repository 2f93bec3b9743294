import { fromUtf8Strict, readInt64, utf8, writeInt64 } from '../common/bytes.ts';
import { shown } from '../common/shown.ts';
import { debeziumKeySerde, debeziumSerde } from './debezium.ts';
import { jsonSerde } from './json-serde.ts';
import type { Serde } from './serde.ts';
import { identifiesByValue } from './value-identity.ts';

export { jsonSerde };

function expectLength(bytes: Uint8Array, length: number, name: string): void {
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes, the ${name} serde needs ${length}`);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function expectNumber(value: number): void {
  if (typeof value !== 'number') throw new Error(`${shown(value)} is not a number`);
}

/** The text itself. One with half of a surrogate pair would come back with U+FFFD in its place. */
function wellFormed(value: string): string {
  if (typeof value !== 'string') throw new Error(`${shown(value)} is not a text`);
  if (!value.isWellFormed()) throw new Error(`${shown(value)} has half of a surrogate pair`);
  return value;
}

/** Text as UTF-8. Malformed text (half of a surrogate pair) and malformed bytes are errors. */
export const stringSerde: Serde<string> = identifiesByValue({
  name: 'string',
  serialize: (value: string) => utf8(wellFormed(value)),
  deserialize: fromUtf8Strict,
  read(bytes: Buffer, start: number, end: number): string {
    for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return fromUtf8Strict(bytes.subarray(start, end));
    return bytes.toString('latin1', start, end);
  },
  write(value: string, target: Uint8Array, at: number): number {
    if (typeof value !== 'string') return -1;
    const length = value.length;
    if (at + length > target.length) return -1;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return -1;
      target[at + i] = code;
    }
    return at + length;
  },
  clone: wellFormed,
});

function integer53(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error(`${shown(value)} is not an integer within 53 bits`);
  // -0 comes back as 0.
  return value + 0;
}

/** Integers within 53 bits as 8 bytes, big-endian: Java's Long. Those beyond it are for {@link bigintSerde}. */
export const int64Serde: Serde<number> = identifiesByValue({
  name: 'int64',
  serialize(value: number): Uint8Array {
    const bytes = new Uint8Array(8);
    writeInt64(bytes, 0, integer53(value));
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 8, 'int64');
    const value = readInt64(bytes, 0);
    if (!Number.isSafeInteger(value))
      throw new Error(`${viewOf(bytes).getBigInt64(0)} does not fit in 53 bits: read it with Serdes.bigint`);
    return value;
  },
  clone: integer53,
});

const beyondInt64 = 2n ** 63n;

function bigint64(value: bigint): bigint {
  if (typeof value !== 'bigint') throw new Error(`${shown(value)} is not a bigint`);
  if (value < -beyondInt64 || value >= beyondInt64) throw new Error(`${value} does not fit in 64 bits`);
  return value;
}

/**
 * Bigints from -2^63 to 2^63 - 1 as 8 bytes, big-endian: all of Java's Long, the same bytes as {@link int64Serde}.
 *
 * `9007199254740993n` (2^53 + 1) is `00 20 00 00 00 00 00 01`.
 */
export const bigintSerde: Serde<bigint> = identifiesByValue({
  name: 'bigint',
  serialize(value: bigint): Uint8Array {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setBigInt64(0, bigint64(value));
    return bytes;
  },
  deserialize(bytes: Uint8Array): bigint {
    expectLength(bytes, 8, 'bigint');
    return viewOf(bytes).getBigInt64(0);
  },
  clone: bigint64,
});

function integer32(value: number): number {
  expectNumber(value);
  if ((value | 0) !== value) throw new Error(`${shown(value)} is not a 32-bit integer`);
  // -0 comes back as 0.
  return value | 0;
}

/** Integers from -2147483648 to 2147483647 as 4 bytes, big-endian: Java's Integer. */
export const int32Serde: Serde<number> = identifiesByValue({
  name: 'int32',
  serialize(value: number): Uint8Array {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setInt32(0, integer32(value));
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 4, 'int32');
    return viewOf(bytes).getInt32(0);
  },
  clone: integer32,
});

function anyNumber(value: number): number {
  expectNumber(value);
  return value;
}

/** Numbers as 8 bytes, big-endian IEEE 754: Java's Double. NaN, the infinities and -0 come back as they are; as keys 0 and -0 are two. */
export const float64Serde: Serde<number> = {
  name: 'float64',
  serialize(value: number): Uint8Array {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setFloat64(0, anyNumber(value));
    return bytes;
  },
  deserialize(bytes: Uint8Array): number {
    expectLength(bytes, 8, 'float64');
    return viewOf(bytes).getFloat64(0);
  },
  clone: anyNumber,
};

/** Byte strings as they are (copied when read). */
export const bytesSerde: Serde<Uint8Array> = {
  name: 'bytes',
  serialize(value: Uint8Array): Uint8Array {
    if (!(value instanceof Uint8Array)) throw new Error(`${shown(value)} is not a Uint8Array`);
    return value;
  },
  // Not slice(): that of a Buffer copies nothing.
  deserialize: (bytes) => new Uint8Array(bytes),
};

/** The standard serdes. Kafka Streams: `common/serialization/Serdes.java`. */
export const Serdes: {
  readonly string: Serde<string>;
  readonly int32: Serde<number>;
  readonly int64: Serde<number>;
  readonly bigint: Serde<bigint>;
  readonly float64: Serde<number>;
  readonly bytes: Serde<Uint8Array>;
  readonly json: typeof jsonSerde;
  readonly debezium: typeof debeziumSerde;
  readonly debeziumKey: typeof debeziumKeySerde;
} = Object.freeze({
  string: stringSerde,
  int32: int32Serde,
  int64: int64Serde,
  bigint: bigintSerde,
  float64: float64Serde,
  bytes: bytesSerde,
  json: jsonSerde,
  debezium: debeziumSerde,
  debeziumKey: debeziumKeySerde,
});
