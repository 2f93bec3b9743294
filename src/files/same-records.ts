import { isDeepStrictEqual } from 'node:util';
import { CsvScanner } from './csv-scanner.ts';
import { newEntry } from './file-ledger.ts';
import type { Chunk } from './file-reader.ts';
import type { DecodedRow, RowFormat } from './row-format.ts';
import { scannedDead, scannedRow } from './scan-outcome.ts';

/** So many records tell whether a name makes a difference. */
const mostRecords = 1000;

/** The first records of a chunk under a name, and whether the format has asked for the name. */
interface NamedRecords {
  readonly records: readonly DecodedRow<unknown, unknown>[];
  readonly named: boolean;
}

/**
 * Tells whether a file has the same records under another name. Formats may make keys and values of the name (the meter of `meter-8.csv`): then files with the same bytes are no copies of each other.
 */
export class SameRecords {
  readonly #format: RowFormat<unknown, unknown>;
  readonly #chunk: Chunk;
  #own: NamedRecords | undefined;

  /** @param chunk - Of the file, its first or the one that it is read on from. */
  constructor(format: RowFormat<unknown, unknown>, chunk: Chunk) {
    this.#format = format;
    this.#chunk = chunk;
  }

  under(name: string): boolean {
    this.#own ??= this.#read(this.#chunk.file.name);
    return !this.#own.named || isDeepStrictEqual(this.#own.records, this.#read(name).records);
  }

  #read(name: string): NamedRecords {
    const { file, bytes, start, base, end, ending } = this.#chunk;
    const fromStart = base + start === 0;
    const state = fromStart || file.entry === undefined ? newEntry(name, file.gzip, 0) : file.entry;
    const { format, asked } = asking(this.#format, name);
    const scanner = new CsvScanner(format);
    scanner.begin(state, fromStart, name);
    scanner.window(bytes, fromStart ? start : state.content.length - base, end, ending === 'end' ? 'final' : 'more');
    const records: DecodedRow<unknown, unknown>[] = [];
    while (records.length < mostRecords) {
      const out = { key: undefined, value: undefined };
      const found = scanner.next(out);
      if (found === scannedRow) records.push(...(format.records?.() ?? [out]));
      else if (found !== scannedDead) break;
    }
    return { records, named: asked() };
  }
}

/** The format, and whether it has asked for the name of the file. */
function asking(
  format: RowFormat<unknown, unknown>,
  name: string,
): { readonly format: RowFormat<unknown, unknown>; asked(): boolean } {
  let asked = false;
  const { columns, optional, dialect, files } = format;
  const records = format.records === undefined ? undefined : (): ReturnType<typeof format.records> => format.records!();
  return {
    format: {
      ...{ columns, ...(optional && { optional }), ...(dialect && { dialect }), ...(files && { files }) },
      ...(records && { records }),
      decode({ bytes, starts, ends, file }, out) {
        const spied = {
          get name() {
            asked = true;
            return name;
          },
          preamble: file?.preamble ?? [],
        };
        return format.decode({ bytes, starts, ends, file: spied }, out);
      },
      timestampOf: (value) => format.timestampOf(value),
    },
    asked: () => asked,
  };
}
