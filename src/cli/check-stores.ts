import { latin1 } from '../../state/latin1.ts';
import type { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import { type StorePart, wholeTime } from '../runtime/parts/store-part.ts';
import { KeyNumbers } from '../runtime/stores/key-numbers.ts';

/** What a store of results would hold. */
export interface CheckedStore {
  readonly store: string;
  /** One of each key and window. */
  readonly rows: number;
  /** Different keys. */
  readonly keys: number;
  /** Different starts of windows. Absent: its keys have none. */
  readonly windows?: number;
}

/** Counts what the stores hold that have results, by their names. */
export async function countStores(streams: EmbeddedStreams): Promise<readonly CheckedStore[]> {
  const stores: CheckedStore[] = [];
  for (const { name, kind, result } of streams.topology.stores) {
    if (!result) continue;
    const { windows, ...counts } = await countRows(streams.parts(name));
    stores.push({ store: name, ...counts, ...(kind === 'window' && { windows }) });
  }
  return stores.sort((a, b) => (a.store < b.store ? -1 : 1));
}

async function countRows(parts: readonly StorePart[]): Promise<Omit<Required<CheckedStore>, 'store'>> {
  const keys = new KeyNumbers();
  const starts = new Set<number>();
  let rows = 0;
  for (const part of parts)
    for await (const page of part.rows(wholeTime.fromMs, wholeTime.toMs))
      for (const { startMs, key } of page) {
        rows++;
        starts.add(startMs);
        keys.set(latin1(key, 0, key.length), 0);
      }
  return { rows, keys: keys.size, windows: starts.size };
}
