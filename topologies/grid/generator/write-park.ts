import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { csvField } from '../events/csv-field.ts';
import { ByteWriter } from './byte-writer.ts';
import { CivilWalk } from './civil-walk.ts';
import type { MadeEquipments } from './made-equipments.ts';
import type { MadePark } from './made-park.ts';
import type { FaultRow } from './park-faults.ts';
import type { Random } from './random.ts';

const manufacturers = 5;

/** Writes the nine CSV files of a park. Rows with faults stand at the end of their tables. */
export function writePark(park: MadePark, folder: string, random: Random, faults: readonly FaultRow[] = []): void {
  mkdirSync(folder, { recursive: true });
  const table = (name: string, header: string, rows: (out: ByteWriter) => void): void => {
    const out = new ByteWriter(join(folder, name));
    out.text(`${header}\n`);
    rows(out);
    for (const { table, cells } of faults)
      if (`${table}.csv` === name) out.bytes(Buffer.from(`${cells.map(csvField).join(',')}\n`));
    out.close();
  };
  writeCountry(park, table);
  table('pdk.csv', 'id_pdk,code_insee_commune', (out) => {
    park.substations.forEach((commune, i) => {
      out.text(`${i + 1},${commune.code}\n`);
    });
  });
  table('pdc.csv', 'id_pdc,id_pdk,code_insee_commune', (out) => {
    const { pdk, commune } = park.deliveryPoints;
    for (let i = 0; i < pdk.length; i++) out.text(`${i + 1},${pdk[i]!},${commune[i]!}\n`);
  });
  const equipments = (out: ByteWriter, count: number): void => {
    for (let id = 1; id <= count; id++) out.text(`${id},${1 + random.below(manufacturers)}\n`);
  };
  table('compteurs.csv', 'id_compteur,constructeur_id', (out) => {
    equipments(out, park.meters.count);
  });
  table('concentrateurs.csv', 'id_consentrateur,constructeur_id', (out) => {
    equipments(out, park.concentrators.count);
  });
  table('installation_c.csv', 'id_pdc,id_compteur,date_deb,date_fin', (out) => {
    writeInstallations(out, park.meters);
  });
  table('installation_k.csv', 'id_pdk,id_concentrateurs,date_deb,date_fin', (out) => {
    writeInstallations(out, park.concentrators);
  });
}

type Table = (name: string, header: string, rows: (out: ByteWriter) => void) => void;

function writeCountry(park: MadePark, table: Table): void {
  const { regions, departements, communes } = park.country;
  table('region.csv', 'id_region,libelle_region', (out) => {
    for (const { id, name } of regions) out.bytes(Buffer.from(`${id},${csvField(name)}\n`));
  });
  table('departements.csv', 'id_departement,id_region,libelle_departement', (out) => {
    for (const { id, region, name } of departements) out.bytes(Buffer.from(`${id},${region},${csvField(name)}\n`));
  });
  table('communes.csv', 'id_commune,id_departement,id_region,Code INSEE,libelle_commune', (out) => {
    for (const { code, name, departement, region } of communes) {
      out.bytes(Buffer.from(`${Number(code.slice(2))},${departement},${region},${code},${csvField(name)}\n`));
    }
  });
}

function writeInstallations(out: ByteWriter, equipments: MadeEquipments): void {
  const { installed, installedDay, ends, laterRows } = equipments;
  const dates = new Map<number, string>();
  const dateOf = (day: number): string => {
    let text = dates.get(day);
    if (text === undefined) {
      text = new CivilWalk(day).compact;
      dates.set(day, text);
    }
    return text;
  };
  const installedDate = dateOf(installedDay);
  for (let id = 1; id <= installed; id++) {
    const end = ends.get(id);
    out.text(`${id},${id},${installedDate},${end === undefined ? '' : dateOf(end)}\n`);
  }
  for (const { equipment, at, firstDay } of laterRows) out.text(`${at},${equipment},${dateOf(firstDay)},\n`);
}
