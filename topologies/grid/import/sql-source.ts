import { CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import { StreamsError } from '../../../src/common/errors.ts';
import { databaseError } from './database-error.ts';
import type { FoundTable, ImportRow, ImportSource } from './import-source.ts';
import type { SourceAddress } from './source-url.ts';

/** Tables and columns that nobody knows before they are asked for. */
export type AnyDatabase = Record<string, Record<string, unknown>>;

/** A connection of one database, and what its dialect of SQL says for what an import needs. */
export interface SqlConnection {
  readonly db: Kysely<AnyDatabase>;
  /** Begins a transaction that sees everything as it is now. */
  readonly begin: readonly string[];
  /** Rows of `schema_name, table_name, column_name, data_type`. */
  readonly columns: RawBuilder<Cells>;
  /** A column as text. */
  asText(column: string): RawBuilder<string | null>;
  /** Rows of a query, as they come. */
  stream(connection: Kysely<AnyDatabase>, query: RawBuilder<Cells>): AsyncIterable<readonly Cells[]>;
  /** Cuts the connection off, whatever is under way. */
  cut(): void;
}

/** Cells by `c0`, `c1`, ... */
export type Cells = Readonly<Record<string, unknown>>;

/** How long a database may send nothing while an answer is awaited, ms. */
const silenceMs = 120_000;

/** Tables of a database server through Kysely. */
export class SqlSource implements ImportSource {
  readonly name: string;
  readonly #address: SourceAddress;
  readonly #connect: () => Promise<SqlConnection>;
  readonly #signal: AbortSignal;
  #sql: SqlConnection | undefined;
  #pinned: Kysely<AnyDatabase> | undefined;
  #release: () => void = () => {};
  #released: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(address: SourceAddress, connect: () => Promise<SqlConnection>, signal: AbortSignal) {
    this.name = address.name;
    this.#address = address;
    this.#connect = connect;
    this.#signal = signal;
  }

  async open(): Promise<void> {
    this.#sql = await this.#connect();
    await this.#asked(this.#pin(this.#sql.db));
    for (const statement of this.#sql.begin)
      await this.#asked(this.#connection.executeQuery(CompiledQuery.raw(statement)));
  }

  async tables(): Promise<readonly FoundTable[]> {
    const { rows } = await this.#asked(this.#sql!.columns.execute(this.#connection));
    const found = new Map<string, FoundTable & { readonly columns: { name: string; type: string }[] }>();
    for (const row of rows) {
      const [schema, table, name, type] = ['schema_name', 'table_name', 'column_name', 'data_type'].map((column) =>
        String(row[column]),
      ) as [string, string, string, string];
      const key = JSON.stringify([schema, table]);
      const known = found.get(key) ?? { schema, table, columns: [] };
      known.columns.push({ name, type: type.toLowerCase() });
      found.set(key, known);
    }
    const { kind, databases } = this.#address;
    // PostgreSQL has told them in the order of the search path, in which a schema may be called as the database.
    if (kind === 'postgres') return [...found.values()];
    const rank = ({ schema }: FoundTable): number => databases.indexOf(schema);
    return [...found.values()].sort((a, b) => rank(a) - rank(b));
  }

  async *rows({ schema, table }: FoundTable, columns: readonly string[]): AsyncIterable<readonly ImportRow[]> {
    const connection = this.#connection;
    const from = sql.id(schema, table);
    const cells = columns.map((column, i) => sql`${this.#sql!.asText(column)} as ${sql.id(`c${i}`)}`);
    const names = columns.map((_, i) => `c${i}`);
    const query = sql<Cells>`select ${sql.join(cells)} from ${from}`;
    let seen = 0;
    const batches = this.#sql!.stream(connection, query)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#asked(batches.next());
      if (next.done === true) break;
      seen += next.value.length;
      yield next.value.map((row) => names.map((name) => row[name] as string | null));
    }
    // A driver may take a connection that breaks for the end of the rows.
    const count = sql<{ n: unknown }>`select count(*) as n from ${from}`;
    const { rows } = await this.#asked(count.execute(connection));
    if (Number(rows[0]?.n) !== seen)
      throw new StreamsError(
        'STREAMS_DATABASE',
        `${this.name} broke off: ${seen} of the ${String(rows[0]?.n)} rows of ${table} came. Import again.`,
        { retriable: true },
      );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sql?.cut();
    this.#release();
    await this.#released;
    await this.#sql?.db.destroy().catch(() => {});
  }

  get #connection(): Kysely<AnyDatabase> {
    if (this.#pinned === undefined) throw new TypeError('the source is not open');
    return this.#pinned;
  }

  /** Keeps one connection until the end: the snapshot is the connection's. */
  async #pin(db: Kysely<AnyDatabase>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#released = db
        .connection()
        .execute(async (connection) => {
          this.#pinned = connection;
          const held = new Promise<void>((release) => {
            this.#release = release;
          });
          resolve();
          // It may have come after the import was stopped: nobody will release it any more.
          if (this.#closed) return;
          await held;
        })
        .catch(reject);
    });
  }

  /** An answer of the database, unless it stays silent or the import is stopped. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    let stop: () => void = () => {};
    const stopped = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(this.#silent()), silenceMs);
      const abort = (): void => reject(this.#signal.reason);
      this.#signal.addEventListener('abort', abort, { once: true });
      if (this.#signal.aborted) abort();
      stop = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', abort);
      };
    });
    try {
      return await Promise.race([answer, stopped]);
    } catch (error) {
      // The answer that is no longer waited for fails when the connection is cut.
      answer.catch(() => {});
      if (this.#signal.aborted) throw this.#signal.reason;
      throw databaseError(this.#address, error);
    } finally {
      stop();
    }
  }

  #silent(): StreamsError {
    const message = `${this.name} has sent nothing for ${silenceMs / 1000} s. See whether it works and the network is there.`;
    return new StreamsError('STREAMS_DATABASE', message, { retriable: true });
  }
}
