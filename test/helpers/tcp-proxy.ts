import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** When a connection is cut: the request is not passed on; it is, but its answer is not; the answer is passed on first. */
export type CutMoment = 'before' | 'in' | 'after';

interface Rule {
  readonly apiKey: number;
  readonly moment: CutMoment;
  done(): void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A TCP proxy that knows where Kafka's requests and answers begin and end, so that a test can cut a connection at a given moment of a given request.
 */
export class TcpProxy {
  readonly #targetHost: string;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #rules: Rule[] = [];
  #refusing = false;
  #frozen = false;

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
    for (const link of this.#links) end(link);
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

  /** Passes nothing on, in both ways, and cuts nothing: a broker that never answers. */
  freeze(): void {
    this.#frozen = true;
    for (const { client, server } of this.#links) {
      client.pause();
      server.pause();
    }
  }

  /** Passes on again, beginning with what has come meanwhile. */
  thaw(): void {
    this.#frozen = false;
    for (const { client, server } of this.#links) {
      client.resume();
      server.resume();
    }
  }

  /** Cuts the connection of the next request of this kind at this moment. Resolves when it was cut. API keys: Produce 0, Fetch 1, EndTxn 26, TxnOffsetCommit 28, ... */
  cutOnce(apiKey: number, moment: CutMoment): Promise<void> {
    return new Promise((resolve) => {
      this.#rules.push({ apiKey, moment, done: resolve });
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
    const server = connect(this.#targetPort, this.#targetHost);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const link: Link = { client, server };
    this.#links.add(link);
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#links.delete(link);
        end(link);
      });
    }
    // Requests whose answers matter, by correlation id.
    const awaited = new Map<number, Rule>();
    const requests = new Frames((frame) => {
      const rule = this.#take(frame.readInt16BE(4));
      if (rule?.moment === 'before') return cutAs(link, rule);
      if (rule !== undefined) awaited.set(frame.readInt32BE(8), rule);
      server.write(frame);
      return true;
    });
    const answers = new Frames((frame) => {
      const id = frame.readInt32BE(4);
      const rule = awaited.get(id);
      if (rule?.moment === 'in') return cutAs(link, rule);
      if (rule === undefined) {
        client.write(frame);
        return true;
      }
      awaited.delete(id);
      client.write(frame, () => cutAs(link, rule));
      return false;
    });
    client.on('data', (data: Buffer) => requests.push(data));
    server.on('data', (data: Buffer) => answers.push(data));
    if (this.#frozen) {
      client.pause();
      server.pause();
    }
  }

  #take(apiKey: number): Rule | undefined {
    const at = this.#rules.findIndex((rule) => rule.apiKey === apiKey);
    return at < 0 ? undefined : this.#rules.splice(at, 1)[0];
  }
}

function end({ client, server }: Link): void {
  client.destroy();
  server.destroy();
}

function cutAs(link: Link, rule: Rule): false {
  end(link);
  rule.done();
  return false;
}

/** Takes a stream apart into frames: size (int32), then as many bytes. */
class Frames {
  readonly #each: (frame: Buffer) => boolean;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stopped = false;

  /** @param each - gets a frame with its size field; false: no more of them. */
  constructor(each: (frame: Buffer) => boolean) {
    this.#each = each;
  }

  push(chunk: Buffer): void {
    if (this.#stopped) return;
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
      if (!this.#each(all.subarray(0, size))) {
        this.#stopped = true;
        return;
      }
    }
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
