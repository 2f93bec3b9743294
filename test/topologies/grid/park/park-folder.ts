import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Rows of a small park's files below their headers; what is not given is as here. */
export interface ParkFiles {
  readonly communes?: readonly string[];
  readonly compteurs?: readonly string[];
  readonly concentrateurs?: readonly string[];
  readonly departements?: readonly string[];
  readonly installation_c?: readonly string[];
  readonly installation_k?: readonly string[];
  readonly pdc?: readonly string[];
  readonly pdk?: readonly string[];
  readonly region?: readonly string[];
}

const headers: Readonly<Record<keyof ParkFiles, string>> = {
  communes: 'id_commune,id_departement,id_region,Code INSEE,libelle_commune',
  compteurs: 'id_compteur,constructeur_id',
  concentrateurs: 'id_consentrateur,constructeur_id',
  departements: 'id_departement,id_region,libelle_departement',
  installation_c: 'id_pdc,id_compteur,date_deb,date_fin',
  installation_k: 'id_pdk,id_concentrateurs,date_deb,date_fin',
  pdc: 'id_pdc,id_pdk,code_insee_commune',
  pdk: 'id_pdk,code_insee_commune',
  region: 'id_region,libelle_region',
};

/** Two substations, delivery points 1, 2 and 10 on the first and 3 on the second; nothing is installed. */
const usual: Readonly<Record<keyof ParkFiles, readonly string[]>> = {
  communes: ['26,01,4,01026,NEAR', '27,01,4,01027,FAR', '5,97,23,97105,ISLE'],
  compteurs: ['8,2', '9,3'],
  concentrateurs: ['1,4'],
  departements: ['97,22,OTHER', '97,23,ISLES', '01,4,AIN'],
  installation_c: [],
  installation_k: [],
  pdc: ['1,1,01026', '2,1,01027', '10,1,97105', '3,2,01027'],
  pdk: ['1,01026', '2,97105'],
  region: ['4,RHONE', '23,OVERSEAS'],
};

/** Writes a park into a new folder, which is removed after the test. */
export function parkFolder(t: ExecutionContext, files: ParkFiles = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-park-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  for (const name of Object.keys(headers) as (keyof ParkFiles)[]) {
    writeFileSync(join(folder, `${name}.csv`), `${[headers[name], ...(files[name] ?? usual[name])].join('\n')}\n`);
  }
  return folder;
}
