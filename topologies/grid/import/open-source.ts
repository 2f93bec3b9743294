import { connect as connectSocket, isIP, Socket } from 'node:net';
import { Kysely, MysqlDialect, PostgresDialect, type RawBuilder, sql } from 'kysely';
import { withPackages } from '../../../src/common/optional-packages.ts';
import type { ImportSource } from './import-source.ts';
import type { SourceAddress, SourceTls } from './source-url.ts';
import { type AnyDatabase, type Cells, type SqlConnection, SqlSource } from './sql-source.ts';

/** How long a connection may take, ms. */
const connectMs = 15_000;
/** Rows that are handed over at once. Few, so that they are gone before the garbage collector takes them for old. */
const rowsAtOnce = 500;

/** The source at an address. Nothing is connected yet. Its driver is loaded when it is opened. */
export function openSource(address: SourceAddress, signal: AbortSignal): ImportSource {
  return new SqlSource(address, () => connectTo(address), signal);
}

/** A connection to a database. It is made when it is first used. */
export function connectTo(address: SourceAddress): Promise<SqlConnection> {
  return address.kind === 'mysql' ? connectMysql(address) : connectPostgres(address);
}

async function connectMysql(address: SourceAddress): Promise<SqlConnection> {
  const { createPool } = await driver(() => import('mysql2'), 'mysql2', address);
  const { host, port, user, password, databases, tls } = address;
  const socket: { open?: Socket } = {};
  const pool = createPool({
    ...{ host, port, user, connectTimeout: connectMs, connectionLimit: 1, charset: 'utf8mb4' },
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: { ...tlsOf(tls), verifyIdentity: tls.verify } }),
    stream: () => {
      socket.open = connectSocket(port, host);
      // The driver gives TLS no name for an address, and Node compares the certificate then with what the socket was looked up by, or with `localhost`.
      if (isIP(host) !== 0) Object.assign(socket.open, { _host: host });
      return socket.open;
    },
  });
  return {
    db: new Kysely<AnyDatabase>({ dialect: new MysqlDialect({ pool }) }),
    begin: [
      'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
      'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
    ],
    columns: sql`select table_schema as schema_name, table_name as table_name, column_name as column_name, data_type as data_type
      from information_schema.columns where table_schema in (${sql.join(databases)}) order by ordinal_position`,
    asText: (column) => sql`cast(${sql.id(column)} as char)`,
    stream: streamMysql,
    cut: () => socket.open?.destroy(),
  };
}

async function* streamMysql(
  connection: Kysely<AnyDatabase>,
  query: RawBuilder<Cells>,
): AsyncIterable<readonly Cells[]> {
  let batch: Cells[] = [];
  for await (const { rows } of connection.getExecutor().stream(query.compile(connection), rowsAtOnce)) {
    batch.push(...(rows as Cells[]));
    if (batch.length < rowsAtOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function connectPostgres(address: SourceAddress): Promise<SqlConnection> {
  const { default: pg } = await driver(() => import('pg'), 'pg', address);
  const { host, port, user, password, databases, schema, tls } = address;
  const socket: { open?: Socket } = {};
  const pool = new pg.Pool({
    ...{ host, port, user, database: databases[0]!, max: 1, connectionTimeoutMillis: connectMs, keepAlive: true },
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { ssl: tlsOf(tls) }),
    stream: () => {
      socket.open = new Socket();
      return socket.open;
    },
  });
  // A connection that breaks is told to whoever asked something on it.
  pool.on('error', () => {});
  return {
    db: new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) }),
    begin: ['SET datestyle TO ISO', 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'SELECT 1'],
    columns: sql`select table_schema as schema_name, table_name, column_name, data_type from information_schema.columns
      where ${schema === undefined ? sql`table_schema = any(current_schemas(false))` : sql`table_schema = ${schema}`}
      order by array_position(current_schemas(false)::text[], table_schema::text), ordinal_position`,
    asText: (column) => sql`${sql.id(column)}::text`,
    stream: streamPostgres,
    cut: () => socket.open?.destroy(),
  };
}

/** Through a cursor of the transaction: otherwise the driver would collect all rows first. */
async function* streamPostgres(
  connection: Kysely<AnyDatabase>,
  query: RawBuilder<Cells>,
): AsyncIterable<readonly Cells[]> {
  await sql`declare weir_rows no scroll cursor for ${query}`.execute(connection);
  for (;;) {
    const { rows } = await sql<Cells>`fetch forward ${sql.raw(String(rowsAtOnce))} from weir_rows`.execute(connection);
    if (rows.length === 0) break;
    yield rows;
  }
  await sql`close weir_rows`.execute(connection);
}

function tlsOf({ verify, ca, cert, key }: SourceTls): {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
} {
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function driver<T>(load: () => Promise<T>, name: string, { kind }: SourceAddress): Promise<T> {
  return withPackages({ what: `${kind}://`, packages: [name] }, load);
}
