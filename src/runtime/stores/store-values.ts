import { messageOf, StreamsError, type StreamsErrorCode } from '../../common/errors.ts';
import { shown } from '../../common/shown.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { keyIdentity } from '../../serde/key-identity.ts';
import type { Serde } from '../../serde/serde.ts';
import { throughSerde } from '../../serde/through-serde.ts';
import { isIdentifiedByValue } from '../../serde/value-identity.ts';
import { type KeyText, keyText } from './byte-rows.ts';

/** A value as a store keeps it between commits: its bytes, or itself where its serde has a `clone`. */
export type Kept<V> = V | Uint8Array;

/**
 * Keys and values on their way into a store and out of it. What a program sees is what the bytes say, whether they were written meanwhile or not: a value that its serde
 * does not give back is refused when it is put, and nobody outside holds what is kept.
 */
export class StoreValues<K, V> {
  readonly keySerde: Serde<K>;
  /** Values are kept as bytes. */
  readonly asBytes: boolean;
  readonly #store: string;
  readonly #serde: Serde<V>;
  readonly #byValue: boolean;

  constructor(spec: StoreSpec) {
    this.#store = spec.name;
    this.keySerde = spec.keySerde as Serde<K>;
    this.#serde = spec.valueSerde as Serde<V>;
    this.asBytes = this.#serde.clone === undefined;
    this.#byValue = isIdentifiedByValue(this.keySerde);
  }

  /** What tells the key apart in a Map. */
  identity(key: K): unknown {
    if (this.#byValue && typeof key !== 'object') return key;
    try {
      return keyIdentity(this.keySerde, key);
    } catch (error) {
      throw this.#badKey(key, error);
    }
  }

  /** The key's bytes as text. */
  text(key: K): KeyText {
    try {
      return keyText(this.keySerde, key);
    } catch (error) {
      throw this.#badKey(key, error);
    }
  }

  /** The key as it will be read: nobody else's. */
  ownKey(key: K): K {
    try {
      return throughSerde(this.keySerde, key);
    } catch (error) {
      throw this.#badKey(key, error);
    }
  }

  /** What is kept of a value that a program gives. */
  keep(key: K, value: V): Kept<V> {
    try {
      // A copy: a serde may give what it was given, or use a buffer again.
      return this.asBytes ? new Uint8Array(this.#serde.serialize(value)) : this.#serde.clone!(value);
    } catch (error) {
      throw this.unwritable(key, error);
    }
  }

  /** A value that is the reader's own. */
  give(key: K, kept: Kept<V>): V {
    if (this.asBytes) return this.#read(key, kept as Uint8Array);
    return typeof kept === 'object' ? this.#serde.clone!(kept as V) : kept;
  }

  /** A value for those who change nothing. */
  show(key: K, kept: Kept<V>): V {
    return this.asBytes ? this.#read(key, kept as Uint8Array) : (kept as V);
  }

  /** The error for a value without bytes. */
  unwritable(key: K, cause: unknown): StreamsError {
    return this.#failure(
      'STREAMS_SERIALIZATION',
      `the value of key ${shown(key)} does not survive serde ${this.#serde.name}`,
      key,
      cause,
    );
  }

  #badKey(key: K, cause: unknown): StreamsError {
    return this.#failure(
      'STREAMS_SERIALIZATION',
      `key ${shown(key)} does not survive serde ${this.keySerde.name}`,
      key,
      cause,
    );
  }

  #read(key: K, bytes: Uint8Array): V {
    try {
      return this.#serde.deserialize(bytes);
    } catch (error) {
      throw this.#failure(
        'STREAMS_DESERIALIZATION',
        `serde ${this.#serde.name} cannot read the value of key ${shown(key)}`,
        key,
        error,
      );
    }
  }

  #failure(code: StreamsErrorCode, what: string, key: K, cause: unknown): StreamsError {
    return new StreamsError(code, `store ${this.#store}: ${what}: ${messageOf(cause)}.`, {
      store: this.#store,
      key: shown(key),
      cause,
    });
  }
}
