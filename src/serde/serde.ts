/**
 * How a type becomes bytes and back.
 *
 * `deserialize(serialize(x))` equals `x`. Bytes handed to `deserialize` may be a view that is reused afterwards: copy what you keep.
 */
export interface Serde<T> {
  /** Shown in errors, such as `string`. */
  readonly name: string;
  /** @throws Error for a value that does not come back from its bytes; the runtime wraps it as `STREAMS_SERIALIZATION`. */
  serialize(value: T): Uint8Array;
  /** @throws Error for bytes that are not such a value; the runtime wraps it as `STREAMS_DESERIALIZATION`. */
  deserialize(bytes: Uint8Array): T;
  /** `deserialize(bytes.subarray(start, end))` without the view: for what is read millions of times. */
  read?(bytes: Buffer, start: number, end: number): T;
  /**
   * What `deserialize(serialize(value))` gives, without the bytes: a copy that shares nothing changeable with `value` (or the value itself, if
   * it is immutable).
   *
   * Without `clone` a store keeps the bytes of its values: each value is serialized when it is put, and read again each time. With it a store keeps the values themselves
   * between commits, and lets an aggregator change its aggregate in place: much faster, and a promise that every value survives, and that
   * an aggregate is changed only by the aggregator, which returns it or throws before it changes anything.
   *
   * @throws Error as `serialize`.
   */
  clone?(value: T): T;
  /**
   * Writes the bytes of `serialize(value)` at `target[at]` and returns the position after them, or -1 if they do not fit (or this value
   * takes another way): then `serialize` is called. Spares an allocation a row at commit.
   */
  write?(value: T, target: Uint8Array, at: number): number;
}
