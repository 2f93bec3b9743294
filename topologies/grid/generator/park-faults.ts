import type { TableName } from '../import/import-tables.ts';
import { CivilWalk } from './civil-walk.ts';
import type { MadePark } from './made-park.ts';

/** Faults that a park can be made with: each is one that an import must find. */
export const faultNames = [
  'twice',
  'empty-key',
  'lost-region',
  'lost-departement',
  'lost-commune',
  'lost-substation',
  'lost-meter',
  'lost-point',
  'lost-concentrator',
  'bad-date',
  'ends-first',
  'overlap',
] as const;
/** One of {@link faultNames}. */
export type FaultName = (typeof faultNames)[number];

/** A row of a table, and what an import must say of it; undefined: it is sound. */
export interface FaultRow {
  readonly table: TableName;
  /** In the columns of the park's file. */
  readonly cells: readonly string[];
  readonly fault?: { readonly key: string; readonly what: string };
}

const nowhereCommune = '00000';

/**
 * The rows that make named faults in a sound park. No equipment that sends, and no place where one is, is touched, so the statistics stay what they are; each fault is one row, with what the
 * import's list must say of it.
 */
export function faultRows(names: readonly FaultName[], park: MadePark, installedDay: number): readonly FaultRow[] {
  const makers = new FaultMakers(park, installedDay);
  return names.flatMap((name) => makers.rows(name));
}

class FaultMakers {
  readonly #park: MadePark;
  readonly #from: CivilWalk;
  #meter: number;
  #point: number;

  constructor(park: MadePark, installedDay: number) {
    this.#park = park;
    this.#from = new CivilWalk(installedDay);
    this.#meter = park.meters.count;
    this.#point = park.deliveryPoints.pdk.length;
  }

  rows(name: FaultName): readonly FaultRow[] {
    const { country, concentrators, spots } = this.#park;
    const { compact, text } = this.#from;
    const [spot, region] = [spots[0]!, country.regions[0]!.id];
    switch (name) {
      case 'twice':
        return [faulty('compteurs', ['1', '1'], 'id_compteur=1', 'the key is there twice')];
      case 'empty-key':
        return [faulty('compteurs', ['', '1'], 'id_compteur=', 'id_compteur is empty')];
      case 'lost-region':
        return [commune('00001', '00', '99', 'id_region 99 is not in region')];
      case 'lost-departement':
        return [commune('00002', '00', region, `id_departement 00 with id_region ${region} is not in departements`)];
      case 'lost-commune': {
        const pdc = this.#newPoint();
        const what = `code_insee_commune ${nowhereCommune} is not in communes`;
        return [faulty('pdc', [pdc, String(spot.pdk), nowhereCommune], `id_pdc=${pdc}`, what)];
      }
      case 'lost-substation': {
        const [pdc, pdk] = [this.#newPoint(), String(this.#park.substations.length + 1)];
        return [faulty('pdc', [pdc, pdk, spot.commune.code], `id_pdc=${pdc}`, `id_pdk ${pdk} is not in pdk`)];
      }
      case 'lost-meter': {
        const meter = this.#newMeter();
        return [installation(meter, '1', compact, '', `id_compteur ${meter} is not in compteurs`)];
      }
      case 'lost-point': {
        const [meter, pdc] = [this.#newMeter(), this.#newPoint()];
        return [known(meter), installation(meter, pdc, compact, '', `id_pdc ${pdc} is not in pdc`)];
      }
      case 'lost-concentrator': {
        const id = String(concentrators.count + 1);
        const key = `id_concentrateurs=${id} id_pdk=1 date_deb=${compact}`;
        return [
          faulty('installation_k', ['1', id, compact, ''], key, `id_concentrateurs ${id} is not in concentrateurs`),
        ];
      }
      case 'bad-date': {
        const meter = this.#newMeter();
        return [known(meter), installation(meter, '1', '20170230', '', 'date_deb 20170230 is not a day')];
      }
      case 'ends-first': {
        const [meter, before] = [this.#newMeter(), new CivilWalk(this.#from.day - 1)];
        const what = `it ends on ${before.text}, before it begins on ${text}`;
        return [known(meter), installation(meter, '1', compact, before.compact, what)];
      }
      case 'overlap': {
        const [meter, later] = [this.#newMeter(), new CivilWalk(this.#from.day + 10).compact];
        const what = `it overlaps the one at id_pdc=1, which begins on ${text} and has no end`;
        return [
          known(meter),
          { table: 'installation_c', cells: ['1', meter, compact, ''] },
          installation(meter, '2', later, '', what),
        ];
      }
    }
  }

  #newMeter(): string {
    return String(++this.#meter);
  }

  #newPoint(): string {
    return String(++this.#point);
  }
}

function known(meter: string): FaultRow {
  return { table: 'compteurs', cells: [meter, '1'] };
}

function faulty(table: TableName, cells: readonly string[], key: string, what: string): FaultRow {
  return { table, cells, fault: { key, what } };
}

function commune(code: string, departement: string, region: string, what: string): FaultRow {
  return faulty('communes', [String(Number(code)), departement, region, code, 'NOWHERE'], `Code INSEE=${code}`, what);
}

function installation(meter: string, pdc: string, first: string, last: string, what: string): FaultRow {
  const key = `id_compteur=${meter} id_pdc=${pdc} date_deb=${first}`;
  return faulty('installation_c', [pdc, meter, first, last], key, what);
}
