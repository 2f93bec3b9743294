import type { Database, Reader, WriteBatch } from '../../../state/database.ts';
import { KeyValueBytesStore } from '../../../state/key-value-store.ts';
import { WindowBytesStore } from '../../../state/window-store.ts';

/** One row as bytes. */
export interface ByteRow {
  /** 0 in a key-value store. */
  readonly startMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The rows of one store of one task in a database, whatever their layout. */
export interface ByteRows {
  get(startMs: number, key: Uint8Array, reader?: Reader): Uint8Array | undefined;
  put(batch: WriteBatch, startMs: number, key: Uint8Array, value: Uint8Array): void;
  del(batch: WriteBatch, startMs: number, key: Uint8Array): void;
  /** Distinct window starts, ascending; `[0]` in a key-value store. */
  starts(reader?: Reader): Promise<readonly number[]>;
  /** All rows whose window starts in `[fromMs, toMs)`, by start and key. */
  pages(fromMs: number, toMs: number, reader?: Reader): AsyncIterable<readonly ByteRow[]>;
  /** Rows of one key whose window starts in `[fromMs, toMs)`. */
  ofKey(key: Uint8Array, fromMs: number, toMs: number, reader?: Reader): AsyncIterable<ByteRow>;
  /** Deletes the rows of windows that start before this; returns how many. */
  expireBefore(batch: WriteBatch, startMs: number): Promise<number>;
}

/** Rows of a key-value store. */
export function keyValueRows(database: Database, prefix: Uint8Array): ByteRows {
  const store = new KeyValueBytesStore(database, prefix);
  return {
    get: (_startMs, key, reader) => store.get(key, reader),
    put: (batch, _startMs, key, value) => store.put(batch, key, value),
    del: (batch, _startMs, key) => store.del(batch, key),
    starts: async () => [0],
    async *pages(_fromMs, _toMs, reader) {
      for await (const page of store.range({}, reader)) yield page.map(([key, value]) => ({ startMs: 0, key, value }));
    },
    async *ofKey(key, _fromMs, _toMs, reader) {
      const value = store.get(key, reader);
      if (value !== undefined) yield { startMs: 0, key, value };
    },
    expireBefore: async () => 0,
  };
}

/** Rows of a window store. */
export function windowRows(database: Database, prefix: Uint8Array): ByteRows {
  const store = new WindowBytesStore(database, prefix);
  return {
    get: (startMs, key, reader) => store.get(startMs, key, reader),
    put: (batch, startMs, key, value) => store.put(batch, startMs, key, value),
    del: (batch, startMs, key) => store.del(batch, startMs, key),
    starts: (reader) => store.starts(undefined, undefined, reader),
    pages: (fromMs, toMs, reader) => store.fetchAll(fromMs, toMs, {}, reader),
    async *ofKey(key, fromMs, toMs, reader) {
      for (const { startMs, value } of await store.fetchKey(key, fromMs, toMs, reader)) yield { startMs, key, value };
    },
    expireBefore: (batch, startMs) => store.expireBefore(batch, startMs),
  };
}
