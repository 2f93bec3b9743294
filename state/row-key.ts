/** Up to this length a key's view is kept for the next key of the same length. */
const longestKeptView = 256;

/**
 * Builds row keys `prefix | ...` in one buffer that is used again and again, so that a put allocates nothing.
 *
 * A database copies keys at `put`, `del` and `get`: what {@link RowKeyBuffer.view} gives is good until the next call.
 */
export class RowKeyBuffer {
  readonly #prefix: Uint8Array;
  #bytes: Uint8Array = new Uint8Array(0);
  #views: Uint8Array[] = [];

  constructor(prefix: Uint8Array) {
    this.#prefix = prefix;
  }

  /** A buffer of at least `length` bytes that starts with the prefix. */
  bytes(length: number): Uint8Array {
    if (this.#bytes.length < length) {
      this.#bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length, 64));
      this.#bytes.set(this.#prefix);
      this.#views = [];
    }
    return this.#bytes;
  }

  /** The first `length` bytes of the buffer. */
  view(length: number): Uint8Array {
    const kept = this.#views[length];
    if (kept !== undefined) return kept;
    const view = this.bytes(length).subarray(0, length);
    if (length <= longestKeptView) this.#views[length] = view;
    return view;
  }

  /** `prefix | key`. */
  row(key: Uint8Array): Uint8Array {
    const length = this.#prefix.length + key.length;
    this.bytes(length).set(key, this.#prefix.length);
    return this.view(length);
  }
}
