import type { Database, Reader } from '../../../state/database.ts';
import { KeyValueBytesStore } from '../../../state/key-value-store.ts';
import { latin1 } from '../../../state/latin1.ts';
import { PagedWindowStore } from '../../../state/paged-window-store.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { ByteRow } from '../stores/byte-rows.ts';
import { type OpenSnapshot, sharedSnapshots } from './snapshots.ts';
import type { StorePart } from './store-part.ts';
import { turn } from './turns.ts';

/** Rows of one key that make a page. */
const pageRows = 100;

/**
 * A partition in a database of this process: what is written, and nothing of any cache.
 *
 * @param prefix - Starts the partition's rows and no others.
 * @param openSnapshot - What a range reads. Parts that share it and are read together see one state. @defaultValue a snapshot for each range
 * @throws StreamsError `STREAMS_STATE_STORE_NOT_OPEN` from its methods, and from a range under way, once the database is closed.
 */
export function localPart(
  spec: Pick<StoreSpec, 'kind'>,
  database: Database,
  prefix: Uint8Array,
  partition: number,
  openSnapshot: OpenSnapshot = sharedSnapshots(database),
): StorePart {
  const read =
    spec.kind === 'window'
      ? windowReads(new PagedWindowStore(database, prefix))
      : keyValueReads(new KeyValueBytesStore(database, prefix));
  return {
    partition,
    async get(startMs, key) {
      return read.get(database, startMs, key);
    },
    rows: (fromMs, toMs) => leased(openSnapshot, (reader) => read.rows(reader, fromMs, toMs)),
    rowsOfKey: (key, fromMs, toMs) => leased(openSnapshot, (reader) => read.rowsOfKey(reader, key, fromMs, toMs)),
  };
}

/** How one layout of rows is read. */
interface Reads {
  get(reader: Reader, startMs: number, key: Uint8Array): Uint8Array | undefined;
  rows(reader: Reader, fromMs: number, toMs: number): AsyncIterable<readonly ByteRow[]>;
  rowsOfKey(reader: Reader, key: Uint8Array, fromMs: number, toMs: number): AsyncIterable<readonly ByteRow[]>;
}

function keyValueReads(store: KeyValueBytesStore): Reads {
  return {
    get: (reader, startMs, key) => (startMs === 0 ? store.get(key, reader) : undefined),
    async *rows(reader, fromMs, toMs) {
      if (fromMs > 0 || toMs <= 0) return;
      for await (const page of store.range({}, reader)) yield page.map(([key, value]) => ({ startMs: 0, key, value }));
    },
    async *rowsOfKey(reader, key, fromMs, toMs) {
      const value = fromMs > 0 || toMs <= 0 ? undefined : store.get(key, reader);
      if (value !== undefined) yield [{ startMs: 0, key, value }];
    },
  };
}

function windowReads(store: PagedWindowStore): Reads {
  return {
    get: (reader, startMs, key) => store.read(reader, startMs, textOf(key)),
    rows: (reader, fromMs, toMs) => store.rows(reader, fromMs, toMs),
    async *rowsOfKey(reader, key, fromMs, toMs) {
      const text = textOf(key);
      let rows: ByteRow[] = [];
      for (const startMs of await store.starts(reader, fromMs, toMs)) {
        const value = store.read(reader, startMs, text);
        if (value === undefined || rows.push({ startMs, key, value }) < pageRows) continue;
        yield rows;
        rows = [];
      }
      if (rows.length > 0) yield rows;
    },
  };
}

function textOf(key: Uint8Array): string {
  return latin1(key, 0, key.length);
}

/** Reads one snapshot. It is taken when the first page is asked for, not later: parts that are begun together share it. */
async function* leased(
  openSnapshot: OpenSnapshot,
  read: (reader: Reader) => AsyncIterable<readonly ByteRow[]>,
): AsyncGenerator<readonly ByteRow[]> {
  const { reader, release } = openSnapshot();
  try {
    for await (const page of read(reader)) {
      const pause = turn();
      if (pause !== undefined) await pause;
      yield page;
    }
  } finally {
    await release();
  }
}
