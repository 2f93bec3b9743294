import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { withPackages } from '../common/optional-packages.ts';
import type { EncoderFactory, RowEncoder } from './row-encoder.ts';
import type { ColumnType, ColumnValue, RowValues, SinkColumn } from './sink-rows.ts';

type Library = typeof import('hyparquet-writer');
type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

/** Rows of a row group: so many are in memory for each open file. */
const groupRows = 65_536;

const parquetTypes: Readonly<Record<ColumnType, Omit<Schema[number], 'name'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  date: { type: 'INT32', converted_type: 'DATE' },
  int64: { type: 'INT64' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
};

/**
 * Makes encoders of Parquet files: columns of text (with a dictionary where that is shorter), of dates, of whole numbers of 64 bits and of timestamps in ms UTC, compressed
 * with Snappy, in row groups of 65,536 rows.
 *
 * @throws StreamsError `STREAMS_CONFIG` where `hyparquet-writer` is not installed.
 */
export async function parquetEncoders(columns: readonly SinkColumn[]): Promise<EncoderFactory> {
  const library = await withPackages(
    { what: 'Parquet', packages: ['hyparquet-writer'] },
    () => import('hyparquet-writer'),
  );
  return () => new ParquetEncoder(library, columns);
}

class ParquetEncoder implements RowEncoder {
  readonly #columns: readonly GroupColumn[];
  readonly #bytes: ByteWriter;
  readonly #writer: ParquetWriter;
  readonly #values: ColumnValue[] = [];
  readonly #ready: Uint8Array[] = [];
  #rows = 0;
  #taken = 0;
  #bufferedText = 0;

  constructor(library: Library, columns: readonly SinkColumn[]) {
    this.#columns = columns.map(({ name, type }) =>
      type === 'int64' || type === 'timestamp' ? new NumberColumn(name, type) : new TextColumn(name, type),
    );
    const schema: Schema = [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, type }) => ({ name, repetition_type: 'OPTIONAL' as const, ...parquetTypes[type] })),
    ];
    this.#bytes = new library.ByteWriter();
    this.#writer = new library.ParquetWriter({ writer: this.#bytes, schema, createdBy: 'weir' });
  }

  get bytes(): number {
    // Rows that are not encoded yet count as a quarter of their text: about what is left of them.
    return this.#taken + ((this.#bufferedText + this.#rows * this.#columns.length) >> 2);
  }

  add(row: RowValues): void {
    const values = this.#values;
    row.values(values);
    for (let c = 0; c < this.#columns.length; c++) {
      const value = values[c] ?? null;
      this.#columns[c]!.add(value as never);
      if (typeof value === 'string') this.#bufferedText += value.length;
    }
    if (++this.#rows === groupRows) this.#writeGroup();
  }

  take(): Uint8Array | undefined {
    return this.#ready.shift();
  }

  finish(): Uint8Array {
    if (this.#rows > 0) this.#writeGroup();
    void this.#writer.finish();
    this.#ready.push(this.#drain());
    return Buffer.concat(this.#ready.splice(0));
  }

  #writeGroup(): void {
    const columnData = this.#columns.map((column) => ({ name: column.name, data: column.take() }));
    void this.#writer.write({ columnData, rowGroupSize: groupRows });
    this.#rows = 0;
    this.#bufferedText = 0;
    this.#ready.push(this.#drain());
  }

  /** The bytes written since the last call. The writer counts offsets by itself. */
  #drain(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    this.#taken += bytes.length;
    return bytes;
  }
}

/** The values of a column in the row group under way. */
interface GroupColumn {
  readonly name: string;
  add(value: never): void;
  /** The values as the library takes them; the column is empty afterwards. */
  take(): unknown[];
}

class TextColumn implements GroupColumn {
  readonly name: string;
  readonly #type: ColumnType;
  #texts: (string | null)[] = [];

  constructor(name: string, type: ColumnType) {
    this.name = name;
    this.#type = type;
  }

  add(text: string | null): void {
    this.#texts.push(text);
  }

  take(): unknown[] {
    const texts = this.#texts;
    this.#texts = [];
    return this.#type === 'date' ? texts.map((text) => (text === null ? null : new Date(text))) : texts;
  }
}

/** Numbers lie unboxed until their group is written: many files are open at the same time. */
class NumberColumn implements GroupColumn {
  readonly name: string;
  readonly #type: ColumnType;
  /** NaN: null. */
  #numbers: Float64Array = new Float64Array(1024);
  #length = 0;

  constructor(name: string, type: ColumnType) {
    this.name = name;
    this.#type = type;
  }

  add(number: number | null): void {
    if (this.#length === this.#numbers.length) {
      const more = new Float64Array(2 * this.#length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#length++] = number ?? Number.NaN;
  }

  take(): unknown[] {
    const values: (bigint | Date | null)[] = new Array(this.#length);
    for (let i = 0; i < values.length; i++) {
      const number = this.#numbers[i]!;
      if (Number.isNaN(number)) values[i] = null;
      else values[i] = this.#type === 'timestamp' ? new Date(number) : BigInt(number);
    }
    this.#length = 0;
    return values;
  }
}
