/**
 * An id of the park's files: a canonical decimal is held as a number, which costs a third of the memory in a park of millions, anything else as
 * the text that it is. So `7` and `007` stay different ids, as different texts.
 */
export type ParkId = number | string;

/** The id that a text of a park file names. */
export function parkId(text: string): ParkId {
  return isCanonicalDecimal(text) ? Number(text) : text;
}

function isCanonicalDecimal(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > 15) return false;
  if (length > 1 && text.charCodeAt(0) === 0x30) return false;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}

/** Order of ids: as numbers, numbers before other texts, those as text. */
export function compareParkIds(a: ParkId, b: ParkId): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  if (typeof b === 'number') return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The last day of an installation that has no `date_fin`. */
export const stillThere: number = 2 ** 30;

/**
 * Which equipment is installed where, from which day to which. Columnar: installation `i` is `equipment[i]` at `place[i]` on the days
 * `firstDay[i]` to `lastDay[i]`, both included. Days count from 1970-01-01.
 */
export interface Installations {
  readonly equipment: readonly ParkId[];
  /** A meter's delivery point (`id_pdc`) or a concentrator's substation (`id_pdk`). */
  readonly place: readonly ParkId[];
  readonly firstDay: readonly number[];
  readonly lastDay: readonly number[];
}

/** Where meters are installed. One object is shared by all delivery points that have the same two values. */
export interface DeliveryPoint {
  readonly pdk: ParkId;
  /** `Code INSEE`. */
  readonly commune: string;
}

/** A row of `communes.csv`. */
export interface Commune {
  readonly name: string;
  readonly departement: string;
  readonly region: string;
}

/** The park: the reference data of the grid, as its files have it. Rows may refer to rows that are not there. */
export interface Park {
  readonly meterInstallations: Installations;
  readonly concentratorInstallations: Installations;
  /** By `id_pdc`. */
  readonly deliveryPoints: ReadonlyMap<ParkId, DeliveryPoint>;
  /** The commune (`Code INSEE`) of each substation, by `id_pdk`. */
  readonly substations: ReadonlyMap<ParkId, string>;
  /** By `Code INSEE`. */
  readonly communes: ReadonlyMap<string, Commune>;
  /** By {@link departementKey}: a departement's id alone does not name it. */
  readonly departementNames: ReadonlyMap<string, string>;
  /** By `id_region`. */
  readonly regionNames: ReadonlyMap<string, string>;
  /** `constructeur_id` of each meter; empty if the park was loaded without manufacturers. */
  readonly meterManufacturers: ReadonlyMap<ParkId, string>;
  readonly concentratorManufacturers: ReadonlyMap<ParkId, string>;
}

/** Key of a departement's name. `97` is five departements, one in each overseas region. */
export function departementKey(departement: string, region: string): string {
  return `${departement}\n${region}`;
}
