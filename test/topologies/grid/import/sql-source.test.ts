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
