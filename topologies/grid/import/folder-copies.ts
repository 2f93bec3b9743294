import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import { makeFolder } from '../../../src/common/make-folder.ts';
import { encodersOf } from '../../../src/sink/encoders.ts';
import type { ImportTable } from './import-tables.ts';
import {
  type AppendRows,
  type CopyFormat,
  copiedColumns,
  freeName,
  type TableCopies,
  writeRows,
} from './table-copies.ts';

/** A folder that an import is at work in: the day, the process, and what no other import has. Processes of several containers have one number. */
const unfinished: RegExp = /^\.\d{8}\.(\d+)\.(?:[\da-f-]{36}\.)?tmp$/;

/**
 * Keeps tables as files of a folder of the day, such as `20180131/pdc.csv`: a folder that `--park` reads where they are CSV. It appears whole or not at all, and no earlier one is ever
 * touched: a second one of the same day is `20180131_2`. What an import that was killed has left is removed by the next one.
 */
export class FolderCopies implements TableCopies {
  readonly #directory: string;
  readonly #day: string;
  readonly #format: CopyFormat;
  readonly #unfinished: string;
  readonly #open: Set<FileHandle> = new Set();
  #begun = false;

  /** @param day - `YYYYMMDD` */
  constructor(directory: string, day: string, format: CopyFormat = 'csv') {
    this.#directory = directory;
    this.#day = day;
    this.#format = format;
    this.#unfinished = join(directory, `.${day}.${process.pid}.${randomUUID()}.tmp`);
  }

  async write<T>(table: ImportTable, fill: (append: AppendRows) => Promise<T>): Promise<T> {
    const columns = copiedColumns(table);
    const encoders = await encodersOf(this.#format, columns, false);
    const handle = await this.#named(async () => {
      if (!this.#begun) await this.#begin();
      return open(join(this.#unfinished, `${table.name}.${this.#format}`), 'wx');
    });
    this.#open.add(handle);
    const write = (bytes: Uint8Array): Promise<void> => this.#named(() => handle.appendFile(bytes));
    const result = await writeRows(columns, encoders(), write, fill);
    await this.#named(async () => {
      await handle.sync();
      this.#open.delete(handle);
      await handle.close();
    });
    return result;
  }

  async commit(): Promise<string> {
    return this.#named(async () => {
      const name = freeName(this.#day, new Set(await readdir(this.#directory)));
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

  async #begin(): Promise<void> {
    await makeFolder(this.#directory);
    for (const name of await readdir(this.#directory)) {
      const pid = unfinished.exec(name)?.[1];
      if (pid !== undefined && !isAtWork(Number(pid)))
        await rm(join(this.#directory, name), { recursive: true, force: true });
    }
    await mkdir(this.#unfinished);
    this.#begun = true;
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

/** Whether another process of that number is there. This one has just begun. */
function isAtWork(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
