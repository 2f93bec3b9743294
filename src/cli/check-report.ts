import { CivilPattern } from '../common/time/civil-pattern.ts';
import { Zone } from '../common/time/zone.ts';
import type { CheckedFile, CheckedFolder } from '../files/check-folder.ts';
import { type Cell, formatTable } from './table.ts';

/** What would be read of a global table's folder. */
export interface CheckedTable {
  readonly store: string;
  readonly directory: string;
  /** `rows` undefined: nothing but the header is needed. */
  readonly files: readonly { readonly file: string; readonly rows: number | undefined }[];
  readonly keys: number;
  /** Names in the folder that the table does not have. */
  readonly leftOut: readonly string[];
  readonly refused?: string;
}

/** What was checked. */
export interface Checked {
  readonly folders: readonly CheckedFolder[];
  readonly tables: readonly CheckedTable[];
  readonly zone: string;
}

/** What would be read, as JSON: one object in a line. */
export function checkJson({ folders, tables, zone }: Checked): string {
  const civil = civilTexts(zone);
  const withTimes = folders.map((folder) => ({
    ...folder,
    files: folder.files.map((file) => ({
      ...file,
      ...(file.firstMs !== undefined && { first: civil(file.firstMs), last: civil(file.lastMs!) }),
    })),
  }));
  return `${JSON.stringify({ zone, folders: withTimes, tables })}\n`;
}

/** What would be read, for people. */
export function checkText({ folders, tables, zone }: Checked): string {
  const parts = [...folders.map((folder) => folderText(folder, zone)), ...tables.map(tableText)];
  return parts.join('\n');
}

function folderText({ topic, directory, dialect, files, leftOut, skipped }: CheckedFolder, zone: string): string {
  const head = `${topic}: ${directory}, ${dialect}, times of ${zone}\n`;
  const civil = civilTexts(zone);
  const rows = files.map((file) => fileCells(file, civil));
  const columns = ['FILE', 'KIND', { title: 'ROWS', align: 'right' }, { title: 'BAD', align: 'right' }] as const;
  const table = files.length === 0 ? 'no files\n' : formatTable([...columns, 'READ', 'FIRST', 'LAST'], rows);
  const bad = files.flatMap(({ file, bad: reasons }) =>
    reasons.map(({ reason, rows: count, lines, message }): Cell[] => {
      const more = count > lines.length ? ', ...' : '';
      return [
        file,
        reason,
        count,
        `${lines.length === 1 && more === '' ? 'line' : 'lines'} ${lines.join(', ')}${more}`,
        message,
      ];
    }),
  );
  return [
    head,
    table,
    section(
      'Refused',
      files.flatMap(({ file, refused }) => (refused === undefined ? [] : [[file, refused]])),
    ),
    section('Bad rows', bad),
    section(
      'Remarks',
      files.flatMap(({ file, remarks }) => remarks.map((remark) => [file, remark])),
    ),
    section(
      'Left out',
      leftOut.map(({ file, why }) => [file, why]),
    ),
    skipped === 0 ? '' : `Outside --from and --to: ${skipped} ${skipped === 1 ? 'row' : 'rows'}\n`,
  ].join('');
}

function fileCells(file: CheckedFile, civil: (ms: number) => string): Cell[] {
  const { firstMs, lastMs } = file;
  const read = file.refused === undefined ? (file.whole ? 'whole' : 'sample') : file.rows > 0 ? 'in part' : 'refused';
  const times = firstMs === undefined ? ['', ''] : [civil(firstMs), civil(lastMs!)];
  return [file.file, file.kind, file.rows, file.dead, read, ...times];
}

function tableText({ store, directory, files, keys, leftOut, refused }: CheckedTable): string {
  const rows = files.map(({ file, rows: count }): Cell[] => [file, count ?? 'header alone']);
  return [
    `${store}: ${directory}, ${refused === undefined ? `${keys} ${keys === 1 ? 'key' : 'keys'}` : 'refused'}\n`,
    files.length === 0 ? '' : formatTable(['FILE', { title: 'ROWS', align: 'right' }], rows),
    section('Refused', refused === undefined ? [] : [[refused]]),
    section(
      'Left out',
      leftOut.map((name) => [name, 'it is not a file of the table']),
    ),
  ].join('');
}

function section(title: string, rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const blank = rows[0]!.map(() => ({ title: '' }));
  const lines = formatTable(blank, rows).split('\n').slice(1, -1);
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function civilTexts(name: string): (ms: number) => string {
  const zone = Zone.of(name);
  const pattern = new CivilPattern('YYYY-MM-DD HH:mm:ss');
  return (ms) => pattern.format({ day: zone.dayOf(ms), msOfDay: zone.msOfDayAt(ms) });
}
