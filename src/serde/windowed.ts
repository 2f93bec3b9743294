import { readInt64, writeInt64 } from '../common/bytes.ts';
import type { Serde } from './serde.ts';
import { throughSerde } from './through-serde.ts';

/** The half-open interval `[startMs, endMs)`. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** A key in a window. Kafka Streams: `kstream/Windowed.java`. */
export class Windowed<K> implements Window {
  readonly key: K;
  /** First ms of the window. */
  readonly startMs: number;
  /** First ms after the window. */
  readonly endMs: number;

  constructor(key: K, startMs: number, endMs: number) {
    this.key = key;
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** `[C:8@1513292400000/1513378800000]`. */
  toString(): string {
    return `[${String(this.key)}@${this.startMs}/${this.endMs}]`;
  }
}

/** What a windowed serde must know of the windows: their end follows from their start (a calendar day has no fixed length). */
export interface WindowEnds {
  /** First ms after the window that starts at `startMs`. */
  endOf(startMs: number): number;
}

/**
 * Windowed keys as bytes: key, then the window's start as int64, big-endian. The end is derived from the start.
 *
 * ```
 * | key bytes | start int64 BE |      'a' in the window of 0: 61 00 00 00 00 00 00 00 00
 * ```
 * Kafka Streams: `kstream/TimeWindowedSerializer.java`.
 */
export class WindowedSerde<K> implements Serde<Windowed<K>> {
  readonly name: string;
  readonly inner: Serde<K>;
  readonly windows: WindowEnds;

  constructor(inner: Serde<K>, windows: WindowEnds) {
    this.inner = inner;
    this.windows = windows;
    this.name = `windowed(${inner.name})`;
  }

  serialize(value: Windowed<K>): Uint8Array {
    const key = this.inner.serialize(value.key);
    expectStart(value.startMs);
    const bytes = new Uint8Array(key.length + 8);
    bytes.set(key);
    writeInt64(bytes, key.length, value.startMs);
    return bytes;
  }

  deserialize(bytes: Uint8Array): Windowed<K> {
    if (bytes.length < 8) throw new Error(`a windowed key has at least 8 bytes, not ${bytes.length}`);
    const at = bytes.length - 8;
    const startMs = readInt64(bytes, at);
    return new Windowed(this.inner.deserialize(bytes.subarray(0, at)), startMs, this.windows.endOf(startMs));
  }

  read(bytes: Buffer, start: number, end: number): Windowed<K> {
    const at = end - 8;
    const { inner, windows } = this;
    if (inner.read === undefined || at < start) return this.deserialize(bytes.subarray(start, end));
    const startMs = readInt64(bytes, at);
    return new Windowed(inner.read(bytes, start, at), startMs, windows.endOf(startMs));
  }

  write(value: Windowed<K>, target: Uint8Array, at: number): number {
    const end = this.inner.write?.(value.key, target, at) ?? -1;
    if (end < 0 || end + 8 > target.length || !Number.isSafeInteger(value.startMs)) return -1;
    writeInt64(target, end, value.startMs);
    return end + 8;
  }

  /** Windowed keys never change: one whose key is its own copy is so too. */
  clone(value: Windowed<K>): Windowed<K> {
    expectStart(value.startMs);
    const key = throughSerde(this.inner, value.key);
    return key === value.key ? value : new Windowed(key, value.startMs, value.endMs);
  }
}

function expectStart(startMs: number): void {
  if (!Number.isSafeInteger(startMs))
    throw new Error(`a window cannot start at ${startMs}: it is not a whole number of ms`);
}
