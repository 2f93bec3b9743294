import { createHash } from 'node:crypto';
import { compareBytes, writeInt64 } from '../common/bytes.ts';
import type { StoreSpec } from '../processor/node.ts';
import { type StorePart, wholeTime } from './parts/store-part.ts';
import type { ByteRow } from './stores/byte-rows.ts';
import { mergedRows } from './stores/merged-rows.ts';

/** SHA-256 over results, as 64 hex digits: over all stores, and over each by its name. */
export interface Digest {
  readonly all: string;
  readonly byStore: ReadonlyMap<string, string>;
}

/**
 * SHA-256 over the sorted rows (store name, serialized key with its window's start, serialized value without its timestamp) of the given stores.
 *
 * Each part is preceded by its length as uint32, big-endian; a windowed key is the key's bytes, then the start as int64. Stores are taken by name, rows by
 * window and key, over all partitions: so the digest is the same for any number of partitions, any layout of the rows and wherever they are.
 */
export async function digestOf(
  stores: readonly StoreSpec[],
  partsOf: (spec: StoreSpec) => readonly StorePart[],
): Promise<Digest> {
  const all = createHash('sha256');
  const byStore = new Map<string, string>();
  for (const spec of [...stores].sort((a, b) => compareBytes(Buffer.from(a.name), Buffer.from(b.name)))) {
    const one = createHash('sha256');
    const name = Buffer.from(spec.name);
    const parts = partsOf(spec).map((part) => part.rows(wholeTime.fromMs, wholeTime.toMs));
    for await (const page of mergedRows(parts))
      for (const row of page) {
        const bytes = rowBytes(name, row, spec.kind === 'window');
        all.update(bytes);
        one.update(bytes);
      }
    byStore.set(spec.name, one.digest('hex'));
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
