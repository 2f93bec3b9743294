import type { RecountPark } from './recount-park.ts';

const groupings = ['type', 'equipment', 'commune', 'departement', 'pdk', 'region'] as const;
const periods = ['day', 'week', 'month', 'year'] as const;

const headers: Readonly<Record<(typeof groupings)[number], string>> = {
  type: 'window_start,type_evt,n',
  equipment: 'window_start,type_equipement,id_equipement,type_evt,n',
  commune: 'window_start,commune,type_evt,n',
  departement: 'window_start,departement,type_evt,n',
  pdk: 'window_start,pdk,type_evt,n',
  region: 'window_start,region,type_evt,n',
};

/** The 24 statistics by file name. */
export type Files = Readonly<Record<string, string>>;

/** Counts rows of event files into the 24 statistics, in the plainest way, with nothing of the program under test. */
export class Recount {
  readonly #park: RecountPark;
  /** By file name, then by the columns before `n`. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #windows = new Map<string, readonly string[]>();
  readonly #groups = new Map<string, readonly string[]>();
  rows = 0;

  constructor(park: RecountPark) {
    this.#park = park;
    for (const period of periods)
      for (const grouping of groupings) this.#counts.set(`${period}_${grouping}.csv`, new Map());
  }

  /** Counts all rows of an event file. */
  addFile(text: string): void {
    const [header, ...lines] = text.split('\n');
    if (header !== 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div')
      throw new Error(`an event file with other columns: ${header}`);
    for (const line of lines) if (line !== '') this.add(line);
  }

  /** Counts a row: seven cells in the order of the event files. */
  add(line: string): void {
    const [, occurred, , event, type, id] = line.split(',');
    const date = occurred!.slice(0, 10);
    const starts = this.#startsOf(date);
    const groups = this.#groupsOf(`${type}:${id}`, date);
    for (const [p, period] of periods.entries())
      for (const [g, grouping] of groupings.entries()) {
        const counts = this.#counts.get(`${period}_${grouping}.csv`)!;
        const columns = `${starts[p]},${groups[g]}${event}`;
        counts.set(columns, (counts.get(columns) ?? 0) + 1);
      }
    this.rows++;
  }

  /** The files as they must be: sorted by their columns as text. */
  files(): Files {
    const files: Record<string, string> = {};
    for (const [name, counts] of this.#counts) {
      const header = headers[name.slice(name.indexOf('_') + 1, -'.csv'.length) as keyof typeof headers];
      const rows = [...counts].map(([columns, n]) => ({ cells: columns.split(','), n }));
      rows.sort((a, b) => compareCells(a.cells, b.cells));
      files[name] = [header, ...rows.map(({ cells, n }) => `${cells.join(',')},${n}`), ''].join('\n');
    }
    return files;
  }

  #startsOf(date: string): readonly string[] {
    let starts = this.#windows.get(date);
    if (starts === undefined) {
      const noon = Date.parse(`${date}T12:00:00Z`);
      const sinceMonday = (new Date(noon).getUTCDay() + 6) % 7;
      const monday = new Date(noon - sinceMonday * 86_400_000).toISOString().slice(0, 10);
      starts = [date, monday, `${date.slice(0, 7)}-01`, `${date.slice(0, 4)}-01-01`];
      this.#windows.set(date, starts);
    }
    return starts;
  }

  #groupsOf(equipment: string, date: string): readonly string[] {
    const key = `${equipment} ${date}`;
    let groups = this.#groups.get(key);
    if (groups === undefined) {
      const place = this.#park.placeOf(equipment, date);
      const of = (name: 'commune' | 'departement' | 'pdk' | 'region'): string => `${place?.[name] ?? 'unknown'},`;
      groups = ['', `${equipment.replace(':', ',')},`, of('commune'), of('departement'), of('pdk'), of('region')];
      this.#groups.set(key, groups);
    }
    return groups;
  }
}

function compareCells(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}

/** What differs between two sets of statistics, a few rows of each file; '' for nothing. */
export function differences(actual: Files, expected: Files): string {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    if (actual[name] === expected[name]) continue;
    const [is, should] = [countsOf(actual[name] ?? ''), countsOf(expected[name] ?? '')];
    const rows = [...new Set([...should.keys(), ...is.keys()])].filter((row) => is.get(row) !== should.get(row));
    const shown = rows
      .slice(0, 3)
      .map((row) => `${row}: ${is.get(row) ?? 'nothing'} in place of ${should.get(row) ?? 'nothing'}`);
    found.push(`${name}: ${rows.length} rows (${shown.join('; ') || 'their order'})`);
  }
  return found.join('\n');
}

/** The counts of a file by the columns before them. */
export function countsOf(text: string): ReadonlyMap<string, number> {
  const rows = text.split('\n').slice(1, -1);
  return new Map(rows.map((row) => [row.slice(0, row.lastIndexOf(',')), Number(row.slice(row.lastIndexOf(',') + 1))]));
}
