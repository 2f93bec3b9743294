import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import { csvField } from '../events/csv-field.ts';
import type { ImportRow } from './import-source.ts';
import type { TableName } from './import-tables.ts';
import type { TableCopies, TableCopy } from './table-copies.ts';

/**
 * Keeps tables as CSV files of a folder of the day, such as `20180131/pdc.csv`: a folder that `--park` reads. It appears whole or not at all, and no earlier one is ever touched: a second
 * one of the same day is `20180131_2`.
 */
export class CsvCopies implements TableCopies {
  readonly #directory: string;
  readonly #day: string;
  readonly #unfinished: string;
  readonly #open: Set<FileHandle> = new Set();
  #begun = false;

  /** @param day - `YYYYMMDD` */
  constructor(directory: string, day: string) {
    this.#directory = directory;
    this.#day = day;
    this.#unfinished = join(directory, `.${day}.${process.pid}.tmp`);
  }

  async open(table: TableName, columns: readonly string[]): Promise<TableCopy> {
    const file = join(this.#unfinished, `${table}.csv`);
    const handle = await this.#named(async () => {
      if (!this.#begun) await rm(this.#unfinished, { recursive: true, force: true });
      this.#begun = true;
      await mkdir(this.#unfinished, { recursive: true });
      return open(file, 'wx');
    });
    this.#open.add(handle);
    const write = (text: string): Promise<void> => this.#named(() => handle.appendFile(text));
    await write(`${columns.map(csvField).join(',')}\n`);
    return {
      append: (rows) => write(rows.map(lineOf).join('')),
      close: () =>
        this.#named(async () => {
          await handle.sync();
          this.#open.delete(handle);
          await handle.close();
        }),
    };
  }

  async commit(): Promise<string> {
    return this.#named(async () => {
      const taken = new Set(await readdir(this.#directory));
      let name = this.#day;
      for (let n = 2; taken.has(name); n++) name = `${this.#day}_${n}`;
      await syncFolder(this.#unfinished);
      const folder = join(this.#directory, name);
      await rename(this.#unfinished, folder);
      this.#begun = false;
      await syncFolder(this.#directory);
      return folder;
    });
  }

  async abort(): Promise<void> {
    for (const handle of this.#open) await handle.close();
    this.#open.clear();
    if (this.#begun) await rm(this.#unfinished, { recursive: true, force: true });
  }

  async #named<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      const message = `the tables cannot be kept in ${this.#directory}: ${messageOf(cause)}. Give a place with room, that can be written, with --copy-to.`;
      throw new StreamsError('STREAMS_FILE', message, { file: this.#directory, cause });
    }
  }
}

function lineOf(row: ImportRow): string {
  return `${row.map((cell) => (cell === null ? '' : csvField(cell))).join(',')}\n`;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
