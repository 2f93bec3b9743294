import { createReadStream, existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { layoutOf, splitLine } from './csv-header.ts';
import { openContent } from './known-file.ts';
import { maxRowBytes } from './scan-outcome.ts';

/** What is to be repaired, and where to. */
export interface RepairOptions {
  /** A file of dead letters. */
  readonly deadFile: string;
  /** Where the CSV files go; made if absent. */
  readonly outDir: string;
  /** The header line for rows of files whose own header is not known or does not serve. */
  readonly header: string;
  /** Folders where the original files may be: a file's rows get its own header, whose columns may stand in another order. @defaultValue none */
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
  /** Dead header lines: no rows, so they were left out. */
  readonly headers: number;
}

interface Letter {
  readonly file: string;
  readonly line: number;
  readonly raw: string;
}

interface Output {
  readonly path: string;
  rows: number;
  parts: Buffer[];
}

const lineFeed = Buffer.from('\n');
/** Rows held before they are written. */
const heldBytes = 1 << 22;

/**
 * Writes the rows of dead letters as CSV, one file per original file, to be mended and replayed as new files.
 *
 * Rows of `day1.csv` go to `day1-repaired-1.csv`, or to the first such number that is free: no file is overwritten. Every letter of the file is written each
 * time, so repair once what is to be replayed. A row that was too long is there with its first bytes only.
 *
 * @throws StreamsError STREAMS_INPUT_REFUSED - a line is no letter.
 */
export async function repairDeadLetters(options: RepairOptions): Promise<RepairResult> {
  await mkdir(options.outDir, { recursive: true });
  const outputs = new Map<string, Output>();
  let held = 0;
  let rows = 0;
  let headers = 0;
  for await (const { file, line, raw } of lettersOf(options.deadFile)) {
    if (line === 1) {
      headers++;
      continue;
    }
    let output = outputs.get(file);
    if (output === undefined) {
      output = await createOutput(options, file);
      outputs.set(file, output);
    }
    const row = Buffer.from(raw, 'base64');
    output.parts.push(row, lineFeed);
    output.rows++;
    rows++;
    held += row.length + 1;
    if (held < heldBytes) continue;
    held = 0;
    await writeAll(outputs.values());
  }
  await writeAll(outputs.values());
  const files = [...outputs].map(([original, output]) => ({ original, path: output.path, rows: output.rows }));
  return { files, rows, headers };
}

async function writeAll(outputs: Iterable<Output>): Promise<void> {
  for (const output of outputs) {
    if (output.parts.length === 0) continue;
    await appendFile(output.path, Buffer.concat(output.parts));
    output.parts = [];
  }
}

async function createOutput(options: RepairOptions, file: string): Promise<Output> {
  // A letter names a base name; nothing else may lead out of the folder.
  const stem = basename(file, '.csv').replace(/-repaired-\d+$/, '');
  const header = await headerFor(options, file);
  for (let number = 1; ; number++) {
    const path = join(options.outDir, `${stem}-repaired-${number}.csv`);
    if (existsSync(`${path}.gz`)) continue;
    try {
      await writeFile(path, `${header}\n`, { flag: 'wx' });
      return { path, rows: 0, parts: [] };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new StreamsError('STREAMS_FILE', `${path} cannot be written: ${messageOf(error)}`, {
        file: path,
        cause: error,
      });
    }
  }
}

/** The header of the original file if that is there and has the same columns, else the one given. */
async function headerFor({ header, originals = [] }: RepairOptions, file: string): Promise<string> {
  const columns = namesIn(header) ?? [];
  for (const directory of originals) {
    for (const gzip of [false, true]) {
      const own = await firstLine(join(directory, gzip ? `${basename(file)}.gz` : basename(file)), gzip);
      const names = own === undefined ? undefined : namesIn(own);
      if (own !== undefined && names !== undefined && layoutOf(names, columns) !== undefined) return own;
    }
  }
  return header;
}

function namesIn(header: string): string[] | undefined {
  const bytes = Buffer.from(header);
  return splitLine(bytes, 0, bytes.length);
}

async function firstLine(path: string, gzip: boolean): Promise<string | undefined> {
  const source = await openContent({ name: path, path, gzip }, 0, 0);
  if (source === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(maxRowBytes);
    const text = bytes.toString('utf8', 0, await source.read(bytes, 0, bytes.length));
    return text.replace(/^\ufeff?(\r?\n)*/, '').split(/\r?\n/, 1)[0];
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
    throw StreamsError.from(error, 'STREAMS_FILE', `${path} cannot be read: ${messageOf(error)}`, { file: path });
  }
}

function letterOf(path: string, line: number, json: string): Letter {
  let letter: Partial<Letter> | null = null;
  try {
    letter = JSON.parse(json) as Partial<Letter> | null;
  } catch {
    // Told below.
  }
  const { file, line: originalLine, raw } = letter ?? {};
  if (typeof file === 'string' && typeof originalLine === 'number' && typeof raw === 'string') {
    return { file, line: originalLine, raw };
  }
  throw new StreamsError('STREAMS_INPUT_REFUSED', `${path}:${line} is no letter: ${json.slice(0, 60)}`, {
    file: path,
    line,
  });
}
