import { dayMs, lastCivilDay } from '../../../src/common/time/civil.ts';
import type { Histories } from '../../../src/runtime/histories.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import { compareParkIds, departementKey, type Park, parkId } from './park.ts';
import type { Place } from './place.ts';

/** The levels of place that have names: a substation has none. */
export const namedLevels = ['commune', 'departement', 'region'] as const;
/** One of {@link namedLevels}. */
export type NamedLevel = (typeof namedLevels)[number];

/** The key of a place's name in the table of the park: `region:4`. Equipment has `C:` and `K:`. */
export function nameKey(level: NamedLevel, id: string): string {
  return `${level}:${id}`;
}

/** Whether a key of the table of the park is that of a name, not of an equipment. */
export function isNameKey(key: string): boolean {
  return namedLevels.some((level) => key.startsWith(`${level}:`));
}

/** The beginning of the only version of a name: after all windows, so that none is joined again because of it. */
const nameFromMs = lastCivilDay * dayMs;

/** A departement as far as its name goes. */
export interface NamedDepartement {
  readonly id: string;
  readonly region: string;
  readonly name: string;
}

/** Names by level and id, collected from the rows of a park. An empty name is left out. */
export class NamesOfPlaces {
  readonly #names: Map<string, string> = new Map();
  readonly #departements: Map<string, NamedDepartement[]> = new Map();

  add(level: 'commune' | 'region', id: string, name: string): void {
    if (name !== '') this.#names.set(nameKey(level, id), name);
  }

  /** A departement is named once for each region: five of them are `97`. */
  addDepartement(departement: NamedDepartement): void {
    if (departement.name === '') return;
    const known = this.#departements.get(departement.id) ?? [];
    if (known.some(({ region }) => region === departement.region)) return;
    this.#departements.set(departement.id, [...known, departement]);
  }

  /**
   * The names as histories of the table of the park. Events are grouped by the id of a departement alone, so those that share one share a name, in the order of their regions:
   * `departement:97` is `GUYANE / GUADELOUPE` for 97 of regions 22 and 23.
   */
  histories(): Histories<string, Place> {
    const names = new Map(this.#names);
    for (const [id, departements] of this.#departements) {
      departements.sort((a, b) => compareParkIds(parkId(a.region), parkId(b.region)));
      names.set(nameKey('departement', id), [...new Set(departements.map(({ name }) => name))].join(' / '));
    }
    const keys = [...names.keys()];
    const numbers = new Map(keys.map((key, index) => [key, index]));
    return {
      size: keys.length,
      find: (key) => numbers.get(key) ?? -1,
      key: (index) => keys[index]!,
      versions: (index) => nameVersions(names.get(keys[index]!)!),
    };
  }
}

function nameVersions(name: string): readonly Version<Place>[] {
  return [{ validFromMs: nameFromMs, value: { commune: '', departement: '', pdk: '', region: '', name } }];
}

/** The names of the places that a park uses: communes in which a substation or a delivery point is, their departements and regions. */
export function namesOfPark(park: Park): NamesOfPlaces {
  const names = new NamesOfPlaces();
  const used = new Set(park.substations.values());
  for (const { commune } of park.deliveryPoints.values()) used.add(commune);
  for (const code of used) {
    const commune = park.communes.get(code);
    if (commune === undefined) continue;
    const { departement, region } = commune;
    names.add('commune', code, commune.name);
    const name = park.departementNames.get(departementKey(departement, region)) ?? '';
    names.addDepartement({ id: departement, region, name });
    names.add('region', region, park.regionNames.get(region) ?? '');
  }
  return names;
}

/** All that the table of the park holds. */
export interface ParkTable extends Histories<string, Place> {
  /** How many of the keys are those of names. */
  readonly names: number;
}

/** The places of equipment, and after them the names of places. */
export function withNames(equipment: Histories<string, Place>, names: NamesOfPlaces): ParkTable {
  const named = names.histories();
  const { size } = equipment;
  return {
    size: size + named.size,
    names: named.size,
    find(key) {
      if (!isNameKey(key)) return equipment.find(key);
      const found = named.find(key);
      return found < 0 ? -1 : size + found;
    },
    key: (index) => (index < size ? equipment.key(index) : named.key(index - size)),
    versions: (index) => (index < size ? equipment.versions(index) : named.versions(index - size)),
  };
}
