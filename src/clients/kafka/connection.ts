import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Logger } from '../../common/logger.ts';
import { type Api, kafkajsApi } from './api.ts';
import type { ApiVersions } from './api-versions.ts';
import { ConnectionLost, check, fromKafkajs } from './errors.ts';
import { type Connection, type ConnectionOptions, type KafkajsLogger, kafkajs } from './kafkajs.ts';
import type { TlsOptions } from './tls-options.ts';

/** How brokers are reached. */
export interface ConnectionConfig {
  readonly clientId: string;
  readonly ssl: TlsOptions | undefined;
  readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string } | undefined;
  /** Longest time for a connection, TLS and login included, ms. */
  readonly connectTimeoutMs: number;
  /** Longest wait for an answer, ms. */
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

const apiVersions = kafkajsApi<
  undefined,
  {
    errorCode: number;
    apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
  }
>('ApiVersions');

/**
 * A connection to a broker: requests are answered in the order they were sent. It ends with the first error, timeout or cut; a new one is made then.
 *
 * Errors are `ConnectionLost` or, for a refused login, StreamsError.
 */
export class KafkaConnection {
  /** `host:port`. */
  readonly address: string;
  readonly #config: ConnectionConfig;
  readonly #connection: Connection;
  readonly #head: Buffer;
  #versions: ApiVersions = {};
  #lost: Error | undefined;

  private constructor(config: ConnectionConfig, host: string, port: number) {
    this.#config = config;
    this.address = `${host}:${port}`;
    const clientId = Buffer.from(config.clientId);
    this.#head = Buffer.alloc(14 + clientId.length);
    this.#head.writeInt16BE(clientId.length, 12);
    clientId.copy(this.#head, 14);
    this.#connection = new (kafkajs().Connection)({
      host,
      port,
      logger: kafkajsLogger(config.logger),
      socketFactory: openSocket,
      ssl: config.ssl ?? null,
      sasl: config.sasl === undefined ? null : { ...config.sasl },
      clientId: config.clientId,
      connectionTimeout: config.connectTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      enforceRequestTimeout: false,
    });
    quietTimers(this.#connection);
  }

  /** Connects and logs in. */
  static async open(
    config: ConnectionConfig,
    host: string,
    port: number,
    timeoutMs?: number,
  ): Promise<KafkaConnection> {
    const connection = new KafkaConnection(config, host, port);
    await connection.#open(Math.min(config.connectTimeoutMs, timeoutMs ?? Number.POSITIVE_INFINITY));
    return connection;
  }

  async #open(timeoutMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.close(new ConnectionLost(`${this.address}: no connection within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    );
    try {
      await this.#unlessLost(this.#connection.connect(), () => {
        this.#connection.socket?.once('close', () => {
          this.close(new ConnectionLost(`${this.address}: the connection was closed`));
        });
      });
      this.#connection.socket?.once('data', (bytes: Buffer) => {
        const stranger = strangerOf(bytes);
        if (stranger !== undefined) this.close(new ConnectionLost(`${this.address}: ${stranger}`));
      });
      const answer = await this.call(apiVersions, undefined, timeoutMs);
      check(answer.errorCode);
      const versions: Record<number, { minVersion: number; maxVersion: number }> = {};
      for (const { apiKey, minVersion, maxVersion } of answer.apiVersions)
        versions[apiKey] = { minVersion, maxVersion };
      this.#versions = versions;
      this.#connection.setVersions(versions);
      this.#connection.setSupportAuthenticationProtocol(36 in versions);
      await this.#unlessLost(this.#connection.authenticate());
    } catch (error) {
      const known = fromKafkajs(error, this.address);
      this.close(known);
      throw this.#lost ?? known;
    } finally {
      clearTimeout(timer);
    }
  }

  get isOpen(): boolean {
    return this.#lost === undefined && this.#connection.isConnected();
  }

  /** Sends a request and waits for its answer. What the answer says is not looked at. */
  async call<Args, Result>(
    api: Api<Args, Result>,
    args: Args,
    timeoutMs: number = this.#config.requestTimeoutMs,
  ): Promise<Result> {
    if (this.#lost) throw this.#lost;
    const { request, response } = api.exchange(args, this.#versions);
    const { buffer } = await request.encode();
    try {
      if (this.#config.sasl !== undefined && request.apiKey !== 18 && !this.#connection.isAuthenticated()) {
        await this.#unlessLost(this.#connection.authenticate());
      }
      const payload = await this.#exchange(
        request,
        Buffer.isBuffer(buffer) ? [buffer] : (buffer as Buffer[]),
        timeoutMs,
      );
      const decoded = await response.decode(payload);
      this.#connection.requestQueue.maybeThrottle(
        (decoded as { clientSideThrottleTime?: number }).clientSideThrottleTime,
      );
      return await response.parse(decoded);
    } catch (error) {
      throw fromKafkajs(error, this.address);
    }
  }

  #exchange(
    { apiKey, apiName, apiVersion }: { apiKey: number; apiName: string; apiVersion: number },
    body: readonly Buffer[],
    timeoutMs: number,
  ): Promise<Buffer> {
    if (!this.isOpen) throw this.#lost ?? new ConnectionLost(`${this.address}: not connected`);
    return new Promise((resolve, reject) => {
      const correlationId = this.#connection.nextCorrelationId();
      // size | api key | version | correlation id | client id
      const head = Buffer.from(this.#head);
      head.writeInt32BE(head.length - 4 + body.reduce((sum, piece) => sum + piece.length, 0), 0);
      head.writeInt16BE(apiKey, 4);
      head.writeInt16BE(apiVersion, 6);
      head.writeInt32BE(correlationId, 8);
      const timer = setTimeout(() => {
        this.close(new ConnectionLost(`${this.address}: no answer to ${apiName} within ${Math.round(timeoutMs)} ms`));
      }, timeoutMs);
      this.#connection.requestQueue.push({
        entry: {
          apiKey,
          apiName,
          apiVersion,
          correlationId,
          resolve: ({ payload }) => {
            clearTimeout(timer);
            resolve(payload);
          },
          reject: (error) => {
            clearTimeout(timer);
            reject(this.#lost ?? error);
          },
        },
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => {
          const { socket } = this.#connection;
          socket?.cork();
          socket?.write(head);
          for (const piece of body) socket?.write(piece);
          socket?.uncork();
        },
      });
    });
  }

  /** Closes at once: requests under way fail. */
  close(reason: Error = new ConnectionLost(`${this.address}: the connection was closed here`)): void {
    if (this.#lost) return;
    this.#lost = reason;
    for (const reject of this.#stopWaiting) reject(reason);
    this.#stopWaiting.clear();
    this.#connection.rejectRequests(reason);
    this.#connection.disconnect().catch(() => {});
    this.#connection.socket?.destroy();
  }

  readonly #stopWaiting = new Set<(reason: Error) => void>();

  /** kafkajs does not settle what it began when a socket goes away in the middle of it. */
  #unlessLost<T>(promise: Promise<T>, begun?: () => void): Promise<T> {
    begun?.();
    return new Promise<T>((resolve, reject) => {
      if (this.#lost) reject(this.#lost);
      this.#stopWaiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#stopWaiting.delete(reject));
    });
  }
}

const openSocket: ConnectionOptions['socketFactory'] = ({ host, port, ssl, onConnect }) => {
  const socket: Socket =
    ssl === null
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  return socket;
};

/** kafkajs sets a timer after each answer, with a negative time where nothing waits: Node 24 warns of it. */
function quietTimers({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests;
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule.call(requestQueue);
  };
}

function kafkajsLogger(logger: Logger): KafkajsLogger {
  const log = (message: string, extra: object = {}): void => logger.debug(extra, `kafkajs: ${message}`);
  const own: KafkajsLogger = { namespace: () => own, debug: log, info: log, warn: log, error: log };
  return own;
}

/** The first answer of a broker, the versions that it knows, has some kilobytes. */
const longestFirstAnswer = 1 << 24;

/** What is to be said of somebody who is not a broker, by the first bytes that come; undefined: it may be one. */
function strangerOf(bytes: Buffer): string | undefined {
  if (bytes.length < 4 || bytes.readUInt32BE(0) <= longestFirstAnswer) return undefined;
  // A TLS record: an alert (21) or a handshake (22), version 3.
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3)
    return 'TLS is spoken there. Set security.protocol to ssl or sasl_ssl, or name the port of a listener without TLS';
  const begin = bytes.toString('latin1', 0, 24).replaceAll(/[^ -~].*/gs, '');
  const said = begin === '' ? 'bytes that no broker sends' : JSON.stringify(begin);
  return `what answers there is not a Kafka broker: it says ${said}. Check the port`;
}
