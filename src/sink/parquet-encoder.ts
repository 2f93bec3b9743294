import type { ByteWriter, ColumnSource, ParquetWriter } from 'hyparquet-writer';
import type { FetchedRecords } from '../clients/fetched-records.ts';
import { StreamsError } from '../common/errors.ts';
import type { EncoderFactory, RowEncoder } from './row-encoder.ts';
import type { ColumnType, ColumnValue, SinkRows } from './sink-rows.ts';

type Library = typeof import('hyparquet-writer');
type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

/** Rows of a row group: so many are in memory for each open file. */
const groupRows = 65_536;

const parquetTypes: Readonly<Record<ColumnType, Omit<Schema[number], 'name'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int64: { type: 'INT64' },
  timestamp: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
};

/**
 * Makes encoders of Parquet files: columns of text (with a dictionary where that is shorter), of whole numbers of 64 bits and of timestamps in ms UTC, compressed
 * with Snappy, in row groups of 65,536 rows.
 *
 * @throws StreamsError `STREAMS_CONFIG` where `hyparquet-writer` is not installed.
 */
export async function parquetEncoders(rows: () => SinkRows): Promise<EncoderFactory> {
  const library = await load('hyparquet-writer', () => import('hyparquet-writer'));
  return () => new ParquetEncoder(library, rows());
}

class ParquetEncoder implements RowEncoder {
  readonly #columns: { readonly name: string; data: (string | bigint | Date | null)[] }[];
  readonly #types: readonly ColumnType[];
  readonly #bytes: ByteWriter;
  readonly #writer: ParquetWriter;
  readonly #values: ColumnValue[] = [];
  readonly #ready: Uint8Array[] = [];
  #rows = 0;
  #taken = 0;
  #bufferedText = 0;

  constructor(library: Library, { columns }: SinkRows) {
    this.#types = columns.map(({ type }) => type);
    this.#columns = columns.map(({ name }) => ({ name, data: [] }));
    const schema: Schema = [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, type }) => ({ name, repetition_type: 'OPTIONAL' as const, ...parquetTypes[type] })),
    ];
    this.#bytes = new library.ByteWriter();
    this.#writer = new library.ParquetWriter({ writer: this.#bytes, schema, createdBy: 'weir' });
  }

  get bytes(): number {
    // Rows that are not encoded yet count as a quarter of their text: about what is left of them.
    return this.#taken + ((this.#bufferedText + this.#rows * this.#types.length) >> 2);
  }

  add(rows: SinkRows, _records: FetchedRecords, _i: number): void {
    const values = this.#values;
    rows.values(values);
    for (let c = 0; c < this.#columns.length; c++) {
      const value = values[c] ?? null;
      const { data } = this.#columns[c]!;
      if (value === null) data.push(null);
      else if (typeof value === 'string') {
        data.push(value);
        this.#bufferedText += value.length;
      } else data.push(this.#types[c] === 'timestamp' ? new Date(value) : BigInt(value));
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
    const columnData: ColumnSource[] = this.#columns.map(({ name, data }) => ({ name, data }));
    void this.#writer.write({ columnData, rowGroupSize: groupRows });
    for (const column of this.#columns) column.data = [];
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

async function load<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new StreamsError(
      'STREAMS_CONFIG',
      `${name} is not installed: install it beside weir (npm install ${name}).`,
      {
        cause: error,
      },
    );
  }
}
