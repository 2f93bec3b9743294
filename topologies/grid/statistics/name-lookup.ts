import type { ReadOnlyVersionedStore } from '../../../src/runtime/read-only-stores.ts';
import type { Place } from '../park/place.ts';
import { type NamedLevel, namedLevels, nameKey } from '../park/place-names.ts';
import type { Grouping } from './statistic.ts';

/** The level of a grouping whose groups have names; undefined for all others. */
export function namedLevel(grouping: Grouping): NamedLevel | undefined {
  return namedLevels.find((level) => level === grouping);
}

/** Looks up the names of places in the table of the park, each once: it is made for one answer. */
export class NameLookup {
  readonly #park: ReadOnlyVersionedStore<string, unknown>;
  readonly #names: Map<string, string> = new Map();

  constructor(park: ReadOnlyVersionedStore<string, unknown>) {
    this.#park = park;
  }

  /** The name of a place, such as `BRETAGNE` for region 4; empty where the park has none. A promise only where it has to be read. */
  of(level: NamedLevel, id: string): string | Promise<string> {
    const key = nameKey(level, id);
    return this.#names.get(key) ?? this.#read(key);
  }

  async #read(key: string): Promise<string> {
    const record = (await this.#park.get(key)) as Place | undefined;
    const name = record?.name ?? '';
    this.#names.set(key, name);
    return name;
  }
}
