import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where an equipment is, as the statistics group it. */
export interface RecountPlace {
  readonly commune: string;
  readonly departement: string;
  readonly pdk: string;
  readonly region: string;
}

interface Installation {
  readonly place: string;
  /** YYYYMMDD, both included. */
  readonly from: string;
  readonly to: string;
}

/** The nine files of a park, read in the plainest way: what the park's README says, with nothing of the program under test. */
export class RecountPark {
  readonly #installations = new Map<string, Installation[]>();
  readonly #deliveryPoints = new Map<string, { readonly pdk: string; readonly commune: string }>();
  readonly #substations = new Map<string, string>();
  readonly #communes = new Map<string, { readonly departement: string; readonly region: string }>();

  static async read(folder: string): Promise<RecountPark> {
    const park = new RecountPark();
    const rows = async (file: string): Promise<Record<string, string>[]> =>
      rowsOf(await readFile(join(folder, file), 'utf8'));
    for (const row of await rows('installation_c.csv')) park.#install(`C:${row['id_compteur']}`, row['id_pdc']!, row);
    for (const row of await rows('installation_k.csv'))
      park.#install(`K:${row['id_concentrateurs']}`, row['id_pdk']!, row);
    for (const row of await rows('pdc.csv'))
      park.#deliveryPoints.set(row['id_pdc']!, { pdk: row['id_pdk']!, commune: row['code_insee_commune']! });
    for (const row of await rows('pdk.csv')) park.#substations.set(row['id_pdk']!, row['code_insee_commune']!);
    for (const row of await rows('communes.csv'))
      park.#communes.set(row['Code INSEE']!, { departement: row['id_departement']!, region: row['id_region']! });
    return park;
  }

  /** @param date - YYYY-MM-DD. Undefined: nowhere, or the chain to its commune is broken. */
  placeOf(equipment: string, date: string): RecountPlace | undefined {
    const day = date.replaceAll('-', '');
    const valid = (this.#installations.get(equipment) ?? []).filter(({ from, to }) => from <= day && day <= to);
    const found = valid.sort((a, b) =>
      a.from < b.from ? 1 : a.from > b.from ? -1 : Number(b.place) - Number(a.place),
    );
    const place = found[0]?.place;
    if (place === undefined) return undefined;
    const point = equipment.startsWith('C:')
      ? this.#deliveryPoints.get(place)
      : { pdk: place, commune: this.#substations.get(place) };
    if (point === undefined || !this.#substations.has(point.pdk) || point.commune === undefined) return undefined;
    const commune = this.#communes.get(point.commune);
    return commune === undefined ? undefined : { commune: point.commune, pdk: point.pdk, ...commune };
  }

  #install(equipment: string, place: string, row: Readonly<Record<string, string>>): void {
    const all = this.#installations.get(equipment) ?? [];
    all.push({ place, from: row['date_deb']!, to: row['date_fin'] || '99999999' });
    this.#installations.set(equipment, all);
  }
}

/** Rows of a CSV text by column. */
function rowsOf(text: string): Record<string, string>[] {
  const [header, ...lines] = text.split('\n').filter((line) => line !== '');
  const columns = cells(header!);
  return lines.map((line) => {
    const values = cells(line);
    return Object.fromEntries(columns.map((column, i) => [column, values[i]!]));
  });
}

function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
  );
}
