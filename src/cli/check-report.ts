import { isCivilTime } from '../common/time/civil.ts';
import { CivilPattern } from '../common/time/civil-pattern.ts';
import { Zone } from '../common/time/zone.ts';
import type { CheckedFile, CheckedFolder } from '../files/check-folder.ts';
import type { CheckedStore } from './check-stores.ts';
import { typedDuration } from './option-parsers.ts';
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
  /** What the stores of results would hold. Absent: not all of the files was read. */
  readonly stores?: readonly CheckedStore[];
  readonly zone: string;
  /** ms after its end in which a window takes late records. */
  readonly graceMs: number;
  readonly partitions: number;
}

/** What would be read, as JSON: one object in a line. Late rows are known where stores are. */
export function checkJson({ folders, tables, stores, zone, graceMs, partitions }: Checked): string {
  const civil = civilTexts(zone);
  const known = <T extends { readonly late: number }>({ late, ...others }: T): object =>
    stores === undefined ? others : { ...others, late };
  const withTimes = folders.map((folder) => ({
    ...folder,
    ...known(sumOf(folder, civil)),
    files: folder.files.map(({ lateLines, ...file }) => ({
      ...known(file),
      ...(stores && { lateLines }),
      ...timesOf(file, civil),
    })),
  }));
  return `${JSON.stringify({ zone, graceMs, partitions, folders: withTimes, tables, ...(stores && { stores }) })}\n`;
}

/** What would be read, for people. */
export function checkText(checked: Checked): string {
  const { folders, tables, stores = [] } = checked;
  const parts = [...folders.map((folder) => folderText(folder, checked)), ...tables.map(tableText)];
  // Without a table that is wanted they would be others.
  const told = checked.tables.every(({ refused }) => refused === undefined) && stores.some(({ rows }) => rows > 0);
  return [...parts, ...(told ? [storesText(stores)] : [])].join('\n');
}

/** What a folder has in all. */
interface FolderSum extends Partial<Times> {
  readonly rows: number;
  readonly dead: number;
  readonly late: number;
}

/** First and last event time, as ms and civil. */
interface Times {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly first: string;
  readonly last: string;
}

function sumOf({ files }: CheckedFolder, civil: (ms: number) => string): FolderSum {
  const sum = (name: 'rows' | 'dead' | 'late'): number => files.reduce((total, file) => total + file[name], 0);
  const firstMs = files.reduce((least, file) => Math.min(least, file.firstMs ?? Infinity), Infinity);
  const lastMs = files.reduce((most, file) => Math.max(most, file.lastMs ?? -Infinity), -Infinity);
  const counts = { rows: sum('rows'), dead: sum('dead'), late: sum('late') };
  return firstMs > lastMs ? counts : { ...counts, firstMs, lastMs, first: civil(firstMs), last: civil(lastMs) };
}

function timesOf(
  { firstMs, lastMs }: Pick<CheckedFile, 'firstMs' | 'lastMs'>,
  civil: (ms: number) => string,
): { readonly first?: string; readonly last?: string } {
  return firstMs === undefined ? {} : { first: civil(firstMs), last: civil(lastMs!) };
}

function folderText(folder: CheckedFolder, { zone, graceMs, partitions, stores }: Checked): string {
  const { topic, directory, dialect, files, leftOut, skipped, days, gaps } = folder;
  const judged = stores !== undefined;
  const grace = judged ? `, grace ${typedDuration(graceMs)}${partitions > 1 ? `, ${partitions} partitions` : ''}` : '';
  const head = `${topic}: ${directory}, ${dialect}, times of ${zone}${grace}\n`;
  const civil = civilTexts(zone);
  const rows = files.map((file) => fileCells(file, civil, judged));
  const counts = ['ROWS', 'BAD', ...(judged ? ['LATE'] : [])].map((title) => ({ title, align: 'right' }) as const);
  const table =
    files.length === 0 ? 'no files\n' : formatTable(['FILE', 'KIND', ...counts, 'READ', 'FIRST', 'LAST'], rows);
  const bad = files.flatMap(({ file, bad: reasons }) =>
    reasons.map(({ reason, rows: count, lines, message }): Cell[] => [
      file,
      reason,
      count,
      linesText(count, lines),
      message,
    ]),
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
      'Late rows',
      files.flatMap(({ file, late, lateLines }) =>
        judged && late > 0 ? [[file, late, linesText(late, lateLines)]] : [],
      ),
    ),
    judged && sumOf(folder, civil).late > 0 ? backText(folder) : '',
    section(
      'Remarks',
      files.flatMap(({ file, remarks }) => remarks.map((remark) => [file, remark])),
    ),
    section(
      'Left out',
      leftOut.map(({ file, why }) => [file, why]),
    ),
    section(
      'Days without a row',
      gaps.map(({ from, to, days: count }) => [from === to ? from : `${from} to ${to}`, countOf(count, 'day')]),
    ),
    skipped === 0 ? '' : `Outside --from and --to: ${countOf(skipped, 'row')}\n`,
    `In all: ${sumText(sumOf(folder, civil), judged)}${days === 0 ? '' : `, ${countOf(days, 'day')}`}\n`,
  ].join('');
}

/** The grace that the order of reading needs, in whole hours or minutes. */
function backText({ backMs, backIn }: CheckedFolder): string {
  const unitMs = backMs > 3_600_000 ? 3_600_000 : 60_000;
  const grace = typedDuration(Math.ceil(backMs / unitMs) * unitMs);
  return `Out of order: by up to ${grace}, in ${backIn}. With --grace ${grace} no row is late.\n`;
}

function sumText({ rows, dead, late, first, last }: FolderSum, judged: boolean): string {
  const counts = `${countOf(rows, 'row')}, ${dead} bad${judged ? `, ${late} late` : ''}`;
  return first === undefined ? counts : `${counts}, ${first} to ${last}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function linesText(count: number, lines: readonly number[]): string {
  const more = count > lines.length ? ', ...' : '';
  return `${lines.length === 1 && more === '' ? 'line' : 'lines'} ${lines.join(', ')}${more}`;
}

function storesText(stores: readonly CheckedStore[]): string {
  const windows = ({ windows: starts }: CheckedStore): Cell => starts ?? '';
  const rows = stores.map((store): Cell[] => [store.store, store.rows, windows(store), store.keys]);
  const counts = ['ROWS', 'WINDOWS', 'KEYS'].map((title) => ({ title, align: 'right' }) as const);
  return formatTable(['STORE', ...counts], rows);
}

function fileCells(file: CheckedFile, civil: (ms: number) => string, judged: boolean): Cell[] {
  const { firstMs, lastMs } = file;
  const read = file.refused === undefined ? (file.whole ? 'whole' : 'sample') : file.rows > 0 ? 'in part' : 'refused';
  const times = firstMs === undefined ? ['', ''] : [civil(firstMs), civil(lastMs!)];
  return [file.file, file.kind, file.rows, file.dead, ...(judged ? [file.late] : []), read, ...times];
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

/** A time as the zone's clocks show it; one that no calendar has as ms. */
function civilTexts(name: string): (ms: number) => string {
  const zone = Zone.of(name);
  const pattern = new CivilPattern('YYYY-MM-DD HH:mm:ss');
  return (ms) => (isCivilTime(ms) ? pattern.format({ day: zone.dayOf(ms), msOfDay: zone.msOfDayAt(ms) }) : `${ms} ms`);
}
