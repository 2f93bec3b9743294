import { withPackages } from '../../../src/common/optional-packages.ts';
import { gridNeed } from '../packages.ts';
import type { Random } from './random.ts';

/** A made-up commune. */
export interface MadeCommune {
  /** `Code INSEE`: the departement and three digits, such as '01026' or '2A004'. */
  readonly code: string;
  readonly name: string;
  readonly departement: string;
  readonly region: string;
}

/** A made-up departement. Overseas, five of them share the id '97'. */
export interface MadeDepartement {
  readonly id: string;
  readonly region: string;
  readonly name: string;
}

/** A made-up country, French to look at. */
export interface MadeCountry {
  readonly regions: readonly { readonly id: string; readonly name: string }[];
  readonly departements: readonly MadeDepartement[];
  /** Those of a departement stand together. */
  readonly communes: readonly MadeCommune[];
}

/** Ids that are no numbers, or would lose a zero as numbers, come first, so that the smallest country has some. */
const departementIds =
  '01 2A 02 06 13 2B 29 31 33 34 35 38 42 44 45 49 51 54 57 59 60 62 63 67 69 75 76 80 83 93'.split(' ');
const overseas = '97';
const overseasDepartements = 5;
const communesPerDepartement = 12;

/** The few words of faker that are used. */
interface Words {
  seed(seed: number): unknown;
  location: { city(): string; state(): string };
  person: { firstName(sex?: 'female' | 'male'): string; lastName(): string };
}

/** Makes a country of some 400 communes. The same seed makes the same country. */
export async function makeCountry(seed: number, random: Random): Promise<MadeCountry> {
  const { faker } = await withPackages(gridNeed, () => import('@faker-js/faker/locale/fr'));
  const words: Words = faker;
  // Faker takes the lower 32 bits of a seed.
  words.seed(seed % 2 ** 32);
  const names = new Names();
  const regions = [...new Array(16).keys()].map((id) => ({
    id: String(id),
    name: names.add(() => (id < 11 ? words.location.state() : `OUTRE-MER-${words.person.lastName()}`)),
  }));
  const departements = departementIds.map((id) => ({
    id,
    region: String(random.below(11)),
    name: names.add(() => `${words.person.lastName()}-ET-${words.person.lastName()}`),
  }));
  for (let i = 0; i < overseasDepartements; i++) {
    const name = names.add(() => `SAINTE-${words.person.firstName('female')}`);
    departements.splice(7 * i + 2, 0, { id: overseas, region: String(11 + i), name });
  }
  const communes = departements.flatMap((departement) => makeCommunes(departement, words, names, random));
  return { regions, departements, communes };
}

function makeCommunes(departement: MadeDepartement, words: Words, names: Names, random: Random): MadeCommune[] {
  const { id, region } = departement;
  const isOverseas = id === overseas;
  // Overseas the first of the three digits tells the departements apart: 971, 972, ...
  const prefix = isOverseas ? `${id}${Number(region) - 10}` : id;
  const numbers = random.distinct(communesPerDepartement, isOverseas ? 99 : 900).map((number) => number + 1);
  return numbers.map((number) => ({
    code: prefix + String(number).padStart(5 - prefix.length, '0'),
    name: names.add(() => communeName(words, random)),
    departement: id,
    region,
  }));
}

function communeName(words: Words, random: Random): string {
  const kind = random.below(4);
  if (kind === 0) return words.location.city();
  const saint = `SAINT-${words.person.firstName('male')}`;
  if (kind === 1) return saint;
  return kind === 2 ? `${saint}-SUR-${words.person.lastName()}` : `${words.person.lastName()}-L'EGLISE`;
}

/** Names as the data writes them, capitals without accents, none of them twice. */
class Names {
  readonly #taken: Set<string> = new Set();

  add(make: () => string): string {
    for (let tries = 0; ; tries++) {
      const plain = make().normalize('NFD').replace(/\p{M}/gu, '').toUpperCase();
      // A short list of words runs out.
      const name = tries < 20 ? plain : `${plain}-${tries}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}
