import { encodersOf } from '../../../src/sink/encoders.ts';
import type { SinkTarget } from '../../../src/sink/target.ts';
import { completeMark, WholeSet } from '../../../src/sink/whole-set.ts';
import { type ImportTable, importTables } from './import-tables.ts';
import {
  type AppendRows,
  type CopyFormat,
  copiedColumns,
  freeName,
  type TableCopies,
  writeRows,
} from './table-copies.ts';

/** Which target, and how. */
export interface TargetCopiesOptions {
  /** Opens a folder of the target: `''` its root, else one below. */
  readonly open: (folder: string) => Promise<SinkTarget>;
  /** `YYYYMMDD` */
  readonly day: string;
  readonly format: CopyFormat;
}

/** A folder of the day, and the files that are put there. */
interface Begun {
  readonly target: SinkTarget;
  readonly set: WholeSet;
}

/**
 * Keeps tables in HDFS or S3, below a folder of the day: `20180131/pdc.csv`. All of them are complete before the first appears, and `_SUCCESS` appears last: a folder without it is not whole, and
 * the next import of that day fills it. One that has it is never touched: a second one of the same day is `20180131_2`.
 */
export class TargetCopies implements TableCopies {
  readonly #options: TargetCopiesOptions;
  #begun: Begun | undefined;

  constructor(options: TargetCopiesOptions) {
    this.#options = options;
  }

  async write<T>(table: ImportTable, fill: (append: AppendRows) => Promise<T>): Promise<T> {
    this.#begun ??= await this.#begin();
    const { format } = this.#options;
    const columns = copiedColumns(table);
    const encoders = await encodersOf(format, columns, false);
    return this.#begun.set.write(`${table.name}.${format}`, (append) => writeRows(columns, encoders(), append, fill));
  }

  async commit(): Promise<string> {
    const { target, set } = this.#begun!;
    await set.commit();
    await this.#close();
    return target.url;
  }

  async abort(): Promise<void> {
    await this.#begun?.set.abort();
    await this.#close();
  }

  async #close(): Promise<void> {
    const begun = this.#begun;
    this.#begun = undefined;
    await begun?.target.close();
  }

  async #begin(): Promise<Begun> {
    const { open, day, format } = this.#options;
    const root = await open('');
    let name: string;
    try {
      const whole = (await root.list(day)).filter(({ path }) => path.endsWith(`/${completeMark}`));
      name = freeName(day, new Set(whole.map(({ path }) => path.slice(0, path.indexOf('/')))));
    } finally {
      await root.close();
    }
    const target = await open(name);
    const files = importTables.map((table) => `${table.name}.${format}`);
    try {
      return { target, set: await WholeSet.begin(target, files) };
    } catch (error) {
      await target.close();
      throw error;
    }
  }
}
