import { createHash } from 'node:crypto';
import type { Database } from '../../state/database.ts';
import { compareBytes, writeInt64 } from '../common/bytes.ts';
import type { StoreSpec } from '../processor/node.ts';
import { type ByteRow, keyValueRows, windowRows } from './stores/byte-rows.ts';

/**
 * SHA-256 over the sorted rows (store name, serialized key with its window's start, serialized value without its timestamp) of the given stores.
 *
 * Each part is preceded by its length as uint32, big-endian; a windowed key is the key's bytes, then the start as int64. Stores are taken by name, rows by
 * window and key, over all tasks: so the digest is the same for any number of partitions and any layout of the rows.
 */
export async function digestOf(
  stores: readonly StoreSpec[],
  prefixesOf: (spec: StoreSpec) => readonly Uint8Array[],
  database: Database,
): Promise<{ readonly all: string; readonly byStore: ReadonlyMap<string, string> }> {
  const all = createHash('sha256');
  const byStore = new Map<string, string>();
  const snapshot = database.snapshot();
  try {
    for (const spec of [...stores].sort((a, b) => compareBytes(Buffer.from(a.name), Buffer.from(b.name)))) {
      const one = createHash('sha256');
      const name = Buffer.from(spec.name);
      const make = spec.kind === 'window' ? windowRows : keyValueRows;
      const parts = prefixesOf(spec).map((prefix) => make(database, prefix).pages(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, snapshot));
      for await (const row of merged(parts)) {
        const bytes = rowBytes(name, row, spec.kind === 'window');
        all.update(bytes);
        one.update(bytes);
      }
      byStore.set(spec.name, one.digest('hex'));
    }
  } finally {
    await snapshot.close();
  }
  return { all: all.digest('hex'), byStore };
}

const timestampLength = 8;

function rowBytes(name: Uint8Array, row: ByteRow, windowed: boolean): Uint8Array {
  const keyLength = row.key.length + (windowed ? 8 : 0);
  const valueLength = row.value.length - timestampLength;
  const bytes = new Uint8Array(12 + name.length + keyLength + valueLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length);
  bytes.set(name, 4);
  let at = 4 + name.length;
  view.setUint32(at, keyLength);
  bytes.set(row.key, at + 4);
  if (windowed) writeInt64(bytes, at + 4 + row.key.length, row.startMs);
  at += 4 + keyLength;
  view.setUint32(at, valueLength);
  bytes.set(row.value.subarray(timestampLength), at + 4);
  return bytes;
}

/** Rows of several tasks, each in order, as one in order. */
async function* merged(parts: readonly AsyncIterable<readonly ByteRow[]>[]): AsyncGenerator<ByteRow> {
  const heads = await Promise.all(parts.map(async (part) => advance({ pages: part[Symbol.asyncIterator](), page: [], at: -1 })));
  for (;;) {
    let least: Head | undefined;
    for (const head of heads) {
      const row = head.page[head.at];
      if (row !== undefined && (least === undefined || before(row, least.page[least.at]!))) least = head;
    }
    if (least === undefined) return;
    yield least.page[least.at]!;
    await advance(least);
  }
}

interface Head {
  readonly pages: AsyncIterator<readonly ByteRow[]>;
  page: readonly ByteRow[];
  at: number;
}

async function advance(head: Head): Promise<Head> {
  head.at++;
  while (head.at >= head.page.length) {
    const next = await head.pages.next();
    if (next.done === true) {
      head.page = [];
      head.at = 0;
      return head;
    }
    head.page = next.value;
    head.at = 0;
  }
  return head;
}

function before(a: ByteRow, b: ByteRow): boolean {
  return a.startMs < b.startMs || (a.startMs === b.startMs && compareBytes(a.key, b.key) < 0);
}
