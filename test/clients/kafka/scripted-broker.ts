import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Writes fields of an answer. */
export class Bytes {
  #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#push(1, (buffer) => buffer.writeInt8(value));
  }

  int16(value: number): this {
    return this.#push(2, (buffer) => buffer.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.#push(4, (buffer) => buffer.writeInt32BE(value));
  }

  int64(value: number): this {
    return this.#push(8, (buffer) => buffer.writeBigInt64BE(BigInt(value)));
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    return this.int16(Buffer.byteLength(value)).raw(Buffer.from(value));
  }

  bytes(value: Buffer): this {
    return this.int32(value.length).raw(value);
  }

  array<T>(values: readonly T[], each: (value: T, to: this) => unknown): this {
    this.int32(values.length);
    for (const value of values) each(value, this);
    return this;
  }

  raw(value: Buffer): this {
    this.#parts.push(value);
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #push(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size);
    write(buffer);
    return this.raw(buffer);
  }
}

/** Reads fields of a request. */
export class Fields {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  int8(): number {
    return this.#buffer.readInt8(this.#move(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#move(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#move(4));
  }

  int64(): number {
    return Number(this.#buffer.readBigInt64BE(this.#move(8)));
  }

  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#buffer.toString('utf8', this.#move(length), this.#at);
  }

  bytes(): Buffer {
    const length = this.int32();
    return this.#buffer.subarray(this.#move(length), this.#at);
  }

  array<T>(each: (from: this) => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, () => each(this));
  }

  #move(by: number): number {
    this.#at += by;
    return this.#at - by;
  }
}

/** What a script does with a request: an answer, the end of the connection, or nothing. */
export type Reply = Bytes | 'cut' | 'silence';

/** Answers a request; `count` is 0 for the first one of its kind. */
export type Script = (request: Fields, count: number) => Reply;

/** A request that came. */
export interface Seen {
  readonly apiKey: number;
  readonly connection: number;
}

/**
 * A broker that answers as a test says, by API key. Unless told otherwise it knows itself as broker 7, leads two partitions of topic "t", coordinates everything, and
 * says that it speaks all versions.
 */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scripts = new Map<number, Script>();
  readonly #counts = new Map<number, number>();
  readonly seen: Seen[] = [];
  #connections = 0;
  #broken: unknown;

  private constructor() {
    this.#server = createServer((socket) => this.#connected(socket));
    this.on(18, () =>
      new Bytes()
        .int16(0)
        .array(allKeys, (key, to) => to.int16(key).int16(0).int16(99))
        .int32(0),
    );
    this.on(3, () => this.metadata([{ topic: 't', leaders: [7, 7] }]));
    this.on(10, () => new Bytes().int32(0).int16(0).string(null).int32(7).string('127.0.0.1').int32(this.port));
  }

  static async start(): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker();
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  on(apiKey: number, script: Script): this {
    this.#scripts.set(apiKey, script);
    return this;
  }

  /** Requests of this kind so far. */
  count(apiKey: number): number {
    return this.#counts.get(apiKey) ?? 0;
  }

  /** Metadata 6. */
  metadata(
    topics: readonly { topic: string; error?: number; leaders: readonly number[] }[],
    brokers: readonly { nodeId: number; port: number }[] = [{ nodeId: 7, port: this.port }],
  ): Bytes {
    const none = new Bytes().int32(0).int32(0).int32(0).done();
    return new Bytes()
      .int32(0)
      .array(brokers, ({ nodeId, port }, to) => to.int32(nodeId).string('127.0.0.1').int32(port).string(null))
      .string('cluster')
      .int32(7)
      .array(topics, ({ topic, error = 0, leaders }, to) =>
        to
          .int16(error)
          .string(topic)
          .int8(0)
          .array([...leaders.entries()], ([id, leader]) => to.int16(0).int32(id).int32(leader).raw(none)),
      );
  }

  /** Ends it. Throws what a script has thrown: what it has found wrong with a request. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    if (this.#broken !== undefined) throw this.#broken;
  }

  #connected(socket: Socket): void {
    const connection = this.#connections++;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0);
        this.#request(socket, connection, rest.subarray(0, end));
        rest = rest.subarray(end);
      }
    });
  }

  #request(socket: Socket, connection: number, frame: Buffer): void {
    const apiKey = frame.readInt16BE(4);
    const script = this.#scripts.get(apiKey);
    if (script === undefined) throw new Error(`no script for requests of kind ${apiKey}`);
    const count = this.count(apiKey);
    this.#counts.set(apiKey, count + 1);
    this.seen.push({ apiKey, connection });
    let reply: Reply = 'cut';
    try {
      reply = script(new Fields(frame, 14 + frame.readInt16BE(12)), count);
    } catch (error) {
      this.#broken ??= error;
    }
    if (reply === 'cut') socket.destroy();
    else if (reply !== 'silence') {
      const body = reply.done();
      socket.write(
        new Bytes()
          .int32(4 + body.length)
          .int32(frame.readInt32BE(8))
          .raw(body)
          .done(),
      );
    }
  }
}

const allKeys = Array.from({ length: 50 }, (_, key) => key);
