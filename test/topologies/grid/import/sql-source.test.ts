import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Kysely } from 'kysely';
import type { SourceAddress } from '../../../../topologies/grid/import/source-url.ts';
import { type AnyDatabase, type SqlConnection, SqlSource } from '../../../../topologies/grid/import/sql-source.ts';

const address: SourceAddress = {
  kind: 'mysql',
  host: 'db',
  port: 3306,
  user: 'grid',
  password: undefined,
  databases: ['parc'],
  schema: undefined,
  tls: undefined,
  name: 'mysql://db:3306/parc',
};

test('a connection that comes after the import was stopped is given back, and closing waits for no more', async (t) => {
  let given = 0;
  const db = {
    connection: () => ({
      async execute(work: (connection: unknown) => Promise<unknown>) {
        // The stop comes before the connection.
        await delay(20);
        given++;
        await work(db);
        given--;
      },
    }),
    destroy: async () => {},
  };
  const connection = { db: db as unknown as Kysely<AnyDatabase>, begin: [], cut: () => {} } as unknown as SqlConnection;
  const source = new SqlSource(address, async () => connection, AbortSignal.abort());
  await t.throwsAsync(source.open(), { any: true, name: 'AbortError' });
  await source.close();
  t.is(given, 0);
});

/** A source whose server tells of these tables, each with a column `id`. */
async function tellingOf(
  of: SourceAddress,
  tables: readonly (readonly [schema: string, table: string])[],
): Promise<readonly string[]> {
  const db = {
    connection: () => ({ execute: (work: (connection: unknown) => Promise<unknown>) => work(db) }),
    destroy: async () => {},
  };
  const rows = tables.map(([schema_name, table_name]) => ({
    ...{ schema_name, table_name, column_name: 'id', data_type: 'INT' },
  }));
  const columns = { execute: async () => ({ rows }) };
  const connection = { db, begin: [], columns, cut: () => {} } as unknown as SqlConnection;
  const source = new SqlSource(of, async () => connection, new AbortController().signal);
  await source.open();
  const found = await source.tables();
  await source.close();
  return found.map(({ schema, table }) => `${schema}.${table}`);
}

test('tables of PostgreSQL stay in the order of the search path, also where a schema is called as the database', async (t) => {
  const postgres: SourceAddress = { ...address, kind: 'postgres' };
  t.deepEqual(
    await tellingOf(postgres, [
      ['parc', 'pdc'],
      ['public', 'pdc'],
    ]),
    ['parc.pdc', 'public.pdc'],
  );
});

test('tables of MySQL come in the order in which the databases were given', async (t) => {
  const found = await tellingOf({ ...address, databases: ['parc', 'archive'] }, [
    ['archive', 'pdc'],
    ['parc', 'pdc'],
  ]);
  t.deepEqual(found, ['parc.pdc', 'archive.pdc']);
});
