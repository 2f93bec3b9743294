import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, open, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { folderReason, messageOf, StreamsError } from '../common/errors.ts';
import { makeFolder } from '../common/make-folder.ts';
import { layoutOf, splitLine } from './csv-header.ts';
import {
  type FileFormat,
  headerLinesOf,
  isNdjson,
  type Marks,
  marksOf,
  suffixesOf,
  textCodeOf,
} from './file-dialect.ts';
import type { Packing } from './folder.ts';
import { openContent } from './known-file.ts';
import { maxRowBytes } from './scan-outcome.ts';
import { encodedText, type TextCode } from './text-encoding.ts';

/** What is to be repaired, and where to. */
export interface RepairOptions {
  /** A file of dead letters. */
  readonly deadFile: string;
  /** Where the CSV files go; made if absent. */
  readonly outDir: string;
  /** How the original files are written: so are these. Rows of files whose own header is not known, or does not serve, get its columns as their header. */
  readonly format: FileFormat;
  /** Folders where the original files may be: a file's rows get its own header, whose columns may stand in another order, and what stands before it. @defaultValue none */
  readonly originals?: readonly string[];
}

/** A file written by {@link repairDeadLetters}. */
export interface RepairedFile {
  /** The file that the rows came from. */
  readonly original: string;
  readonly path: string;
  readonly rows: number;
}

/** What {@link repairDeadLetters} wrote. */
export interface RepairResult {
  readonly files: readonly RepairedFile[];
  readonly rows: number;
  /** Rows that an earlier repair wrote, and that were left out. */
  readonly known: number;
  /** Dead header lines: no rows, so they were left out. */
  readonly headers: number;
  /** Letters of one record of a row that is several: they were left out, since the row would count the others again. */
  readonly partial: number;
}

interface Letter {
  readonly file: string;
  readonly line: number;
  readonly raw: string;
  readonly record?: number;
}

/** The letters of one original file. */
interface Output {
  /** What the names of its files begin with. */
  readonly stem: string;
  /** What they end with. */
  readonly suffix: string;
  /** Letters that are written already: its first ones. */
  readonly known: number;
  /** Where it is written, until it is whole. */
  readonly unfinished: string;
  /** What stands before the rows. */
  readonly head: string;
  readonly code: TextCode | undefined;
  letters: number;
  begun: boolean;
  parts: Buffer[];
}

const lineFeed = Buffer.from('\n');
/** What the names of packed files end with besides. */
const packings: readonly (readonly [Packing, string])[] = [
  [false, ''],
  [true, '.gz'],
  ['zstd', '.zst'],
];
/** Rows held before they are written. */
const heldBytes = 1 << 22;

/**
 * Writes the rows of dead letters as CSV, one file per original file, to be mended and replayed as new files.
 *
 * Rows of `day1.csv` go to `day1-repaired-3f9c1a07-1-25.csv`: by what its first letter is, and which of its letters the file holds, here the first 25. A letter that stands in such
 * a file, in the folder or among the originals, is not written again; so a repair of a file of letters that has grown writes what is new. A file has its
 * name only when it is whole and on the disk. A row that was too long is there with its first bytes only.
 *
 * @throws StreamsError STREAMS_INPUT_REFUSED - a line is no letter.
 */
export async function repairDeadLetters(options: RepairOptions): Promise<RepairResult> {
  await makeFolder(options.outDir).catch((error: unknown) => {
    const message = `the folder ${options.outDir} cannot be made: ${folderReason(error)}. Give another one with --out.`;
    throw StreamsError.from(error, 'STREAMS_FILE', message, { file: options.outDir });
  });
  const outputs = new Map<string, Output>();
  let held = 0;
  let known = 0;
  let headers = 0;
  let partial = 0;
  const headerLines = headerLinesOf(options.format.dialect);
  for await (const letter of lettersOf(options.deadFile)) {
    if (letter.line <= headerLines) {
      headers++;
      continue;
    }
    if (letter.record !== undefined) {
      partial++;
      continue;
    }
    let output = outputs.get(letter.file);
    if (output === undefined) {
      output = await outputOf(options, letter);
      outputs.set(letter.file, output);
    }
    output.letters++;
    if (output.letters <= output.known) {
      known++;
      continue;
    }
    const row = Buffer.from(letter.raw, 'base64');
    output.parts.push(row, lineFeed);
    held += row.length + 1;
    if (held < heldBytes) continue;
    held = 0;
    for (const each of outputs.values()) await write(each);
  }
  const files: RepairedFile[] = [];
  for (const [original, output] of outputs) {
    await write(output);
    if (!output.begun) continue;
    files.push({ original, path: await finish(options.outDir, output), rows: output.letters - output.known });
  }
  return { files, rows: files.reduce((sum, { rows }) => sum + rows, 0), known, headers, partial };
}

async function outputOf(options: RepairOptions, first: Letter): Promise<Output> {
  // What is written stands in the folder itself; nothing in a name may lead out of it.
  const suffix = suffixOf(first.file, options.format);
  const original = basename(first.file)
    .slice(0, -suffix.length)
    .replace(/-repaired-(?:[0-9a-f]{8}-\d+-)?\d+$/, '');
  const tag = hash('sha256', JSON.stringify([first.file, first.line, first.raw]), 'hex').slice(0, 8);
  const stem = `${original}-repaired-${tag}-`;
  return {
    stem,
    suffix,
    known: await writtenBefore([options.outDir, ...(options.originals ?? [])], stem),
    // Not a name that is read as one of a file of rows.
    unfinished: join(options.outDir, `.${stem}unfinished`),
    head: await headFor(options, first.file),
    code: textCodeOf(options.format.dialect),
    letters: 0,
    begun: false,
    parts: [],
  };
}

/** The end of a file's name that says that it is read. */
function suffixOf(file: string, format: FileFormat): string {
  const suffixes = suffixesOf(format);
  const suffix = suffixes.find((one) => file.toLowerCase().endsWith(one.toLowerCase()));
  return suffix === undefined ? suffixes[0]! : file.slice(-suffix.length);
}

/** How many letters earlier repairs wrote to files of these names. */
async function writtenBefore(directories: readonly string[], stem: string): Promise<number> {
  let last = 0;
  for (const directory of directories)
    for (const name of await readdir(directory).catch(() => [])) {
      if (!name.startsWith(stem)) continue;
      const to = /^\d+-(\d+)\.[^/]*$/.exec(name.slice(stem.length))?.[1];
      last = Math.max(last, Number(to ?? 0));
    }
  return last;
}

async function write(output: Output): Promise<void> {
  if (output.parts.length === 0) return;
  const { unfinished, head, code, begun, parts } = output;
  const rows = Buffer.concat(begun ? parts : [Buffer.from(head), ...parts]);
  const bytes = code === undefined ? rows : encodedText(rows.toString(), code);
  try {
    if (begun) await appendFile(unfinished, bytes);
    else await writeFile(unfinished, bytes);
  } catch (error) {
    throw notWritten(unfinished, error);
  }
  output.begun = true;
  output.parts = [];
}

async function finish(directory: string, { stem, suffix, known, letters, unfinished }: Output): Promise<string> {
  const path = join(directory, `${stem}${known + 1}-${letters}${suffix}`);
  try {
    const handle = await open(unfinished, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    throw notWritten(path, error);
  }
  return path;
}

function notWritten(path: string, error: unknown): StreamsError {
  return new StreamsError('STREAMS_FILE', `${path} cannot be written: ${messageOf(error)}`, {
    file: path,
    cause: error,
  });
}

/** What stands before the rows of the original file, if that is there and has the same columns; else as much, made up. */
async function headFor({ format, originals = [] }: RepairOptions, file: string): Promise<string> {
  const { columns, dialect } = format;
  if (isNdjson(dialect)) return '';
  const marks = marksOf(dialect);
  for (const directory of originals) {
    for (const [gzip, end] of packings) {
      const name = file.split('/').includes('..') ? basename(file) : file;
      const head = await headOf(join(directory, name + end), gzip, format);
      if (head === undefined) continue;
      const header = Buffer.from(head.at(-1) ?? '');
      const names = dialect?.names ?? splitLine(header, 0, header.length, marks);
      if (names !== undefined && layoutOf(names, columns) !== undefined) return linesOf(head);
    }
  }
  const skipped = new Array<string>(dialect?.skipLines ?? 0).fill('');
  return linesOf(dialect?.names === undefined ? [...skipped, joined(columns, marks)] : skipped);
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** Names as a header line. */
function joined(columns: readonly string[], { separator, quote }: Marks): string {
  const [between, around] = [String.fromCharCode(separator), quote < 0 ? '' : String.fromCharCode(quote)];
  const plain = (name: string): boolean =>
    around === '' || ![between, around, '\n', '\r'].some((c) => name.includes(c));
  return columns
    .map((name) => (plain(name) ? name : around + name.replaceAll(around, around + around) + around))
    .join(between);
}

/** The lines of a file before its rows: what is skipped, and its header; undefined if there is no such file. */
async function headOf(path: string, gzip: Packing, { dialect }: FileFormat): Promise<string[] | undefined> {
  const code = textCodeOf(dialect);
  const source = await openContent({ name: path, path, gzip, ...(code && { text: code }) }, 0, 0);
  if (source === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(maxRowBytes);
    const text = bytes.toString('utf8', 0, await source.read(bytes, 0, bytes.length)).replace(/^\ufeff/, '');
    const lines = text.split(/\r?\n/, (dialect?.skipLines ?? 0) + 1000);
    const skipped = lines.splice(0, dialect?.skipLines ?? 0);
    const header = lines.find((line) => line !== '');
    return dialect?.names !== undefined || header === undefined ? skipped : [...skipped, header];
  } finally {
    await source.close();
  }
}

async function* lettersOf(path: string): AsyncGenerator<Letter> {
  let rest = '';
  let line = 0;
  try {
    for await (const text of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      // What has no line end was cut off while it was written: no commit took it.
      rest = lines.pop()!;
      for (const json of lines) yield letterOf(path, ++line, json);
    }
  } catch (error) {
    throw StreamsError.from(
      error,
      'STREAMS_FILE',
      `${path} cannot be read: ${folderReason(error)}. Give a file of letters, such as dead.jsonl in the folder of a state.`,
      { file: path },
    );
  }
}

function letterOf(path: string, line: number, json: string): Letter {
  let letter: Partial<Letter> | null = null;
  try {
    letter = JSON.parse(json) as Partial<Letter> | null;
  } catch {
    // Told below.
  }
  const { file, line: originalLine, raw, record } = letter ?? {};
  if (typeof file === 'string' && typeof originalLine === 'number' && typeof raw === 'string') {
    return { file, line: originalLine, raw, ...(record !== undefined && { record }) };
  }
  throw new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `${path}:${line} is not a letter: ${json.slice(0, 60)}. Give a file of letters, such as dead.jsonl in the folder of a state.`,
    {
      file: path,
      line,
    },
  );
}
