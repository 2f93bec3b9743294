import type { ReadOnlyVersionedStore, Version } from '../../../src/runtime/read-only-stores.ts';

import { isNameKey } from '../park/place-names.ts';

/** How long a count is good for, ms: it goes through the whole park. */
const goodForMs = 60_000;

/** How much equipment of each type is installed now. Counted at most once a minute; in between, and while it is counted again, the last count holds. */
export class ParkSize {
  readonly #park: () => ReadOnlyVersionedStore<string, unknown>;
  readonly #now: () => number;
  #last: ReadonlyMap<string, number> | undefined;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #counting: Promise<ReadonlyMap<string, number>> | undefined;

  constructor(park: () => ReadOnlyVersionedStore<string, unknown>, now: () => number) {
    this.#park = park;
    this.#now = now;
  }

  /** Sizes by type of equipment, such as C. Only the first call waits for the count. */
  async get(): Promise<ReadonlyMap<string, number>> {
    if (this.#now() - this.#countedAtMs >= goodForMs) {
      this.#counting ??= this.#count().finally(() => {
        this.#counting = undefined;
      });
      // Who has a last count does not wait; a failure shows when the next one has to.
      if (this.#last !== undefined) this.#counting.catch(() => {});
    }
    return this.#last ?? (await this.#counting!);
  }

  async #count(): Promise<ReadonlyMap<string, number>> {
    const atMs = this.#now();
    const sizes = new Map<string, number>();
    for await (const { key, versions } of this.#park().all()) {
      if (isNameKey(key)) continue;
      const installed = validAt(versions, atMs);
      const type = key.slice(0, key.indexOf(':'));
      sizes.set(type, (sizes.get(type) ?? 0) + (installed ? 1 : 0));
    }
    this.#countedAtMs = atMs;
    this.#last = sizes;
    return sizes;
  }
}

function validAt(versions: readonly Version<unknown>[], atMs: number): boolean {
  let newest: Version<unknown> | undefined;
  for (const version of versions) {
    if (version.validFromMs <= atMs && (newest === undefined || version.validFromMs > newest.validFromMs))
      newest = version;
  }
  return newest?.value !== undefined;
}
