import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DateTime } from 'luxon';

type Row = Readonly<Record<string, string>>;

/** An event, as far as it is counted. */
export interface NaiveEvent {
  /** 'YYYY-MM-DD'. */
  readonly date: string;
  readonly type: string;
  readonly equipmentType: string;
  readonly equipment: string;
}

/** The rows of a CSV text. */
export function rowsOf(text: Buffer | string): Row[] {
  return parse(text, { columns: true, bom: true });
}

/** The events of all files of a folder, columns as in the golden files. `clean` takes out of a file what is not to be counted. */
export function* readEvents(folder: string, clean: (file: string, bytes: Buffer) => Buffer): Iterable<NaiveEvent> {
  for (const file of readdirSync(folder).sort()) {
    const rows: string[][] = parse(clean(file, readFileSync(join(folder, file))), { from: 2 });
    for (const [, occurred, , type, equipmentType, equipment] of rows) {
      yield { date: occurred!.slice(0, 10), type: type!, equipmentType: equipmentType!, equipment: equipment! };
    }
  }
}

const unknown = { commune: 'unknown', departement: 'unknown', pdk: 'unknown', region: 'unknown' };

/** The rules of the park, as plain as they can be said: a search through all rows for each question. Answers are remembered. */
export class NaivePark {
  readonly #tables: Record<string, Row[]> = {};
  readonly #answers = new Map<string, typeof unknown>();

  constructor(folder: string) {
    for (const name of ['installation_c', 'installation_k', 'pdc', 'pdk', 'communes']) {
      this.#tables[name] = rowsOf(readFileSync(join(folder, `${name}.csv`)));
    }
  }

  /** Place of an equipment ('C' or 'K', id) on a date 'YYYY-MM-DD'. */
  placeOn(type: string, id: string, date: string): typeof unknown {
    const key = `${type}:${id} ${date}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#search(type, id, date.replaceAll('-', ''));
      this.#answers.set(key, answer);
    }
    return answer;
  }

  #search(type: string, id: string, day: string): typeof unknown {
    const [table, equipment, place] =
      type === 'C' ? ['installation_c', 'id_compteur', 'id_pdc'] : ['installation_k', 'id_concentrateurs', 'id_pdk'];
    const held = this.#tables[table!]!.filter(
      (row) => row[equipment!] === id && row.date_deb! <= day && (row.date_fin === '' || day <= row.date_fin!),
    );
    held.sort((a, b) => Number(b.date_deb) - Number(a.date_deb) || Number(b[place!]) - Number(a[place!]));
    const at = held[0]?.[place!];
    const pdc = type === 'C' ? this.#find('pdc', 'id_pdc', at) : undefined;
    const pdk = this.#find('pdk', 'id_pdk', type === 'C' ? pdc?.id_pdk : at);
    if (pdk === undefined) return unknown;
    const commune = this.#find('communes', 'Code INSEE', (pdc ?? pdk).code_insee_commune);
    if (commune === undefined) return unknown;
    return {
      commune: commune['Code INSEE']!,
      departement: commune.id_departement!,
      pdk: pdk.id_pdk!,
      region: commune.id_region!,
    };
  }

  #find(table: string, column: string, value: string | undefined): Row | undefined {
    return this.#tables[table]!.find((row) => row[column] === value);
  }
}

const periods = ['day', 'week', 'month', 'year'] as const;
const headers: Readonly<Record<string, string>> = {
  type: '',
  equipment: 'type_equipement,id_equipement,',
  commune: 'commune,',
  departement: 'departement,',
  pdk: 'pdk,',
  region: 'region,',
};

/** The 24 statistics as texts of their files, by name. */
export function naiveStatistics(events: Iterable<NaiveEvent>, park: NaivePark): Map<string, string> {
  const alike = new Map<string, number>();
  for (const { date, type, equipmentType, equipment } of events) {
    const key = `${date},${type},${equipmentType},${equipment}`;
    alike.set(key, (alike.get(key) ?? 0) + 1);
  }
  const counts = new Map<string, Map<string, number>>();
  for (const [key, n] of alike) {
    const [date, type, equipmentType, equipment] = key.split(',');
    const groups: Record<string, string> = { type: '', equipment: `${equipmentType},${equipment},` };
    const place = park.placeOn(equipmentType!, equipment!, date!);
    for (const [level, id] of Object.entries(place)) groups[level] = `${id},`;
    for (const period of periods) {
      const start = startOf(period, date!);
      for (const [grouping, group] of Object.entries(groups)) {
        add(counts, `${period}_${grouping}.csv`, `${start},${group}${type}`, n);
      }
    }
  }
  const files = new Map<string, string>();
  for (const [file, rows] of counts) {
    const header = `window_start,${headers[file.slice(file.indexOf('_') + 1, -4)]}type_evt,n`;
    const lines = [...rows].map(([key, n]) => [...key.split(','), `${n}`]).sort(compareFields);
    files.set(file, `${[header, ...lines].join('\n')}\n`);
  }
  return files;
}

const starts = new Map<string, string>();

/** First day of the period that holds a date. Luxon is slow, and a set has few dates. */
function startOf(period: (typeof periods)[number], date: string): string {
  const key = `${period} ${date}`;
  let start = starts.get(key);
  if (start === undefined) {
    start = DateTime.fromISO(date, { zone: 'utc' }).startOf(period).toISODate()!;
    starts.set(key, start);
  }
  return start;
}

function add(counts: Map<string, Map<string, number>>, file: string, key: string, n: number): void {
  let rows = counts.get(file);
  if (rows === undefined) {
    rows = new Map();
    counts.set(file, rows);
  }
  rows.set(key, (rows.get(key) ?? 0) + n);
}

function compareFields(left: readonly string[], right: readonly string[]): number {
  for (let i = 0; i < left.length; i++) {
    if (left[i]! !== right[i]!) return left[i]! < right[i]! ? -1 : 1;
  }
  return 0;
}
