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
 * Windowed keys as bytes: key, then the window's start as int64, big-endian. The end is derived from the start: it is not written, so windows of the
 * same start are the same. A start that is none of the windows' is refused, written or read.
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
  // The window met last: most keys are of that of the one before them.
  #start = Number.NaN;
  #end = Number.NaN;

  constructor(inner: Serde<K>, windows: WindowEnds) {
    this.inner = inner;
    this.windows = windows;
    this.name = `windowed(${inner.name})`;
  }

  serialize(value: Windowed<K>): Uint8Array {
    this.#check(value);
    const key = this.inner.serialize(value.key);
    const bytes = new Uint8Array(key.length + 8);
    bytes.set(key);
    writeInt64(bytes, key.length, value.startMs);
    return bytes;
  }

  deserialize(bytes: Uint8Array): Windowed<K> {
    if (bytes.length < 8) throw new Error(`a windowed key has at least 8 bytes, not ${bytes.length}`);
    const at = bytes.length - 8;
    const startMs = readStart(bytes, at);
    return new Windowed(this.inner.deserialize(bytes.subarray(0, at)), startMs, this.windows.endOf(startMs));
  }

  read(bytes: Buffer, start: number, end: number): Windowed<K> {
    const at = end - 8;
    const { inner, windows } = this;
    if (inner.read === undefined || at < start) return this.deserialize(bytes.subarray(start, end));
    const startMs = readStart(bytes, at);
    return new Windowed(inner.read(bytes, start, at), startMs, windows.endOf(startMs));
  }

  write(value: Windowed<K>, target: Uint8Array, at: number): number {
    this.#check(value);
    const end = this.inner.write?.(value.key, target, at) ?? -1;
    if (end < 0 || end + 8 > target.length) return -1;
    writeInt64(target, end, value.startMs);
    return end + 8;
  }

  /** As it comes back of its bytes: a windowed key never changes, so one of these windows is its own copy. */
  clone(value: Windowed<K>): Windowed<K> {
    this.#check(value);
    const key = throughSerde(this.inner, value.key);
    return key === value.key && value.endMs === this.#end ? value : new Windowed(key, value.startMs, this.#end);
  }

  #check(value: Windowed<K>): void {
    if (!(value instanceof Windowed)) throw new Error(`${String(value)} is not a windowed key`);
    if (value.startMs === this.#start) return;
    if (!Number.isSafeInteger(value.startMs))
      throw new Error(`a window cannot start at ${value.startMs}: it is not a whole number of ms`);
    this.#end = this.windows.endOf(value.startMs);
    this.#start = value.startMs;
  }
}

function readStart(bytes: Uint8Array, at: number): number {
  const startMs = readInt64(bytes, at);
  if (!Number.isSafeInteger(startMs)) throw new Error(`a window that starts at ${startMs} ms does not fit in 53 bits`);
  return startMs;
}
