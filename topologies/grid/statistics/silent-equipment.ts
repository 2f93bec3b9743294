import type { ReadOnlyVersionedStore, Version } from '../../../src/runtime/read-only-stores.ts';
import type { Place } from '../park/place.ts';
import { isNameKey } from '../park/place-names.ts';
import type { StatisticStore } from './statistic-stores.ts';

/** Equipment that was installed but sent nothing. */
export interface SilentEquipment {
  readonly key: string;
  readonly place: Place;
}

/**
 * The equipment of a type that stands somewhere at the start of the newest of some days and has no event on any of them, in the order of its keys.
 *
 * Park and days come in the order of the bytes of their keys, so they are gone through side by side: memory does not depend on how many there are.
 *
 * @param days - The store of counts by day and equipment.
 * @param startsMs - Starts of the days, oldest first.
 */
export async function* silentEquipment(
  park: ReadOnlyVersionedStore<string, unknown>,
  days: StatisticStore,
  startsMs: readonly number[],
  type: string,
): AsyncIterable<SilentEquipment> {
  const heard = startsMs.map((startMs) => new KeyCursor(days, startMs));
  const newestMs = startsMs.at(-1)!;
  try {
    for await (const { key, versions } of park.all()) {
      if (isNameKey(key) || !key.startsWith(`${type}:`)) continue;
      const place = placeAt(versions, newestMs);
      let silent = place !== undefined;
      for (const cursor of heard) if (await cursor.has(key)) silent = false;
      if (silent) yield { key, place: place! };
    }
  } finally {
    for (const cursor of heard) await cursor.close();
  }
}

/** The keys of one day, asked for in rising order. */
class KeyCursor {
  readonly #rows: AsyncIterator<{ readonly windowed: { readonly key: string } }>;
  /** The next key that was not passed; undefined before the first, null after the last. */
  #key: string | null | undefined;

  constructor(days: StatisticStore, startMs: number) {
    this.#rows = days.fetchAll(startMs, startMs + 1)[Symbol.asyncIterator]();
  }

  async has(key: string): Promise<boolean> {
    while (this.#key === undefined || (this.#key !== null && byBytes(this.#key, key) < 0)) {
      const { done, value } = await this.#rows.next();
      this.#key = done === true ? null : value.windowed.key;
    }
    return this.#key === key;
  }

  async close(): Promise<void> {
    await this.#rows.return?.();
  }
}

/** The order of two texts by their UTF-8 bytes. */
function byBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function placeAt(versions: readonly Version<unknown>[], atMs: number): Place | undefined {
  let newest: Version<unknown> | undefined;
  for (const version of versions)
    if (version.validFromMs <= atMs && (newest === undefined || version.validFromMs > newest.validFromMs))
      newest = version;
  return newest?.value as Place | undefined;
}
