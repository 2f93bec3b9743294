import type { Layout, Periods } from './periods.ts';
import type { FileFormat } from './row-encoder.ts';

/** What the names of a sink's files follow from. */
export interface FileNaming {
  readonly topic: string;
  readonly prefix: string;
  readonly layout: Layout;
  readonly format: FileFormat;
  readonly periods: Periods;
}

/** A range of a partition's records, both ends included. */
export interface OffsetRange {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** Offsets are written with so many digits, so that names sort as offsets do. */
const offsetDigits = 16;

/** How files may be packed by others later. */
const packed = '(?:\\.gz|\\.zst)?';

/**
 * Names of a sink's files. They follow from the records in them, so that an attempt that is made again finds its own work:
 * `20180101/event_20180101-grid-events-0-0000000000000000-0000000000008639.csv` holds what records 0 to 8639 of partition 0 tell of that day.
 */
export class FileNames {
  readonly #naming: FileNaming;
  readonly #name: RegExp;

  constructor(naming: FileNaming) {
    this.#naming = naming;
    const [prefix, topic] = [naming.prefix, naming.topic].map((text) => text.replaceAll('.', '\\.'));
    const digits = `\\d{${offsetDigits}}`;
    this.#name = new RegExp(
      `(?:/${prefix}(?:_\\d+)?-|^_dead/)${topic}-(\\d+)-(${digits})-(${digits})\\.\\w+${packed}$`,
    );
  }

  ofPeriod(period: number, range: OffsetRange): string {
    const { periods, layout, prefix, format } = this.#naming;
    return `${periods.path(period, layout, prefix)}-${this.#range(range)}.${format}`;
  }

  /** What could not be read as a row: JSON lines, in a folder that readers pass over. */
  ofDead(range: OffsetRange): string {
    return `_dead/${this.#range(range)}.jsonl`;
  }

  /** The range that a file of this topic holds, in any layout and format, packed or not; undefined for files of others. */
  rangeOf(path: string): OffsetRange | undefined {
    const match = this.#name.exec(path);
    if (match === null) return undefined;
    return { partition: Number(match[1]), first: Number(match[2]), last: Number(match[3]) };
  }

  #range({ partition, first, last }: OffsetRange): string {
    const [from, to] = [first, last].map((offset) => String(offset).padStart(offsetDigits, '0'));
    return `${this.#naming.topic}-${partition}-${from}-${to}`;
  }
}

const anyRange = new RegExp(`([^/]+-\\d+)-(\\d{${offsetDigits}})-(\\d{${offsetDigits}})\\.\\w+${packed}$`);

/** What the name of a file says that any sink wrote. */
export interface NamedRange {
  /** What stands before the offsets: `event_20180101-grid-events-0`. */
  readonly stem: string;
  readonly first: number;
  readonly last: number;
}

/** Reads `20180101/event_20180101-grid-events-0-0000000000000120-0000000000008639.csv`; undefined for a name without offsets. */
export function rangeInName(name: string): NamedRange | undefined {
  const match = anyRange.exec(name);
  return match === null ? undefined : { stem: match[1]!, first: Number(match[2]), last: Number(match[3]) };
}
