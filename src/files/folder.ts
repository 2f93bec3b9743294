import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { folderReason, messageOf, StreamsError } from '../common/errors.ts';
import { formatOption } from '../common/remedies.ts';
import { endsText, type FileFormat, suffixesOf, textCodeOf } from './file-dialect.ts';
import type { TextCode } from './text-encoding.ts';

/** Whether a file is packed with gzip, or with zstd. */
export type Packing = boolean | 'zstd';

/** A file of a folder that is a topic. */
export interface FolderFile {
  /** Its path in the folder, without `.gz` or `.zst`: `day1.csv` for `day1.csv` and `day1.csv.gz`; `20180101/day1.csv` in a dated folder. */
  readonly name: string;
  readonly path: string;
  readonly gzip: Packing;
  /** How its text is written, where it is not read as it stands. */
  readonly text?: TextCode;
}

/** Whether what is read of a file is not what stands on the disk, byte by byte. */
export function isCoded({ gzip, text }: FolderFile): boolean {
  return gzip !== false || text !== undefined;
}

/** What a look at a file's metadata tells. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/**
 * The files `*.csv`, `*.csv.gz` and `*.csv.zst` of a folder (or those of the format's selection) and of the dated folders in it, in any case, in the byte order of their names. Other names are ignored.
 *
 * Dated folders are those that a sink writes: days `20180101` and `date=2018-01-01`, and hours `13` and `hour=13` in them.
 *
 * @param leftOut - Called for what has such a name and cannot be read by it, and for names under which rows may be meant: `day1.txt`, `.day1.csv`.
 *
 * @throws StreamsError STREAMS_FILE - there is no such folder.
 * @throws StreamsError STREAMS_INPUT_REFUSED - a file is there in both forms.
 */
export async function listFolder(
  topic: string,
  directory: string,
  format: Pick<FileFormat, 'dialect' | 'files'>,
  leftOut: (name: string, why: string) => void = () => {},
): Promise<FolderFile[]> {
  const text = textCodeOf(format.dialect);
  const suffixes = suffixesOf(format);
  const nested = format.files?.nested === true;
  const found = await filesOf(topic, directory, '', { name: nameForm(suffixes), suffixes, nested, leftOut });
  const files = text === undefined ? found : found.map((file) => ({ ...file, text }));
  files.sort((a, b) => compareNames(a.name, b.name));
  for (let i = 1; i < files.length; i++) {
    const { name, path } = files[i]!;
    if (files[i - 1]!.name !== name) continue;
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `topic ${topic} has ${name} twice: ${files[i - 1]!.path} and ${path}. Remove one of them.`,
      { topic, file: name },
    );
  }
  return files;
}

/** The metadata of a file, or undefined if it is gone or no regular file. */
export function statFile(path: string): FileStat | undefined {
  try {
    // Synchronous: a promise costs several times as much CPU as the call, and there are thousands of files.
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? { size: stat.size, mtimeMs: stat.mtimeMs, ino: stat.ino } : undefined;
  } catch (error) {
    throw new StreamsError('STREAMS_FILE', `${path} cannot be read: ${messageOf(error)}`, { file: path, cause: error });
  }
}

/** What stands under a file's name instead of a file; undefined if nothing does. */
export function noFileThere(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return 'it is a link that leads to no file';
  if (stat.isDirectory()) return 'it is a folder';
  return stat.isFIFO() ? 'it is a pipe' : 'it is not a regular file';
}

/** How files are looked for. */
interface Search {
  /** Names of files. */
  readonly name: RegExp;
  readonly suffixes: readonly string[];
  readonly nested: boolean;
  readonly leftOut: (name: string, why: string) => void;
}

/** Names that are read. */
function nameForm(suffixes: readonly string[]): RegExp {
  const ends = suffixes.map((suffix) => suffix.replace(/[^\w\s]/g, '\\$&'));
  return new RegExp(`^[^.].*(${ends.join('|')})(\\.gz|\\.zst)?$`, 'is');
}

/** Names under which rows may be meant; not those of other things that lie about in folders, such as `_SUCCESS` and `README.md`. */
const likeRows =
  /(^\..*\.csv(\.gz|\.zst)?|^[^._].*(\.csv\.\w+|\.(csv_?|txt|tsv|dat|gz|zip|bz2|xz|zst|json|jsonl|ndjson|parquet|xlsx?)))$/is;

function likeRowsReason(name: string, suffixes: readonly string[]): string {
  if (name.startsWith('.')) return 'its name begins with a dot';
  const isJson = /\.(ndjson|jsonl)(\.\w+)?$/i.test(name);
  const isText = /\.(txt|tsv|dat)$/i.test(name);
  const hint = isJson
    ? `. Lines of JSON are read by a format with "form": "ndjson" (${formatOption})`
    : isText
      ? `. Other names are read by a format with "suffixes" (${formatOption})`
      : '';
  return `its name does not end with ${endsText(suffixes)}${hint}`;
}

const dayFolder = /^(?:\d{8}|date=\d{4}-\d\d-\d\d)$/;
const hourFolder = /^(?:\d\d|hour=\d\d)$/;

/** The files of a folder and of the dated folders in it. `within`: '' for the topic's folder, `20180101/` and `20180101/13/` below it. */
async function filesOf(topic: string, directory: string, within: string, search: Search): Promise<FolderFile[]> {
  const { name: fileName, suffixes, nested, leftOut } = search;
  const dated = [dayFolder, hourFolder][within.split('/').length - 1];
  const files: FolderFile[] = [];
  const folders: string[] = [];
  for (const found of await entriesOf(topic, directory, within)) {
    const entry = found.name;
    if (!isUtf8(entry)) {
      if (fileName.test(entry.toString('latin1'))) leftOut(within + entry.toString(), 'its name is not UTF-8');
      continue;
    }
    const name = entry.toString();
    if (fileName.test(name)) files.push(fileOf(directory, within + name));
    else if (dated?.test(name) === true) folders.push(`${within}${name}/`);
    else if (found.isDirectory() && /^[^._]/.test(name)) {
      if (nested) folders.push(`${within}${name}/`);
      else
        leftOut(
          `${within}${name}/`,
          `it is a folder, whose name is not a day or an hour (20180101, date=2018-01-01, 13, hour=13). All folders are read by a format with "nested": true (${formatOption})`,
        );
    } else if (likeRows.test(name)) leftOut(within + name, likeRowsReason(name, suffixes));
  }
  for (const folder of folders) files.push(...(await filesOf(topic, directory, folder, search)));
  return files;
}

async function entriesOf(topic: string, directory: string, within: string): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(join(directory, within), { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file of such a name, or a folder that was removed meanwhile.
    if (within !== '' && (code === 'ENOTDIR' || code === 'ENOENT')) return [];
    const absent = code === 'ENOENT';
    throw new StreamsError(
      'STREAMS_FILE',
      `the folder ${within === '' ? directory : join(directory, within)} of topic ${topic} ${absent ? 'does not exist. Make it, or name another' : `cannot be read: ${folderReason(error)}. Name a folder that can be read`}.`,
      { topic, file: directory, cause: error },
    );
  }
}

function fileOf(directory: string, entry: string): FolderFile {
  const [, name = entry, end] = /^(.*)\.(gz|zst)$/is.exec(entry) ?? [];
  const gzip = end === undefined ? false : end.toLowerCase() === 'gz' || 'zstd';
  return { name, path: join(directory, entry), gzip };
}

/** Orders names by their UTF-8 bytes, that is by code points; UTF-16 order differs where surrogates meet U+E000 to U+FFFF. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
