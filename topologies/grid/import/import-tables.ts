/** What a column holds. An id and a code must be there in every row; a code keeps its leading zeros, so it is text in the database; a date may be absent only if `open`. */
export type ColumnKind = 'id' | 'code' | 'date' | 'text';

/** A column of a table of the park. */
export interface ImportColumn {
  /** Its name in the park's files, and by default in the database. */
  readonly name: string;
  /** Other names under which databases have it. */
  readonly also?: readonly string[];
  readonly kind: ColumnKind;
  /** May be empty: an installation without an end. */
  readonly open?: true;
  /** May be missing in the database: nothing is counted by it. */
  readonly optional?: true;
}

/** Names of the nine tables of the park, which are those of its files. */
export type TableName =
  | 'region'
  | 'departements'
  | 'communes'
  | 'pdk'
  | 'pdc'
  | 'compteurs'
  | 'installation_c'
  | 'concentrateurs'
  | 'installation_k';

/** A table of the park. */
export interface ImportTable {
  readonly name: TableName;
  /** In the order in which its rows are handed over. */
  readonly columns: readonly ImportColumn[];
}

const id = (name: string, ...also: string[]): ImportColumn => ({ name, also, kind: 'id' });
const code = (name: string, ...also: string[]): ImportColumn => ({ name, also, kind: 'code' });
const label = (name: string): ImportColumn => ({ name, kind: 'text', optional: true });
const commune: ImportColumn = code('code_insee_commune', 'code_insee');
// The first spelling is that of the park's files.
const concentrator: readonly string[] = ['id_consentrateur', 'id_concentrateurs', 'id_concentrateur'];
const since: ImportColumn = { name: 'date_deb', kind: 'date' };
const until: ImportColumn = { name: 'date_fin', kind: 'date', open: true };

/** The nine tables, each after those that it refers to. */
export const importTables: readonly ImportTable[] = [
  { name: 'region', columns: [id('id_region'), label('libelle_region')] },
  { name: 'departements', columns: [code('id_departement'), id('id_region'), label('libelle_departement')] },
  {
    name: 'communes',
    columns: [
      code('Code INSEE', 'code_insee', 'code_insee_commune'),
      code('id_departement'),
      id('id_region'),
      label('libelle_commune'),
    ],
  },
  { name: 'pdk', columns: [id('id_pdk'), commune] },
  { name: 'pdc', columns: [id('id_pdc'), id('id_pdk'), commune] },
  { name: 'compteurs', columns: [id('id_compteur'), label('constructeur_id')] },
  { name: 'installation_c', columns: [id('id_compteur'), id('id_pdc'), since, until] },
  { name: 'concentrateurs', columns: [id(concentrator[0]!, ...concentrator), label('constructeur_id')] },
  { name: 'installation_k', columns: [id('id_concentrateurs', ...concentrator), id('id_pdk'), since, until] },
];
