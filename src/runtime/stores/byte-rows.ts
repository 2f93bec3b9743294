import type { Database, Reader, WriteBatch } from '../../../state/database.ts';
import { KeyValueBytesStore } from '../../../state/key-value-store.ts';
import { latin1 } from '../../../state/latin1.ts';
import { PagedWindowStore } from '../../../state/paged-window-store.ts';
import type { Serde } from '../../serde/serde.ts';
import { stringSerde } from '../../serde/serdes.ts';

/** One row as bytes. */
export interface ByteRow {
  /** 0 in a key-value store. */
  readonly startMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A serialized key as latin1 text of its bytes: as short and as ordered as they are, and free where a key is ASCII text itself. */
export type KeyText = string;

/**
 * Told of a row that is written: its window's start, its key, its value with the event time before it (good until the next call; undefined: deleted), its event time.
 */
export type RowListener = (startMs: number, key: KeyText, row: Uint8Array | undefined, timestamp: number) => void;

/** The text of a serialized key. */
export function keyText<K>(serde: Serde<K>, key: K): KeyText {
  if (serde === (stringSerde as unknown) && isAscii(key as string)) return key as string;
  const bytes = serde.serialize(key);
  return latin1(bytes, 0, bytes.length);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** The rows of one store of one task in a database, whatever their layout. */
export interface ByteRows {
  /** A row as the next commit will have it; good until the next call. */
  get(startMs: number, key: KeyText): Uint8Array | undefined;
  /** A row as it is written. */
  read(startMs: number, key: KeyText, reader?: Reader): Uint8Array | undefined;
  put(batch: WriteBatch, startMs: number, key: KeyText, value: Uint8Array): void;
  del(batch: WriteBatch, startMs: number, key: KeyText): void;
  /** After some puts: `get` sees all of them, if it sees any. */
  apply(): void;
  /** Memory of changes that wait for the batch, where they can be written ahead of it. */
  readonly unwrittenBytes: number;
  /** Puts changes into a batch that is written ahead of the one that completes them; nobody sees them until then. Returns what to call when it is written. */
  writeAhead(batch: WriteBatch): () => void;
  /** After the last put: the batch is complete. */
  seal(batch: WriteBatch): void;
  /** The batch is written. */
  written(): void;
  /** Whether `get` sees rows of a batch that is not written yet, so that they may be forgotten elsewhere. */
  readonly seesUnwritten: boolean;
  /** Distinct window starts, ascending; `[0]` in a key-value store. */
  starts(reader?: Reader): Promise<readonly number[]>;
  /** All rows whose window starts in `[fromMs, toMs)`, by start and key. */
  pages(fromMs: number, toMs: number, reader?: Reader): AsyncIterable<readonly ByteRow[]>;
  /** Deletes the windows that start before this; returns how many. */
  expireBefore(batch: WriteBatch, startMs: number): Promise<number>;
}

const nothing = (): void => {};

const longestKeptView = 256;

/** Bytes of key texts, in one buffer: each is good until the next. Short views are kept, since a new one costs more than the copy. */
class KeyBytes {
  readonly #scratch = Buffer.alloc(longestKeptView);
  readonly #views: Buffer[] = [];

  of(key: KeyText): Uint8Array {
    const { length } = key;
    if (length > longestKeptView) return Buffer.from(key, 'latin1');
    for (let i = 0; i < length; i++) this.#scratch[i] = key.charCodeAt(i);
    let view = this.#views[length];
    if (view === undefined) {
      view = this.#scratch.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }
}

/** Rows of a key-value store: an entry of the database each. */
export function keyValueRows(database: Database, prefix: Uint8Array): ByteRows {
  const store = new KeyValueBytesStore(database, prefix);
  const keys = new KeyBytes();
  return {
    get: (_startMs, key) => store.get(keys.of(key)),
    read: (_startMs, key, reader) => store.get(keys.of(key), reader),
    put: (batch, _startMs, key, value) => store.put(batch, keys.of(key), value),
    del: (batch, _startMs, key) => store.del(batch, keys.of(key)),
    apply: nothing,
    unwrittenBytes: 0,
    writeAhead: () => nothing,
    seal: nothing,
    written: nothing,
    seesUnwritten: false,
    starts: async () => [0],
    async *pages(_fromMs, _toMs, reader) {
      for await (const page of store.range({}, reader)) yield page.map(([key, value]) => ({ startMs: 0, key, value }));
    },
    expireBefore: async () => 0,
  };
}

/** Rows of a window store: pages of rows. */
export function windowRows(database: Database, prefix: Uint8Array): ByteRows {
  const store = new PagedWindowStore(database, prefix);
  return {
    get: (startMs, key) => store.get(startMs, key),
    read: (startMs, key, reader = database) => store.read(reader, startMs, key),
    put: (_batch, startMs, key, value) => store.put(startMs, key, value),
    del: (_batch, startMs, key) => store.del(startMs, key),
    apply: () => store.apply(),
    get unwrittenBytes() {
      return store.unwrittenBytes;
    },
    writeAhead: (batch) => store.writeAhead(batch),
    seal: (batch) => store.seal(batch),
    written: () => store.written(),
    seesUnwritten: true,
    starts: (reader = database) => store.starts(reader),
    pages: (fromMs, toMs, reader = database) => store.rows(reader, fromMs, toMs),
    expireBefore: (batch, startMs) => store.expireBefore(batch, startMs),
  };
}
