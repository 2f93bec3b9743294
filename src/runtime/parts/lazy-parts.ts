import type { ByteRow } from '../stores/byte-rows.ts';
import type { StorePart } from './store-part.ts';

/**
 * Parts of one store that are made when the first of them is read, all at once: such as those that are read from a changelog.
 *
 * @param partitions - How many there are; they are 0 to `partitions` - 1, and so are those that `load` gives.
 */
export function lazyParts(partitions: number, load: () => Promise<readonly StorePart[]>): readonly StorePart[] {
  let loading: Promise<readonly StorePart[]> | undefined;
  const loaded = async (partition: number): Promise<StorePart> => {
    loading ??= load();
    const part = (await loading).find((each) => each.partition === partition);
    if (part === undefined) throw new TypeError(`partition ${partition} was not loaded`);
    return part;
  };
  return Array.from({ length: partitions }, (_, partition): StorePart => {
    async function* pages(
      read: (part: StorePart) => AsyncIterable<readonly ByteRow[]>,
    ): AsyncGenerator<readonly ByteRow[]> {
      yield* read(await loaded(partition));
    }
    return {
      partition,
      get: async (startMs, key) => (await loaded(partition)).get(startMs, key),
      rows: (fromMs, toMs) => pages((part) => part.rows(fromMs, toMs)),
      rowsOfKey: (key, fromMs, toMs) => pages((part) => part.rowsOfKey(key, fromMs, toMs)),
    };
  });
}
