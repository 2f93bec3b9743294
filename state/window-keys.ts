import { concatBytes, readOrderedInt64, writeOrderedInt64 } from '../src/common/bytes.ts';
import { latin1 } from './latin1.ts';
import { windowsEnd } from './row-log.ts';

const startLength = 8;

/** After a window's start: its directory. */
export const directoryTag = 0;
/** After a window's start: a page in its first place, or in its second. */
export const pageTags: readonly [number, number] = [1, 2];

/** Database keys of a window store: prefix, start of the window (int64, big-endian, sign bit flipped), tag, and a page's first key. */
export class WindowKeys {
  readonly #prefix: Uint8Array;
  readonly #end: Uint8Array;

  /** @param prefix - Copied. */
  constructor(prefix: Uint8Array) {
    this.#prefix = new Uint8Array(prefix);
    this.#end = windowsEnd(this.#prefix);
  }

  key(startMs: number, tag: number, separator = ''): Uint8Array {
    const at = this.#prefix.length + startLength;
    const key = new Uint8Array(at + 1 + separator.length);
    key.set(this.#prefix);
    writeOrderedInt64(key, this.#prefix.length, startMs);
    key[at] = tag;
    for (let i = 0; i < separator.length; i++) key[at + 1 + i] = separator.charCodeAt(i);
    return key;
  }

  startOf(key: Uint8Array): number {
    return readOrderedInt64(key, this.#prefix.length);
  }

  tagOf(key: Uint8Array): number {
    return key[this.#prefix.length + startLength]!;
  }

  separatorOf(key: Uint8Array): string {
    return latin1(key, this.#prefix.length + startLength + 1, key.length);
  }

  /** Before all keys of the store. */
  get first(): Uint8Array {
    return this.#prefix;
  }

  /** Before all keys of windows that start at this or later; after those of all windows for Infinity. */
  bound(startMs: number): Uint8Array {
    // Windows start at safe integers: what lies beyond has no bytes of its own.
    if (startMs > Number.MAX_SAFE_INTEGER) return this.#end;
    if (startMs < Number.MIN_SAFE_INTEGER) return this.#prefix;
    const start = new Uint8Array(startLength);
    writeOrderedInt64(start, 0, Math.ceil(startMs));
    return concatBytes(this.#prefix, start);
  }
}
