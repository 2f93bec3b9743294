import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** When a connection is cut: the request is not passed on; it is, but its answer is not; the answer is passed on first. */
export type CutMoment = 'before' | 'in' | 'after';

interface Cut {
  readonly apiKey: number;
  readonly moment: CutMoment;
  readonly clientId: string | undefined;
  done(): void;
}

/**
 * A TCP proxy that knows where Kafka's requests and answers begin and end, and who sends them, so that a test can cut a connection at a given moment of a given
 * request, or stop a client as if its process were stopped.
 */
export class TcpProxy {
  readonly #targetHost: string;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #frozen = new Set<string>();
  #cuts: Cut[] = [];
  #refusing = false;

  constructor(targetHost: string, targetPort: number) {
    this.#targetHost = targetHost;
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#connected(client));
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Cuts all connections that are open; new ones are taken. */
  cut(): void {
    for (const link of this.#links) link.end();
  }

  /** Cuts all connections and takes no new ones until `accept`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Takes connections again. */
  accept(): void {
    this.#refusing = false;
  }

  /** Passes on nothing of this client, in both ways, on connections that it has and that it makes, until `thaw`. '' stands for all clients. */
  freeze(clientId = ''): void {
    this.#frozen.add(clientId);
  }

  /** Passes on again, beginning with what has come meanwhile. */
  thaw(clientId = ''): void {
    this.#frozen.delete(clientId);
    for (const link of this.#links) link.flush();
  }

  /**
   * Cuts the connection of the next request of this kind (of this client) at this moment. Resolves when it was cut. API keys: Produce 0, Fetch 1, EndTxn 26,
   * TxnOffsetCommit 28, ...
   */
  cutOnce(apiKey: number, moment: CutMoment, clientId?: string): Promise<void> {
    return new Promise((resolve) => {
      this.#cuts.push({ apiKey, moment, clientId, done: resolve });
    });
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connected(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const link = new Link(client, connect(this.#targetPort, this.#targetHost), {
      isFrozen: (clientId) => this.#frozen.has('') || this.#frozen.has(clientId),
      take: (apiKey, clientId) => this.#take(apiKey, clientId),
      closed: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }

  #take(apiKey: number, clientId: string): Cut | undefined {
    const at = this.#cuts.findIndex((cut) => cut.apiKey === apiKey && (cut.clientId ?? clientId) === clientId);
    return at < 0 ? undefined : this.#cuts.splice(at, 1)[0];
  }
}

interface LinkOwner {
  isFrozen(clientId: string): boolean;
  take(apiKey: number, clientId: string): Cut | undefined;
  closed(): void;
}

/** A client's connection and the one to the broker that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #owner: LinkOwner;
  readonly #held: (() => void)[] = [];
  /** Requests whose answers matter, by correlation id. */
  readonly #awaited = new Map<number, Cut>();
  #clientId = '';
  #ended = false;

  constructor(client: Socket, server: Socket, owner: LinkOwner) {
    this.#client = client;
    this.#server = server;
    this.#owner = owner;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => this.end());
    }
    const requests = new Frames((frame) => {
      // size | api key | version | correlation id | client id
      this.#clientId ||= frame.toString('utf8', 14, 14 + Math.max(0, frame.readInt16BE(12)));
      this.#pass(() => this.#request(frame));
    });
    const answers = new Frames((frame) => this.#pass(() => this.#answer(frame)));
    client.on('data', (data: Buffer) => requests.push(data));
    server.on('data', (data: Buffer) => answers.push(data));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#client.destroy();
    this.#server.destroy();
    this.#owner.closed();
  }

  /** Passes on what was held, unless it is to be held still. */
  flush(): void {
    while (this.#held.length > 0 && !this.#owner.isFrozen(this.#clientId)) this.#held.shift()!();
  }

  #pass(frame: () => void): void {
    this.#held.push(frame);
    this.flush();
  }

  #request(frame: Buffer): void {
    const cut = this.#owner.take(frame.readInt16BE(4), this.#clientId);
    if (cut?.moment === 'before') this.#cut(cut);
    else if (cut !== undefined) this.#awaited.set(frame.readInt32BE(8), cut);
    if (!this.#ended) this.#server.write(frame);
  }

  #answer(frame: Buffer): void {
    const cut = this.#awaited.get(frame.readInt32BE(4));
    if (cut?.moment === 'in') this.#cut(cut);
    if (this.#ended) return;
    if (cut === undefined) this.#client.write(frame);
    else this.#client.write(frame, () => this.#cut(cut));
  }

  #cut(cut: Cut): void {
    this.end();
    cut.done();
  }
}

/** Takes a stream apart into frames: size (int32), then as many bytes. */
class Frames {
  readonly #each: (frame: Buffer) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** @param each - gets a frame with its size field. */
  constructor(each: (frame: Buffer) => void) {
    this.#each = each;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= 4) {
      if (this.#chunks[0]!.length < 4) this.#join();
      const size = 4 + this.#chunks[0]!.readInt32BE(0);
      if (this.#bytes < size) return;
      this.#join();
      const all = this.#chunks[0]!;
      const rest = all.subarray(size);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      this.#each(all.subarray(0, size));
    }
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
