const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** No bytes. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

/** The UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** The string of UTF-8 bytes; malformed ones become U+FFFD. */
export function fromUtf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

/** The string of UTF-8 bytes. @throws TypeError if they are malformed. */
export function fromUtf8Strict(bytes: Uint8Array): string {
  return strictUtf8Decoder.decode(bytes);
}

/** Unsigned byte order: negative, 0 or positive as `a` sorts before, with or after `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** All parts, one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * The least byte string greater than every string that starts with `prefix`, or undefined if there is none (all 0xff).
 * `[1, 255]` gives `[2]`.
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if (prefix[i]! < 0xff) {
      // Not slice: that of a Buffer shares its memory.
      const end = new Uint8Array(prefix.subarray(0, i + 1));
      end[i] = end[i]! + 1;
      return end;
    }
  }
  return undefined;
}

const two32 = 0x1_0000_0000;

/** Writes an integer of up to 53 bits as int64, big-endian, two's complement (Java's `putLong`). */
export function writeInt64(target: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / two32);
  const low = value - high * two32;
  target[at] = high >> 24;
  target[at + 1] = high >> 16;
  target[at + 2] = high >> 8;
  target[at + 3] = high;
  target[at + 4] = low >>> 24;
  target[at + 5] = low >>> 16;
  target[at + 6] = low >>> 8;
  target[at + 7] = low;
}

/** Reads an int64, big-endian, as a number. Exact up to 53 bits. */
export function readInt64(source: Uint8Array, at: number): number {
  const high = (source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!;
  const low = ((source[at + 4]! << 24) | (source[at + 5]! << 16) | (source[at + 6]! << 8) | source[at + 7]!) >>> 0;
  return high * two32 + low;
}

/** As {@link writeInt64} with the sign bit flipped, so that byte order is numeric order for negative numbers too. */
export function writeOrderedInt64(target: Uint8Array, at: number, value: number): void {
  writeInt64(target, at, value);
  target[at] = target[at]! ^ 0x80;
}

/** Reads what {@link writeOrderedInt64} wrote. */
export function readOrderedInt64(source: Uint8Array, at: number): number {
  const high = ((source[at]! ^ 0x80) << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!;
  const low = ((source[at + 4]! << 24) | (source[at + 5]! << 16) | (source[at + 6]! << 8) | source[at + 7]!) >>> 0;
  return high * two32 + low;
}

/**
 * murmur2 as the Java client computes it, a signed 32-bit number.
 *
 * `murmur2(utf8('21'))` is -973932308. Kafka: `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ length;
  const words = length >> 2;
  for (let i = 0; i < words; i++) {
    const at = i << 2;
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const tail = words << 2;
  const rest = length & 3;
  if (rest === 3) h ^= bytes[tail + 2]! << 16;
  if (rest >= 2) h ^= bytes[tail + 1]! << 8;
  if (rest >= 1) {
    h ^= bytes[tail]!;
    h = Math.imul(h, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h | 0;
}

/** The partition of a key among `partitions`, as Kafka's default partitioner places it: `(murmur2 & 0x7fffffff) % partitions`. */
export function partitionOf(keyBytes: Uint8Array, partitions: number): number {
  return (murmur2(keyBytes) & 0x7fffffff) % partitions;
}
