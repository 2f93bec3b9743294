import { ByteChunk } from './byte-chunk.ts';
import type { RowEncoder } from './row-encoder.ts';
import type { ColumnValue, RowValues, SinkColumn } from './sink-rows.ts';

/** A JSON object a line, with the columns as its names. Times are ISO 8601 in UTC. */
export class JsonlEncoder implements RowEncoder {
  readonly #chunk = new ByteChunk();
  readonly #names: readonly string[];
  readonly #times: readonly boolean[];
  readonly #values: ColumnValue[] = [];
  #taken = 0;

  constructor(columns: readonly SinkColumn[]) {
    this.#names = columns.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    this.#times = columns.map(({ type }) => type === 'timestamp');
  }

  get bytes(): number {
    return this.#taken + this.#chunk.length;
  }

  add(row: RowValues): void {
    const values = this.#values;
    row.values(values);
    let line = '';
    for (let c = 0; c < this.#names.length; c++) {
      const value = values[c] ?? null;
      line += this.#names[c]!;
      line +=
        typeof value === 'number' && this.#times[c] ? `"${new Date(value).toISOString()}"` : JSON.stringify(value);
    }
    this.#chunk.text(`${line}}\n`);
  }

  take(): Uint8Array | undefined {
    const bytes = this.#chunk.takeFull();
    this.#taken += bytes?.length ?? 0;
    return bytes;
  }

  finish(): Uint8Array {
    return this.#chunk.takeAll();
  }
}
