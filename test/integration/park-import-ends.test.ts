import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import test, { type ExecutionContext } from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import { startMariaDb, startPostgres } from '../helpers/databases.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { parcTables, parkTables, reseauxTables, writeTables } from '../helpers/park-tables.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { engines, golden, importWorld } from './helpers/import-world.ts';
import { digestOf, type Finished, tryWeir, weir } from './helpers/weir.ts';

const tables = [...parcTables, ...reseauxTables];

/** Starts a part that ends with the test, or says that it is missing. */
async function part<T extends { stop(): Promise<void> }>(
  t: ExecutionContext,
  start: () => Promise<T>,
): Promise<T | undefined> {
  const started = await start().catch((error: unknown) => {
    if (!(error instanceof PartMissing)) throw error;
    skipWithout(t, error);
    return undefined;
  });
  if (started !== undefined) t.teardown(() => started.stop());
  return started;
}

/** A key and a certificate for 127.0.0.1 that signs itself, readable by a user. */
function certificate(folder: string, user: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'],
      ...['-subj', '/CN=weir-test', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new PartMissing(`openssl: ${made.stderr}`);
  const uid = Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout);
  chmodSync(folder, 0o755);
  chmodSync(key, 0o600);
  for (const file of [cert, key]) chownSync(file, uid, -1);
  return { cert, key };
}

const secured = {
  MariaDB: {
    user: 'mysql',
    start: (cert: string, key: string) => startMariaDb([`--ssl-cert=${cert}`, `--ssl-key=${key}`]),
  },
  PostgreSQL: {
    user: 'postgres',
    start: (cert: string, key: string) => startPostgres(['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`]),
  },
} as const;

if (existsSync(golden)) {
  for (const [name, { user, start }] of Object.entries(secured)) {
    test(`a park is imported from ${name} over TLS, and a certificate that is not trusted or of another host is refused`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'weir-tls-'));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const { cert, key } = certificate(folder, user);
      const server = await part(t, () => start(cert, key));
      if (server === undefined) return;
      server.run('create database grid');
      writeTables(server, 'grid', parkTables(`${golden}/park`), tables);
      if (server.kind === 'mysql') server.run("alter user grid@'127.0.0.1' require ssl");
      const importing = (host: string, query: string): Promise<Finished> => {
        const url = server.url('grid').replace('127.0.0.1', host);
        return tryWeir(['park', 'import', '--from', url + query, '--state', join(folder, 'state'), '--json']);
      };
      const encrypted = await importing('127.0.0.1', `?tls-ca=${cert}`);
      t.is(encrypted.code, 0, encrypted.stderr);
      t.is(JSON.parse(encrypted.stdout).difference.installed, 30);
      t.is((await importing('127.0.0.1', '?tls=no-verify')).code, 0);

      const untrusted = await importing('127.0.0.1', '?tls=verify');
      t.is(untrusted.code, 1);
      t.regex(untrusted.stderr, /^STREAMS_DATABASE: .* cannot be trusted: .*tls-ca=FILE/m);
      const elsewhere = await importing('localhost', `?tls-ca=${cert}`);
      t.is(elsewhere.code, 1);
      t.regex(elsewhere.stderr, /^STREAMS_DATABASE: .* cannot be trusted: /m);
      if (server.kind === 'mysql') {
        const plain = await importing('127.0.0.1', '');
        t.is(plain.code, 1);
        t.regex(plain.stderr, /^STREAMS_DATABASE: .* refuses the user or the password/m);
      }
    });
  }

  for (const [name, start] of Object.entries(engines)) {
    test(`tables and columns of ${name} that are called otherwise are found with --map, and dates may be text`, async (t) => {
      const server = await part(t, start);
      if (server === undefined) return;
      const folder = mkdtempSync(join(tmpdir(), 'weir-map-'));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const names: Readonly<Record<string, string>> = {
        compteurs: 'Meters',
        installation_c: 'stands at',
        id_compteur: 'serial no',
        date_deb: 'since',
      };
      server.run('create database grid');
      const rename = (own: string): string => names[own] ?? own;
      writeTables(server, 'grid', parkTables(`${golden}/park`), tables, { dates: 'char(8)', rename });
      const map = join(folder, 'names.yaml');
      writeFileSync(
        map,
        [
          'compteurs:\n  table: Meters\n  columns:\n    id_compteur: serial no',
          'installation_c:\n  table: stands at\n  columns:\n    id_compteur: serial no\n    date_deb: since',
          'installation_k:\n  columns:\n    date_deb: since\n',
        ].join('\n'),
      );
      const importing = ['park', 'import', '--from', server.url('grid'), '--state', join(folder, 'state')];
      const without = await tryWeir(importing);
      t.is(without.code, 3);
      t.regex(
        without.stderr,
        /table compteurs is missing; table installation_c is missing; .*column date_deb is missing/,
      );
      t.like(JSON.parse(await weir([...importing, '--map', map, '--json'])).difference, { installed: 30 });

      const typo = join(folder, 'typo.yaml');
      writeFileSync(typo, 'compteur:\n  table: Meters\n');
      const refused = await tryWeir([...importing, '--map', typo]);
      t.is(refused.code, 2);
      t.regex(refused.stderr, /^STREAMS_CONFIG: .*there is no table compteur;.*Did you mean compteurs\?/m);
    });
  }

  test('tables are kept in HDFS and S3, as CSV and Parquet, below the day, whole with _SUCCESS, none in the place of another', async (t) => {
    const world = await importWorld(t, engines['MariaDB']!);
    const hdfs = await part(t, () => HdfsCluster.start());
    const s3 = await part(t, () => S3Server.start());
    if (world === undefined || hdfs === undefined || s3 === undefined) return;
    Object.assign(process.env, s3.env);
    const client = new S3Client({ endpoint: s3.endpoint, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'parks' }));
    client.destroy();
    const importing = ['park', 'import', ...world.from, '--state', join(world.folder, 'state'), '--json'];
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    for (const place of [hdfs.url('parks'), 's3://parks/nightly']) {
      const first = JSON.parse(await weir([...importing, '--copy-to', place])).copy as string;
      t.regex(first, /\/\d{8}\/?$/);
      const target = await openTarget(place, { timeoutMs: 10_000, logger });
      const day = first.replace(/\/$/, '').slice(-8);
      const files = (await target.list('')).map(({ path }) => path).filter((path) => !path.endsWith('.part'));
      t.deepEqual(files, [`${day}/_SUCCESS`, ...tables.map((table) => `${day}/${table}.csv`).sort()]);
      // What was kept is a park that a replay reads.
      const park = join(world.folder, `park-${day}-${place.slice(0, 2)}`);
      mkdirSync(park);
      for (const path of files) writeFileSync(join(park, path.slice(9)), await target.read(path));
      const state = join(park, 'state');
      await weir(['replay', '--events', `${golden}/events`, '--park', park, '--state', state]);
      const expected = join(world.folder, 'expected');
      if (!existsSync(expected))
        await weir(['replay', '--events', `${golden}/events`, '--park', `${golden}/park`, '--state', expected]);
      t.is(await digestOf(state), await digestOf(expected));

      const second = JSON.parse(await weir([...importing, '--copy-to', place, '--copy-format', 'parquet'])).copy;
      t.is((second as string).replace(/\/$/, '').slice(-10), `${day}_2`);
      t.is(Buffer.from(await target.read(`${day}_2/pdc.parquet`)).toString('latin1', 0, 4), 'PAR1');
      await target.close();
    }
    const missing = await tryWeir([...importing, '--copy-to', 's3://no-such-bucket/nightly']);
    t.is(missing.code, 1);
    t.regex(missing.stderr, /^STREAMS_SINK: .*Make the bucket/m);
  });

  test('where the tables cannot be kept nothing is imported, the last good park stays, and what a killed import left is removed', async (t) => {
    const world = await importWorld(t, engines['PostgreSQL']!);
    if (world === undefined) return;
    const state = join(world.folder, 'state');
    const copies = join(world.folder, 'copies');
    const importing = ['park', 'import', ...world.from, '--state', state];
    await weir(importing);
    await weir(['replay', '--events', `${golden}/events`, '--state', state]);
    const before = await digestOf(state);
    world.server.run('update pdc set id_pdk = 2 where id_pdc = 4', 'reseaux');

    // A disk on which no file may grow above 600 KiB: the communes do.
    const command = `ulimit -S -f 600 && exec ${process.execPath} dist/topologies/grid/main.js "$@"`;
    const child = spawn('bash', ['-c', command, 'weir', ...importing, '--copy-to', copies], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    t.is(code, 1, stderr);
    t.regex(stderr, /^STREAMS_FILE: the tables cannot be kept in .*copies: EFBIG.* Give a place with room/m);
    t.deepEqual(await readdir(copies), []);

    writeFileSync(join(world.folder, 'file'), '');
    const notFolder = await tryWeir([...importing, '--copy-to', join(world.folder, 'file', 'copies')]);
    t.is(notFolder.code, 1);
    t.regex(notFolder.stderr, /^STREAMS_FILE: the tables cannot be kept in .*: ENOTDIR.*that can be written/m);
    t.is(await digestOf(state), before);

    mkdirSync(join(copies, '.20180131.999999999.tmp'));
    mkdirSync(join(copies, `.20180131.${process.pid}.tmp`));
    cpSync(`${golden}/park/pdc.csv`, join(copies, '.20180131.999999999.tmp', 'pdc.csv'));
    await weir([...importing, '--copy-to', copies]);
    const left = (await readdir(copies)).filter((name) => name.startsWith('.'));
    t.deepEqual(left, [`.20180131.${process.pid}.tmp`], 'what a process is at work on stays');
    const [day] = (await readdir(copies)).filter((name) => !name.startsWith('.'));
    t.regex(await readFile(join(copies, day!, 'pdc.csv'), 'utf8'), /^4,2,/m);
    t.not(await digestOf(state), before);
  });

  if (process.getuid?.() === 0)
    test('a folder that may only be read is told, and nothing is imported', async (t) => {
      const world = await importWorld(t, engines['PostgreSQL']!);
      if (world === undefined) return;
      const [state, copies] = [join(world.folder, 'state'), join(world.folder, 'copies')];
      for (const folder of [state, copies]) mkdirSync(folder);
      chmodSync(world.folder, 0o755);
      chownSync(state, 65_534, 65_534);
      chmodSync(copies, 0o555);
      const words = ['park', 'import', ...world.from, '--state', state, '--copy-to', copies];
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
      const ran = spawnSync('setpriv', [...nobody, process.execPath, 'dist/topologies/grid/main.js', ...words], {
        encoding: 'utf8',
      });
      t.is(ran.status, 1, ran.stderr);
      t.regex(ran.stderr, /^STREAMS_FILE: the tables cannot be kept in .*: EACCES.*that can be written/m);
      t.deepEqual(await readdir(state), []);
    });
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}
