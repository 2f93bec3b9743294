import type { ByteRow } from '../stores/byte-rows.ts';
import type { StorePart } from './store-part.ts';

/** A partition that is looked for anew at each read: it may have moved, or be open anew, since the last one. */
export function foundPart(partition: number, find: () => StorePart): StorePart {
  async function* pages(
    read: (part: StorePart) => AsyncIterable<readonly ByteRow[]>,
  ): AsyncGenerator<readonly ByteRow[]> {
    yield* read(find());
  }
  return {
    partition,
    get: async (startMs, key) => find().get(startMs, key),
    rows: (fromMs, toMs) => pages((part) => part.rows(fromMs, toMs)),
    rowsOfKey: (key, fromMs, toMs) => pages((part) => part.rowsOfKey(key, fromMs, toMs)),
  };
}
