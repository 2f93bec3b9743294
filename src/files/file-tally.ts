import { type FolderFile, statFile } from './folder.ts';

/** Bad rows of a file for one reason. */
export interface BadRows {
  readonly reason: string;
  readonly rows: number;
  /** Of the first of them. */
  readonly lines: readonly number[];
  /** What is said of the first. */
  readonly message: string;
}

/** What would be read of a file. */
export interface CheckedFile {
  /** Its path in the folder. */
  readonly file: string;
  /** What is in it, and how it is packed: `csv`, `ndjson.gz`. */
  readonly kind: string;
  readonly bytes: number;
  /** False: a sample of it was read, what stands in its first MiB. */
  readonly whole: boolean;
  /** Records that its rows are, bad ones included, without those that are skipped. */
  readonly rows: number;
  readonly dead: number;
  /** Records that came too late for a window. 0 where nothing but the folder is looked at. */
  readonly late: number;
  /** Lines of the first of them. */
  readonly lateLines: readonly number[];
  /** Event times of its good records, ms since the epoch. Absent: there are none. */
  readonly firstMs?: number;
  readonly lastMs?: number;
  readonly bad: readonly BadRows[];
  /** Why it, or what it goes on with, cannot be read. */
  readonly refused?: string;
  /** The file before it that has its rows, or whose rows it begins with: those are not counted again. */
  readonly sameAs?: string;
  /** What a replay would say of it. */
  readonly remarks: readonly string[];
}

const mostLines = 5;

/** What was found of one file. */
export class FileTally {
  readonly remarks: string[] = [];
  /** Path of the file that has its rows. */
  sameAs: string | undefined;
  readonly #file: FolderFile;
  #whole = true;
  #good = 0;
  #late = 0;
  readonly #lateLines: number[] = [];
  #firstMs = Infinity;
  #lastMs = -Infinity;
  readonly #bad: Map<string, { rows: number; readonly lines: number[]; readonly message: string }> = new Map();

  constructor(file: FolderFile) {
    this.#file = file;
  }

  /** Its path in the folder, with the end of its name. */
  get path(): string {
    const { name, path } = this.#file;
    return name + path.slice(path.length - this.#packedEnd.length);
  }

  leave(): void {
    this.#whole = false;
  }

  good(timestamp: number): void {
    this.#good++;
    if (timestamp < this.#firstMs) this.#firstMs = timestamp;
    if (timestamp > this.#lastMs) this.#lastMs = timestamp;
  }

  late(line: number): void {
    this.#late++;
    if (this.#lateLines.length < mostLines) this.#lateLines.push(line);
  }

  bad(line: number, reason: string, message: string): void {
    const known = this.#bad.get(reason);
    if (known === undefined) this.#bad.set(reason, { rows: 1, lines: [line], message });
    else {
      known.rows++;
      if (known.lines.length < mostLines) known.lines.push(line);
    }
  }

  /** @param form - `csv` or `ndjson` */
  result(form: string, refused: string | undefined): CheckedFile {
    const bytes = statFile(this.#file.path)?.size ?? 0;
    const bad = Array.from(this.#bad, ([reason, { rows, lines, message }]) => ({ reason, rows, lines, message }));
    const dead = bad.reduce((sum, { rows }) => sum + rows, 0);
    return {
      ...{ file: this.path, kind: form + this.#packedEnd.toLowerCase(), bytes },
      ...{ whole: this.#whole && refused === undefined, rows: this.#good + dead, dead },
      ...{ late: this.#late, lateLines: this.#lateLines },
      ...(this.#good > 0 && { firstMs: this.#firstMs, lastMs: this.#lastMs }),
      bad: bad.sort((a, b) => b.rows - a.rows),
      ...(refused !== undefined && { refused }),
      ...(this.sameAs !== undefined && { sameAs: this.sameAs }),
      remarks: this.remarks,
    };
  }

  get #packedEnd(): string {
    const { path, gzip } = this.#file;
    const length = gzip === false ? 0 : gzip === 'zstd' ? '.zst'.length : '.gz'.length;
    return path.slice(path.length - length);
  }
}
