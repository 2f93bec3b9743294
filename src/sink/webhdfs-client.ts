import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { Spool } from './spool.ts';

/** What a WebHDFS server answered with another status than 2xx. */
export class HdfsError extends Error {
  override readonly name = 'HdfsError';
  readonly status: number;
  /** Hadoop's own name, such as `FileNotFoundException`; '' without. */
  readonly exception: string;

  constructor(status: number, exception: string, message: string) {
    super(message);
    this.status = status;
    this.exception = exception;
  }
}

/** An entry of a folder. */
export interface HdfsEntry {
  readonly pathSuffix: string;
  readonly type: 'FILE' | 'DIRECTORY';
  readonly length: number;
}

const idleTimeoutMs = 60_000;

/**
 * The part of WebHDFS that a sink needs, over `node:http`: `fetch` cannot write to a DataNode, which sends `100 Continue` unasked.
 *
 * Writing and reading take two steps: the NameNode redirects to a DataNode.
 */
export class WebHdfsClient {
  readonly #base: URL;
  readonly #user: string | undefined;
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });
  readonly #signal: AbortSignal;

  /** @param base - `http://namenode:9870`. */
  constructor(base: URL, user: string | undefined, signal: AbortSignal) {
    this.#base = base;
    this.#user = user;
    this.#signal = signal;
  }

  async mkdirs(path: string): Promise<void> {
    const { boolean } = await this.#json<{ boolean: boolean }>('PUT', path, { op: 'MKDIRS' });
    if (!boolean) throw new HdfsError(200, '', `the folder ${path} cannot be made`);
  }

  /** Writes a file, replacing one of that name. */
  async create(path: string, spool: Spool): Promise<void> {
    const location = await this.#redirect('PUT', path, { op: 'CREATE', overwrite: 'true' });
    const request = this.#request('PUT', location, {
      'content-length': String(spool.bytes),
      'content-type': 'application/octet-stream',
    });
    const answer = answerOf(request);
    answer.catch(() => {});
    // A DataNode that refuses may hang up before it has read all: its answer says why.
    const sent = spool.bytes === 0 ? endOf(request) : pipeline(spool.read(), request).catch(() => {});
    await sent;
    await bodyOf(await answer);
  }

  /** False where the source is not there, or the destination is. */
  async rename(from: string, to: string): Promise<boolean> {
    return (await this.#json<{ boolean: boolean }>('PUT', from, { op: 'RENAME', destination: to })).boolean;
  }

  /** Removes a file or an empty folder; false if it was not there. */
  async remove(path: string): Promise<boolean> {
    return (await this.#json<{ boolean: boolean }>('DELETE', path, { op: 'DELETE', recursive: 'false' })).boolean;
  }

  /** The size of a file; undefined if there is none. */
  async size(path: string): Promise<number | undefined> {
    try {
      const { FileStatus } = await this.#json<{ FileStatus: HdfsEntry }>('GET', path, { op: 'GETFILESTATUS' });
      return FileStatus.type === 'FILE' ? FileStatus.length : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The entries of a folder; none if it is not there. */
  async entries(path: string): Promise<readonly HdfsEntry[]> {
    try {
      const { FileStatuses } = await this.#json<{ FileStatuses: { FileStatus: HdfsEntry[] } }>('GET', path, {
        op: 'LISTSTATUS',
      });
      return FileStatuses.FileStatus;
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async read(path: string): Promise<Uint8Array> {
    const location = await this.#redirect('GET', path, { op: 'OPEN' });
    const request = this.#request('GET', location, {});
    request.end();
    return bodyOf(await answerOf(request));
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  async #json<T>(method: string, path: string, query: Readonly<Record<string, string>>): Promise<T> {
    const request = this.#request(method, this.#url(path, query), {});
    request.end();
    return JSON.parse((await bodyOf(await answerOf(request))).toString()) as T;
  }

  async #redirect(method: string, path: string, query: Readonly<Record<string, string>>): Promise<URL> {
    const { Location } = await this.#json<{ Location: string }>(method, path, { ...query, noredirect: 'true' });
    return new URL(Location);
  }

  #url(path: string, query: Readonly<Record<string, string>>): URL {
    const url = new URL(this.#base);
    url.pathname = `/webhdfs/v1${path.split('/').map(encodeURIComponent).join('/')}`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    if (this.#user !== undefined) url.searchParams.set('user.name', this.#user);
    return url;
  }

  #request(method: string, url: URL, headers: Readonly<Record<string, string>>): ClientRequest {
    const secure = url.protocol === 'https:';
    const make = secure ? httpsRequest : httpRequest;
    const agent = secure ? this.#https : this.#http;
    return make(url, { method, headers, agent, timeout: idleTimeoutMs, signal: this.#signal });
  }
}

async function endOf(request: ClientRequest): Promise<void> {
  request.end();
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('timeout', () => request.destroy(new Error(`no answer within ${idleTimeoutMs / 1000} s`)));
  });
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300) return body;
  throw remoteError(status, body.toString());
}

function remoteError(status: number, body: string): HdfsError {
  try {
    const { RemoteException } = JSON.parse(body) as { RemoteException: { exception: string; message: string } };
    return new HdfsError(status, RemoteException.exception, RemoteException.message.split('\n')[0]!);
  } catch {
    return new HdfsError(status, '', `HTTP status ${status}`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof HdfsError && error.exception === 'FileNotFoundException';
}
