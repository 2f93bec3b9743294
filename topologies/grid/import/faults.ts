import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import { csvField } from '../events/csv-field.ts';
import type { TableName } from './import-tables.ts';

/** Something wrong with a row of a table, or with the whole of it. */
export interface Fault {
  readonly table: TableName;
  /** The row: `id_compteur=8 id_pdc=3 date_deb=20170101`. Empty: the table as a whole. */
  readonly key: string;
  /** What is wrong. */
  readonly what: string;
}

/** How many faults are kept in memory; all are in the file. */
const keptFaults = 1000;
const flushLength = 64 * 1024;

/** The faults of an import: counted, the first ones kept, all of them written to a CSV file with columns `table,key,what`, which appears when it is whole. */
export class Faults {
  readonly #file: string;
  readonly #first: Fault[] = [];
  readonly #ofTables: Map<TableName, number> = new Map();
  #count = 0;
  #text = 'table,key,what\n';
  #handle: number | undefined;

  /** @param file - Where the list is written to, if there is a fault. */
  constructor(file: string) {
    this.#file = file;
  }

  get file(): string {
    return this.#file;
  }

  get count(): number {
    return this.#count;
  }

  /** The first thousand. */
  get first(): readonly Fault[] {
    return this.#first;
  }

  /** Faulty rows of a table. */
  ofTable(table: TableName): number {
    return this.#ofTables.get(table) ?? 0;
  }

  add(fault: Fault): void {
    this.#count++;
    if (this.#first.length < keptFaults) this.#first.push(fault);
    if (fault.key !== '') this.#ofTables.set(fault.table, this.ofTable(fault.table) + 1);
    this.#text += `${fault.table},${csvField(fault.key)},${csvField(fault.what)}\n`;
    if (this.#text.length >= flushLength) this.#flush();
  }

  /** Lets the file appear, or removes that of an earlier import where nothing is wrong any more. @throws StreamsError `STREAMS_FILE` */
  finish(): void {
    if (this.#count === 0) {
      this.#named(() => rmSync(this.#file, { force: true }));
      return;
    }
    this.#flush();
    this.#named(() => {
      closeSync(this.#handle!);
      this.#handle = undefined;
      renameSync(this.#unfinished, this.#file);
    });
  }

  /** Gives up what is not finished. */
  discard(): void {
    if (this.#handle === undefined) return;
    closeSync(this.#handle);
    this.#handle = undefined;
    rmSync(this.#unfinished, { force: true });
  }

  get #unfinished(): string {
    return `${this.#file}.${process.pid}.tmp`;
  }

  #flush(): void {
    this.#named(() => {
      if (this.#handle === undefined) {
        mkdirSync(dirname(this.#file), { recursive: true });
        this.#handle = openSync(this.#unfinished, 'w');
      }
      const bytes = Buffer.from(this.#text);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#handle, bytes, at);
      this.#text = '';
    });
  }

  #named(act: () => void): void {
    try {
      act();
    } catch (cause) {
      const message = `the list of faults cannot be written to ${this.#file}: ${messageOf(cause)}. Give another place with --faults.`;
      throw new StreamsError('STREAMS_FILE', message, { file: this.#file, cause });
    }
  }
}
