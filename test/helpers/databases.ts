import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, PartMissing } from './parts.ts';

/** A real database server, a child process on loopback. Its user `grid` has the password `grid` and may do everything. */
export interface DatabaseServer {
  readonly kind: 'mysql' | 'postgres';
  readonly port: number;
  /** The URL of a database as `--from` takes it. */
  url(database: string): string;
  /** Runs statements in a database; `''`: in none. @throws with what the client printed */
  run(statements: string, database?: string): string;
  /** Starts it again over the same data. */
  start(): Promise<void>;
  /** Stops the process: SIGTERM cleanly, SIGKILL as a crash. SIGSTOP and SIGCONT let it hang and go on. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/** What `WEIR_IMPORT_PASSWORD` must be. */
export const databasePassword = 'grid';

interface Engine {
  readonly kind: DatabaseServer['kind'];
  readonly user: string;
  initialize(folder: string): void;
  command(folder: string, port: number): readonly string[];
  client(port: number, database: string): readonly string[];
  setUp(run: DatabaseServer['run']): void;
}

/** MariaDB. @param flags - Further options of `mariadbd`. @throws PartMissing */
export function startMariaDb(flags: readonly string[] = []): Promise<DatabaseServer> {
  return start({
    kind: 'mysql',
    user: 'mysql',
    initialize(folder) {
      const options = ['--no-defaults', '--auth-root-authentication-method=normal', '--user=mysql', '--skip-test-db'];
      must('mariadb-install-db', [...options, `--datadir=${join(folder, 'data')}`]);
    },
    command: (folder, port) => [
      ...['mariadbd', '--no-defaults', '--user=mysql', `--datadir=${join(folder, 'data')}`],
      ...[`--socket=${join(folder, 'm.sock')}`, `--pid-file=${join(folder, 'm.pid')}`, '--bind-address=127.0.0.1'],
      ...[`--port=${port}`, '--innodb-buffer-pool-size=64M', '--performance-schema=off', ...flags],
    ],
    client: (port, database) => [
      ...['mariadb', '--no-defaults', '-h127.0.0.1', `-P${port}`, '-uroot', '--batch', '--skip-column-names'],
      ...['--local-infile=1', ...(database === '' ? [] : [database])],
    ],
    setUp: (run) => {
      run(`create user grid@'127.0.0.1' identified by '${databasePassword}'; grant all on *.* to grid@'127.0.0.1'`);
    },
  });
}

/** PostgreSQL, which asks for passwords. @param flags - Further settings, `name=value`. @throws PartMissing */
export function startPostgres(flags: readonly string[] = []): Promise<DatabaseServer> {
  const versions = '/usr/lib/postgresql';
  const version = existsSync(versions) ? readdirSync(versions).sort().at(-1) : undefined;
  if (version === undefined) return Promise.reject(missing('postgresql'));
  const bin = join(versions, version, 'bin');
  return start({
    kind: 'postgres',
    user: 'postgres',
    initialize(folder) {
      const initdb = [join(bin, 'initdb'), '-D', join(folder, 'data'), '-A', 'trust', '-U', 'root', '--no-sync'];
      must('setpriv', [
        '--reuid=postgres',
        '--regid=postgres',
        '--clear-groups',
        ...initdb,
        '--locale=C.UTF-8',
        '-E',
        'UTF8',
      ]);
    },
    command: (folder, port) => [
      ...['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', join(bin, 'postgres')],
      ...['-D', join(folder, 'data'), '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off', ...flags.flatMap((flag) => ['-c', flag])],
    ],
    client: (port, database) => [
      ...['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(port), '-U', 'root'],
      ...['-d', database === '' ? 'postgres' : database],
    ],
    setUp: (run) => {
      run(`create role grid superuser login password '${databasePassword}'`);
      // Only now: whoever sets up comes without one.
      run(
        `copy (select 'host all root 127.0.0.1/32 trust' union all select 'host all all 127.0.0.1/32 scram-sha-256') to program 'cat > pg_hba.conf'; select pg_reload_conf()`,
      );
    },
  });
}

function missing(name: string): PartMissing {
  return new PartMissing(`${name} is not installed: apt-get install ${name}.`);
}

function must(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 28,
    env: { ...process.env, PGPASSWORD: '' },
  });
  if (error !== undefined || status !== 0) throw new Error(`${command}: ${error?.message ?? ''}${stderr}`);
  return stdout;
}

async function start(engine: Engine): Promise<DatabaseServer> {
  const { kind, user } = engine;
  if (kind === 'mysql' && spawnSync('mariadbd', ['--version']).status !== 0) throw missing('mariadb-server');
  const folder = mkdtempSync(join(tmpdir(), `weir-${kind}-`));
  const uid = Number(must('id', ['-u', user]));
  chmodSync(folder, 0o755);
  chownSync(folder, uid, -1);
  mkdirSync(join(folder, 'data'));
  chownSync(join(folder, 'data'), uid, -1);
  chmodSync(join(folder, 'data'), 0o700);
  engine.initialize(folder);
  const server = new Server(engine, folder, await freePort());
  try {
    await server.start();
    engine.setUp((statements) => server.run(statements));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class Server implements DatabaseServer {
  readonly kind: DatabaseServer['kind'];
  readonly port: number;
  readonly #engine: Engine;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  readonly #atExit = (): void => {
    this.#child?.kill('SIGKILL');
  };

  constructor(engine: Engine, folder: string, port: number) {
    this.#engine = engine;
    this.#folder = folder;
    this.kind = engine.kind;
    this.port = port;
    process.once('exit', this.#atExit);
  }

  url(database: string): string {
    return `${this.kind}://grid@127.0.0.1:${this.port}/${database}`;
  }

  run(statements: string, database = ''): string {
    const [command, ...args] = this.#engine.client(this.port, database);
    return must(command!, args, statements);
  }

  async start(): Promise<void> {
    const [command, ...args] = this.#engine.command(this.#folder, this.port);
    const log: string[] = [];
    const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    this.#child = child;
    const until = Date.now() + 60_000;
    while (!this.#answers()) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`${command} did not start: ${log.join('')}`);
      await delay(100);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#child = undefined;
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    process.off('exit', this.#atExit);
    // Children of the server may still be ending.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20 });
  }

  #answers(): boolean {
    const [command, ...args] = this.#engine.client(this.port, '');
    return spawnSync(command!, args, { input: 'select 1' }).status === 0;
  }
}
