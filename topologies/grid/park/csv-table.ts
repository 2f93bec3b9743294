import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { CsvError } from 'csv-parse';
import { StreamsError } from '../../../src/common/errors.ts';
import { requirePackage } from '../../../src/common/optional-packages.ts';
import { gridNeed } from '../packages.ts';

/** Receives one row: the values of the wanted columns, in the wanted order, and the row's line in the file (the header is line 1). */
export type RowHandler = (values: readonly string[], line: number) => void;

/**
 * Above this size a file without a single quote is split by hand: csv-parse takes about 3.5 s for a million rows, splitting 0.4 s, and the
 * installations of a large park have millions. Both give the same rows; a test holds them against each other.
 */
const plainFromBytes = 4 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
const quote = 0x22;
const newline = 0x0a;
const carriageReturn = 0x0d;
/** Each of them ends a line, whatever ended the first: left to itself csv-parse takes that one alone, and the return of a CRLF for a part of the field before it. */
const lineEnds = ['\r\n', '\n', '\r'];

/** How a table is read; everything is optional. */
export interface TableOptions {
  /** From which size on a file without quotes is split by hand, bytes. @defaultValue 4 MiB */
  readonly plainFromBytes?: number;
}

/**
 * Reads one CSV file with a header, whose columns may stand in any order. Without `onRow` only the header is checked.
 *
 * A byte order mark, CRLF or CR (or some of each), empty lines and a missing last newline are no matter.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` for a file that cannot be read or is no CSV, a column that is missing or there twice, and a row with too many or too few fields.
 */
export async function readTable(
  path: string,
  columns: readonly string[],
  onRow?: RowHandler,
  options: TableOptions = {},
): Promise<void> {
  const bytes = await read(path);
  if (!isUtf8(bytes)) throw tableError(path, lineThatIsNoUtf8(bytes), 'it is not UTF-8', 'Write the file as UTF-8.');
  const pick = pickColumns(path, headerOf(path, bytes), columns);
  if (onRow === undefined) return;
  const plain = bytes.length >= (options.plainFromBytes ?? plainFromBytes) && isPlain(bytes);
  if (plain) await splitRows(path, bytes, pick, onRow);
  else parseRows(path, bytes, pick, onRow);
}

/**
 * The rows of a CSV file with a header a batch at a time, for whoever passes them on: memory does not grow with the file. Otherwise as {@link readTable}.
 *
 * @throws {@link StreamsError} `STREAMS_FILE`
 */
export async function* tableBatches(
  path: string,
  columns: readonly string[],
  rowsAtOnce: number,
): AsyncIterable<readonly (readonly string[])[]> {
  const file = createReadStream(path);
  const { parse } = requirePackage(gridNeed, 'csv-parse') as typeof import('csv-parse');
  const parser = file.pipe(parse({ bom: true, skip_empty_lines: true, record_delimiter: lineEnds }));
  file.on('error', (error) => parser.destroy(error));
  let pick: Pick | undefined;
  let batch: string[][] = [];
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (pick === undefined) {
        pick = pickColumns(path, record, columns);
        continue;
      }
      batch.push(pick.positions.map((position) => record[position]!));
      if (batch.length < rowsAtOnce) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } catch (cause) {
    if (StreamsError.is(cause)) throw cause;
    throw new StreamsError('STREAMS_FILE', `${path} cannot be read: ${(cause as Error).message}. Mend the file.`, {
      file: path,
      cause,
    });
  } finally {
    file.destroy();
  }
}

/** Whether there are neither quotes nor returns that end lines alone. */
function isPlain(bytes: Buffer): boolean {
  if (bytes.includes(quote)) return false;
  for (let at = bytes.indexOf(carriageReturn); at >= 0; at = bytes.indexOf(carriageReturn, at + 1))
    if (bytes[at + 1] !== newline) return false;
  return true;
}

function lineThatIsNoUtf8(bytes: Buffer): number {
  let line = 1;
  for (let from = 0; ; line++) {
    const end = bytes.indexOf(newline, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return line;
    from = end + 1;
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'is not there' : `cannot be read (${(cause as Error).message})`;
    const message = `park file ${path} ${what}. Give the folder that holds all nine files of the park.`;
    throw new StreamsError('STREAMS_FILE', message, { file: path, cause });
  }
}

/** The error for something wrong at one place of a park file. */
export function tableError(path: string, line: number, what: string, remedy: string): StreamsError {
  return new StreamsError('STREAMS_FILE', `${path}, line ${line}: ${what}. ${remedy}`, { file: path, line });
}

interface Pick {
  readonly positions: readonly number[];
  /** Number of fields of the header, and so of every row. */
  readonly width: number;
}

function headerOf(path: string, bytes: Buffer): readonly string[] {
  let header: readonly string[] = [];
  runParser(path, bytes, { to: 1 }, (record) => {
    header = record;
  });
  return header;
}

function pickColumns(path: string, header: readonly string[], columns: readonly string[]): Pick {
  const names = header.map((name) => name.trim());
  const positions = columns.map((column) => {
    const position = names.indexOf(column);
    if (position !== names.lastIndexOf(column))
      throw tableError(path, 1, `it has the column "${column}" twice`, `Leave one of them in ${basename(path)}.`);
    if (position >= 0) return position;
    const found = names.length === 0 ? 'the file is empty' : `its header has ${names.join(', ')}`;
    throw tableError(path, 1, `column "${column}" is missing; ${found}`, `Add it to ${basename(path)}.`);
  });
  return { positions, width: header.length };
}

function parseRows(path: string, bytes: Buffer, pick: Pick, onRow: RowHandler): void {
  runParser(path, bytes, { from: 2 }, (record, line) => {
    onRow(
      pick.positions.map((position) => record[position]!),
      line,
    );
  });
}

function runParser(
  path: string,
  bytes: Buffer,
  range: { readonly from?: number; readonly to?: number },
  onRecord: (record: string[], line: number) => void,
): void {
  try {
    // Nothing is collected: a record that becomes null is forgotten, so memory does not grow with the file.
    const { parse } = requirePackage(gridNeed, 'csv-parse/sync') as typeof import('csv-parse/sync');
    parse(bytes, {
      ...range,
      bom: true,
      skip_empty_lines: true,
      record_delimiter: lineEnds,
      on_record: (record, context) => {
        onRecord(record as string[], context.lines);
        return null;
      },
    });
  } catch (cause) {
    if (StreamsError.is(cause)) throw cause;
    const line = Number((cause as CsvError).lines ?? 1);
    const details = { file: path, line, cause };
    throw new StreamsError(
      'STREAMS_FILE',
      `${path}, line ${line}: ${(cause as Error).message}. Mend the row.`,
      details,
    );
  }
}

/** Splits a file without quotes, a piece at a time with a turn of the event loop between, so that a service stays answerable. */
async function splitRows(path: string, bytes: Buffer, pick: Pick, onRow: RowHandler): Promise<void> {
  const values: string[] = pick.positions.map(() => '');
  let line = 0;
  let headerSeen = false;
  for (let from = 0; from < bytes.length; ) {
    const to = pieceEnd(bytes, from);
    for (const text of bytes.toString('utf8', from, to).split('\n')) {
      line++;
      const row = text.endsWith('\r') ? text.slice(0, -1) : text;
      if (row === '') continue;
      if (headerSeen) {
        splitRow(path, row, line, pick, values);
        onRow(values, line);
      } else headerSeen = true;
    }
    // What stands after a piece's last newline is the next piece's first line.
    line--;
    from = to;
    await setImmediate();
  }
}

/** Where the whole lines from `from` on end, about a piece's worth. */
function pieceEnd(bytes: Buffer, from: number): number {
  if (bytes.length - from <= pieceBytes) return bytes.length;
  const end = bytes.indexOf(newline, from + pieceBytes);
  return end < 0 ? bytes.length : end + 1;
}

function splitRow(path: string, row: string, line: number, pick: Pick, values: string[]): void {
  const fields = row.split(',');
  if (fields.length !== pick.width) {
    throw tableError(path, line, `${fields.length} fields where the header has ${pick.width}`, 'Mend the row.');
  }
  for (let i = 0; i < values.length; i++) values[i] = fields[pick.positions[i]!]!;
}
