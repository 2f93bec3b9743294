import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Passes on connections to a server of this machine, which can so be made to go away and come back. */
export class TcpRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #away = false;

  constructor(port: number) {
    this.#server = createServer((client) => {
      if (this.#away) {
        client.destroy();
        return;
      }
      const server = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.once('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Cuts all connections, and new ones at once. */
  away(): void {
    this.#away = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  back(): void {
    this.#away = false;
  }

  async close(): Promise<void> {
    this.away();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
