import type { DatabaseServer } from '../../test/helpers/databases.ts';

const communes = 35_000;
const metersPerSubstation = 100;
/** Ids of meters have fourteen digits, as those of delivery points in France. */
const firstMeter = 10_000_000_000_000;

/** Makes the nine tables of a park in a database `grid` of a server, filled by the server itself. */
export function makeImportTables(server: DatabaseServer, meters: number): void {
  const mysql = server.kind === 'mysql';
  const numbers = (count: number): string =>
    mysql ? `(select seq as i from seq_1_to_${count}) as n` : `generate_series(1, ${count}) as n(i)`;
  const padded = (text: string, length: number): string =>
    mysql ? `lpad(${text}, ${length}, '0')` : `lpad((${text})::text, ${length}, '0')`;
  const substations = Math.ceil(meters / metersPerSubstation);
  const commune = (of: string): string => padded(`mod(${of}, ${communes}) + 1`, 5);
  const substation = `mod(i, ${substations}) + 1`;
  const tables: readonly (readonly [name: string, columns: string, count: number, row: string])[] = [
    ['region', 'id_region int, libelle_region varchar(50)', 13, `i, concat('region ', i)`],
    [
      'departements',
      'id_departement varchar(3), id_region int, libelle_departement varchar(50)',
      100,
      `${padded('i', 2)}, mod(i, 13) + 1, concat('departement ', i)`,
    ],
    [
      'communes',
      'code_insee varchar(5), id_departement varchar(3), id_region int, libelle_commune varchar(50)',
      communes,
      `${padded('i', 5)}, ${padded('mod(i, 99) + 1', 2)}, mod(mod(i, 99) + 1, 13) + 1, concat('commune ', i)`,
    ],
    ['pdk', 'id_pdk int, code_insee_commune varchar(5)', substations, `i, ${commune('i')}`],
    [
      'pdc',
      'id_pdc int primary key, id_pdk int, code_insee_commune varchar(5)',
      meters,
      `i, ${substation}, ${commune(`(${substation})`)}`,
    ],
    ['compteurs', 'id_compteur bigint primary key, constructeur_id int', meters, `${firstMeter} + i, mod(i, 5)`],
    [
      'installation_c',
      'id_pdc int, id_compteur bigint, date_deb date, date_fin date',
      meters,
      `i, ${firstMeter} + i, '2017-01-01', null`,
    ],
    ['concentrateurs', 'id_concentrateur int, constructeur_id int', substations, 'i, mod(i, 5)'],
    [
      'installation_k',
      'id_pdk int, id_concentrateur int, date_deb date, date_fin date',
      substations,
      `i, i, '2017-01-01', null`,
    ],
  ];
  server.run('create database grid');
  for (const [name, columns, count, row] of tables) {
    const typed = mysql ? row : row.replaceAll("'2017-01-01', null", "date '2017-01-01', null::date");
    server.run(
      `create table ${name} (${columns}); insert into ${name} select ${typed} from ${numbers(count)};`,
      'grid',
    );
  }
}

/** Moves one of a hundred meters to another delivery point from 2018-01-11 on. */
export function moveMeters(server: DatabaseServer): void {
  server.run(
    `insert into installation_c select id_pdc - 1, id_compteur, date '2018-01-11', null from installation_c where mod(id_pdc, 100) = 0;
     update installation_c set date_fin = date '2018-01-10' where date_deb = date '2017-01-01' and mod(id_pdc, 100) = 0;`,
    'grid',
  );
}
