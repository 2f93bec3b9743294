import { readFileSync } from 'node:fs';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';

/** How a connection is encrypted. Certificates and keys are PEM. */
export interface SourceTls {
  /** False: any certificate is accepted. */
  readonly verify: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A server, and the databases on it that tables are looked for in. */
export interface SourceAddress {
  readonly kind: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** MySQL may have several, PostgreSQL has one. */
  readonly databases: readonly string[];
  /** PostgreSQL: the schema that tables are looked for in. Undefined: those of the user's search path. */
  readonly schema: string | undefined;
  readonly tls: SourceTls | undefined;
  /** Without secrets. */
  readonly name: string;
}

const kinds: Readonly<Record<string, SourceAddress['kind']>> = {
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
};
/** Where the password is that no parameter of a URL names. */
export interface Passwords {
  readonly password: string | undefined;
  readonly file: string | undefined;
  /** For the variables that the databases' own clients read. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const ports = { mysql: 3306, postgres: 5432 };
const parameters: readonly string[] = ['password-file', 'schema', 'tls', 'tls-ca', 'tls-cert', 'tls-key'];
/** What the databases' own clients read. */
const passwordVariables = { mysql: 'MYSQL_PWD', postgres: 'PGPASSWORD' };

/**
 * The servers that URLs such as `mysql://grid@db:3306/parc` name. Databases of MySQL at the same server with the same login and parameters become one address: one connection sees
 * all of them at the same instant.
 *
 * The password is that of the file `?password-file=` names, else that of the settings `import.password` or `import.password.file`, else `MYSQL_PWD` or `PGPASSWORD`.
 *
 * @param flag - The option that gives the URLs, for messages. @defaultValue '--from'
 * @throws StreamsError `STREAMS_USAGE` for a URL that is malformed or has a password in it, `STREAMS_CONFIG` for a file that cannot be read.
 */
export function sourceAddresses(
  urls: readonly string[],
  passwords: Passwords,
  flag = '--from',
): readonly SourceAddress[] {
  const addresses = new Map<string, SourceAddress>();
  for (const text of urls) {
    const address = addressOf(text, passwords, flag);
    const { databases, name, ...login } = address;
    // PostgreSQL reads one database on a connection.
    const key = JSON.stringify(login.kind === 'mysql' ? login : { ...login, databases });
    const before = addresses.get(key);
    if (before === undefined) addresses.set(key, address);
    else if (!before.databases.includes(databases[0]!)) {
      const all = [...before.databases, ...databases];
      addresses.set(key, { ...before, databases: all, name: nameOf({ ...before, databases: all }) });
    }
  }
  return [...addresses.values()];
}

function addressOf(text: string, passwords: Passwords, flag: string): SourceAddress {
  const url = parse(text, flag);
  const kind = kinds[url.protocol];
  if (kind === undefined)
    throw usage(`${flag} ${url.protocol}// is not a database: mysql://, mariadb:// and postgres:// are`);
  if (url.password !== '')
    throw usage(
      `${flag} holds a password, which everybody sees who lists processes. Write ${url.protocol}//USER@HOST/DATABASE and give the password by ?password-file=FILE or the environment variable WEIR_IMPORT_PASSWORD`,
    );
  const database = decode(url.pathname.slice(1), flag);
  const user = decode(url.username, flag);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '' || database === '' || user === '' || database.includes('/'))
    throw usage(`${flag} ${shown(url)} is incomplete: write ${url.protocol}//USER@HOST:PORT/DATABASE`);
  for (const [name] of url.searchParams)
    if (!parameters.includes(name))
      throw usage(`${flag} ${shown(url)}: unknown parameter "${name}". There are: ${parameters.join(', ')}`);
  const address = {
    ...{ kind, host, user, databases: [database] },
    port: url.port === '' ? ports[kind] : Number(url.port),
    password: passwordOf(kind, url.searchParams.get('password-file'), passwords),
    schema: url.searchParams.get('schema') ?? undefined,
    tls: tlsOf(url, flag),
  };
  if (kind === 'mysql' && address.schema !== undefined)
    throw usage(`${flag} ${shown(url)}: schema= is for PostgreSQL; a database of MySQL has none`);
  return { ...address, name: nameOf(address) };
}

function parse(text: string, flag: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may hold a password: it is not repeated.
    throw usage(`${flag} is not a URL: write mysql://USER@HOST:PORT/DATABASE or postgres://USER@HOST:PORT/DATABASE`);
  }
}

function decode(text: string, flag: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage(`${flag} has a % that no two hexadecimal digits follow: write it as %25`);
  }
}

function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function nameOf({ kind, host, port, databases }: Pick<SourceAddress, 'kind' | 'host' | 'port' | 'databases'>): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}/${databases.join('+')}`;
}

function passwordOf(
  kind: SourceAddress['kind'],
  own: string | null,
  { password, file, env }: Passwords,
): string | undefined {
  if (own !== null) return passwordIn(own, 'password-file=');
  if (password !== undefined) return password;
  if (file !== undefined) return passwordIn(file, 'import.password.file');
  return env[passwordVariables[kind]];
}

function passwordIn(file: string, what: string): string {
  return read(file, what).replace(/(\r?\n)+$/, '');
}

function tlsOf(url: URL, flag: string): SourceTls | undefined {
  const mode = url.searchParams.get('tls') ?? (url.searchParams.has('tls-ca') ? 'verify' : 'off');
  if (!['off', 'verify', 'no-verify'].includes(mode))
    throw usage(`${flag} ${shown(url)}: tls=${mode} is unknown: write off, verify or no-verify`);
  const files = ['ca', 'cert', 'key'].flatMap((name) => {
    const file = url.searchParams.get(`tls-${name}`);
    return file === null ? [] : [[name, read(file, `tls-${name}=`)]];
  });
  if (mode !== 'off') return { verify: mode === 'verify', ...Object.fromEntries(files) };
  if (files.length > 0)
    throw usage(`${flag} ${shown(url)}: tls=off, but certificates are given. Leave one of them out`);
  return undefined;
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StreamsError('STREAMS_CONFIG', `${what} cannot be read: ${messageOf(cause)}. Give the path of a file.`, {
      file,
      cause,
    });
  }
}

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `${message}.`);
}
