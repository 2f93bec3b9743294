import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { retry } from './retry.ts';
import { sinkError } from './sink-error.ts';
import type { Spool } from './spool.ts';
import { SpooledFile } from './spooled-file.ts';
import {
  assertPath,
  flatName,
  type PendingFile,
  pathOf,
  pendingFolder,
  type SinkTarget,
  type TargetFile,
} from './target.ts';
import { HdfsError, WebHdfsClient } from './webhdfs-client.ts';

/** How HDFS is reached. */
export interface WebHdfsOptions {
  /** How long a server that is away is waited for, ms. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** https to the NameNode. @defaultValue false */
  readonly tls?: boolean;
}

/** Errors of the cluster that pass: it starts, looks for a DataNode, or changes over. */
const passing = new Set(['SafeModeException', 'RetriableException', 'StandbyException', 'NotReplicatedYetException']);

/**
 * A folder of HDFS, through WebHDFS. A file is sent under a name in `_pending` and becomes visible by a rename, which never replaces a file: one that is there already
 * is from an attempt at the same records.
 */
export class WebHdfsTarget implements SinkTarget {
  readonly url: string;
  readonly #root: string;
  readonly #client: WebHdfsClient;
  readonly #options: WebHdfsOptions;
  readonly #closed = new AbortController();
  readonly #folders = new Set<string>();

  /** @param url - `hdfs://user@namenode:9870/path`: the HTTP port of the NameNode. */
  constructor(url: URL, options: WebHdfsOptions) {
    this.#options = options;
    const port = url.port === '' ? '9870' : url.port;
    this.#root = decodeURIComponent(url.pathname).replace(/\/+$/, '');
    this.url = `hdfs://${url.hostname}:${port}${this.#root}`;
    const base = new URL(`${options.tls === true ? 'https' : 'http'}://${url.hostname}:${port}`);
    const user = url.username === '' ? undefined : decodeURIComponent(url.username);
    this.#client = new WebHdfsClient(base, user, this.#closed.signal);
  }

  open(_owner: string): Promise<PendingFile> {
    return SpooledFile.open((path, spool) => this.#upload(path, spool));
  }

  async commit(path: string): Promise<void> {
    assertPath(path);
    const to = `${this.#root}/${path}`;
    await this.#try(`${path} cannot be made visible`, async () => {
      await this.#makeFolder(to.slice(0, to.lastIndexOf('/')));
      if (await this.#client.rename(this.#sealedPath(path), to)) return;
      if ((await this.#client.size(to)) === undefined)
        throw new HdfsError(200, '', 'it is neither complete nor visible');
      await this.#client.remove(this.#sealedPath(path));
    });
  }

  async sealed(): Promise<readonly string[]> {
    return this.#try('the folder cannot be read', async () => {
      const entries = await this.#client.entries(`${this.#root}/${pendingFolder}`);
      const paths = entries
        .filter(({ pathSuffix }) => pathSuffix.endsWith(sealedSuffix))
        .map(({ pathSuffix }) => pathOf(pathSuffix.slice(0, -sealedSuffix.length)));
      return paths.sort();
    });
  }

  async abort(path: string): Promise<void> {
    await this.#try(`${path} cannot be removed`, () => this.#client.remove(this.#sealedPath(path)));
  }

  /** What is not sealed is on this machine alone. */
  async abandon(): Promise<void> {}

  async list(prefix: string): Promise<readonly TargetFile[]> {
    return this.#try('the folder cannot be read', async () => {
      const found: TargetFile[] = [];
      await this.#walk(prefix, found);
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  read(path: string): Promise<Uint8Array> {
    assertPath(path);
    return this.#try(`${path} cannot be read`, () => this.#client.read(`${this.#root}/${path}`));
  }

  async remove(path: string): Promise<void> {
    assertPath(path);
    await this.#try(`${path} cannot be removed`, () => this.#client.remove(`${this.#root}/${path}`));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#client.close();
  }

  async #upload(path: string, spool: Spool): Promise<void> {
    const sealed = this.#sealedPath(path);
    const under = `${sealed}.part`;
    await this.#try(`${path} cannot be written`, async () => {
      await this.#makeFolder(`${this.#root}/${pendingFolder}`);
      await this.#client.create(under, spool);
      if (await this.#client.rename(under, sealed)) return;
      // From an attempt at the same records: it has the same bytes.
      if ((await this.#client.size(sealed)) !== spool.bytes) {
        await this.#client.remove(sealed);
        if (!(await this.#client.rename(under, sealed)))
          throw new HdfsError(200, '', 'the complete file cannot be renamed');
      } else await this.#client.remove(under);
    });
  }

  async #walk(prefix: string, found: TargetFile[]): Promise<void> {
    const folders = [''];
    while (folders.length > 0) {
      const some = folders.splice(0, foldersAtOnce);
      const entries = await Promise.all(some.map((folder) => this.#client.entries(`${this.#root}/${folder}`)));
      for (const [i, folder] of some.entries())
        for (const { pathSuffix, type, length } of entries[i]!) {
          const path = `${folder}${pathSuffix}`;
          if (path === pendingFolder) continue;
          if (type === 'DIRECTORY') {
            // A folder on the way to the prefix, or below it.
            if (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)) folders.push(`${path}/`);
          } else if (path.startsWith(prefix)) found.push({ path, bytes: length });
        }
    }
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    await this.#client.mkdirs(path);
    this.#folders.add(path);
  }

  #sealedPath(path: string): string {
    assertPath(path);
    return `${this.#root}/${pendingFolder}/${flatName(path)}${sealedSuffix}`;
  }

  async #try<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { timeoutMs, logger } = this.#options;
    try {
      return await retry(work, {
        timeoutMs,
        signal: this.#closed.signal,
        retriable: mayPass,
        failed: (error, pauseMs) => {
          // A folder may have been removed with the server's data.
          this.#folders.clear();
          logger.warn({ target: this.url, pauseMs }, `${what}: ${messageOf(error)}; trying again`);
        },
      });
    } catch (error) {
      if (StreamsError.is(error)) throw error;
      throw sinkError(this.url, what, error, todoOf(error), mayPass(error));
    }
  }
}

const sealedSuffix = '.sealed';

/** How many folders are listed at the same time: an archive by the hour has tens of thousands. */
const foldersAtOnce = 16;

function mayPass(error: unknown): boolean {
  if (!(error instanceof HdfsError)) return !StreamsError.is(error) && (error as Error).name !== 'AbortError';
  if (error.status >= 500) return true;
  return (
    passing.has(error.exception) ||
    (error.exception === 'IOException' &&
      error.status === 403 &&
      /could only be written|Failed to find datanode|no datanode/i.test(error.message))
  );
}

function todoOf(error: unknown): string {
  if (!(error instanceof HdfsError)) return 'See that the NameNode and the DataNodes run and can be reached over HTTP.';
  if (/AccessControl|Security/.test(error.exception))
    return 'Grant that user the right to write there, or name another user in the URL: hdfs://user@host:port/path.';
  if (/Quota|could only be written/.test(`${error.exception} ${error.message}`))
    return 'Make room in HDFS and start again: what is not visible yet is written again.';
  return 'See what the NameNode says, and start again: what is not visible yet is written again.';
}
