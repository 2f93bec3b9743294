import { StreamsError } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import type { FoundColumn, FoundTable, ImportSource } from './import-source.ts';
import { type ColumnKind, type ImportColumn, type ImportTable, importTables } from './import-tables.ts';
import type { MappedTable, TableMap } from './table-map.ts';

/** Where a table of the park is read from. */
export interface ResolvedTable {
  readonly table: ImportTable;
  readonly source: ImportSource;
  readonly found: FoundTable;
  /** The database's name of each of the table's columns; undefined: it does not have it. */
  readonly columns: readonly (string | undefined)[];
  /** Of each column: whether its type may give a whole number decimals, as `8.00`. */
  readonly decimals: readonly boolean[];
}

/** What the types of databases hold, in their own words. `int(11)` is given as `int`. */
const texts = [
  'char',
  'varchar',
  'text',
  'tinytext',
  'mediumtext',
  'longtext',
  'character',
  'character varying',
  'enum',
];
const decimals = ['decimal', 'numeric'];
const wholes = ['tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint', ...decimals];
const days = ['date', 'datetime', 'timestamp', 'timestamp without time zone'];
const typesOf: Readonly<Record<ColumnKind, readonly string[] | undefined>> = {
  id: [...texts, ...wholes, 'uuid'],
  code: texts,
  date: [...texts, ...wholes, ...days],
  text: undefined,
};
const remedies: Readonly<Record<Exclude<ColumnKind, 'text'>, string>> = {
  id: 'an id is a whole number or text',
  code: 'a number has lost its leading zeros (01026 is not 1026): make it CHAR or VARCHAR',
  date: 'a date is DATE, or CHAR(8) as YYYYMMDD',
};

/**
 * Finds the nine tables of the park and their columns in the databases. Names are compared without regard to case and punctuation: `Code INSEE` is `code_insee`. A table that several
 * databases have is taken from the first.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` with everything that is missing or of a wrong type.
 */
export async function resolveTables(
  sources: readonly ImportSource[],
  map: TableMap,
  logger: Logger,
): Promise<readonly ResolvedTable[]> {
  const all: Candidate[] = [];
  for (const source of sources) for (const found of await source.tables()) all.push({ source, found });
  const faults: string[] = [];
  const resolved: ResolvedTable[] = [];
  for (const table of importTables) {
    const mapped: MappedTable = map.get(table.name) ?? { columns: new Map() };
    const [first, ...others] = candidates(table, mapped, all);
    if (first === undefined) {
      const name = mapped.table ?? table.name;
      faults.push(`table ${name} is missing`);
      continue;
    }
    for (const { found } of others)
      logger.warn(
        { table: table.name, from: shown(first.found), left: shown(found) },
        'a table is in several databases: the first is read',
      );
    const columns = table.columns.map((column) => columnOf(column, mapped, first.found, faults));
    resolved.push({
      ...{ table, ...first },
      columns: columns.map((column) => column?.name),
      decimals: columns.map((column) => column !== undefined && decimals.includes(column.type)),
    });
  }
  if (faults.length > 0) throw refused(sources, faults);
  return resolved;
}

/** A table, and where it is. */
interface Candidate {
  readonly source: ImportSource;
  readonly found: FoundTable;
}

/** The table in each database that has it, in the order of these. Where one has it in several spellings, the park's own comes before others. */
function candidates(table: ImportTable, mapped: MappedTable, all: readonly Candidate[]): readonly Candidate[] {
  if (mapped.table !== undefined) return all.filter(({ found }) => [found.table, shown(found)].includes(mapped.table!));
  const named = all.filter(({ found }) => plain(found.table) === plain(table.name));
  const inOne = ({ source, found }: Candidate): readonly Candidate[] =>
    named.filter((other) => other.source === source && other.found.schema === found.schema);
  const best = (candidate: Candidate): Candidate | undefined =>
    inOne(candidate).find(({ found }) => found.table === table.name) ?? inOne(candidate)[0];
  return [...new Set(named.map((candidate) => best(candidate)!))];
}

function columnOf(
  column: ImportColumn,
  mapped: MappedTable,
  found: FoundTable,
  faults: string[],
): FoundColumn | undefined {
  const own = mapped.columns.get(column.name);
  const names = own === undefined ? [column.name, ...(column.also ?? [])] : [own];
  const match = own === undefined ? bestOf(names, found.columns) : found.columns.find(({ name }) => name === own);
  if (match === undefined) {
    if (column.optional !== true || own !== undefined) {
      const has = found.columns.map(({ name }) => name).join(', ');
      faults.push(`column ${names[0]} is missing in ${shown(found)}, which has ${has}`);
    }
    return undefined;
  }
  const { kind } = column;
  if (kind !== 'text' && typesOf[kind]?.includes(match.type) === false)
    faults.push(`column ${match.name} of ${shown(found)} is ${match.type}: ${remedies[kind]}`);
  return match;
}

function bestOf(names: readonly string[], columns: readonly FoundColumn[]): FoundColumn | undefined {
  for (const name of names) {
    const match =
      columns.find((column) => column.name === name) ?? columns.find((column) => plain(column.name) === plain(name));
    if (match !== undefined) return match;
  }
  return undefined;
}

/** `Code INSEE` and `code_insee` are `codeinsee`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function shown({ schema, table }: FoundTable): string {
  return `${schema}.${table}`;
}

function refused(sources: readonly ImportSource[], faults: readonly string[]): StreamsError {
  const where = sources.map(({ name }) => name).join(', ');
  const remedy =
    'Nothing has changed. Name the database that has it with a further --from, say with --map FILE what it is called there, or let the user read it';
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `the park cannot be read from ${where}: ${faults.join('; ')}. ${remedy}.`,
  );
}
