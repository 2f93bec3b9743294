import type { ClusterMap } from './cluster-map.ts';
import { type ConnectionConfig, KafkaConnection } from './connection.ts';
import { ConnectionLost } from './errors.ts';

/**
 * Connections of one user, one to each broker, made when they are needed.
 *
 * A broker answers the requests of a connection one after the other, so who waits long (a fetch, a join) has connections of its own.
 */
export class Connections {
  readonly #config: ConnectionConfig;
  readonly #cluster: ClusterMap;
  readonly #open = new Map<number, KafkaConnection>();
  readonly #opening = new Map<number, Promise<KafkaConnection>>();
  #closed = false;

  constructor(config: ConnectionConfig, cluster: ClusterMap) {
    this.#config = config;
    this.#cluster = cluster;
  }

  /** The connection to a broker. */
  async to(nodeId: number, timeoutMs?: number): Promise<KafkaConnection> {
    const open = this.#open.get(nodeId);
    if (open?.isOpen) return open;
    const opening = this.#opening.get(nodeId);
    if (opening) return opening;
    const begun = this.#connect(nodeId, timeoutMs).finally(() => this.#opening.delete(nodeId));
    this.#opening.set(nodeId, begun);
    return begun;
  }

  /** Closes all, requests under way fail. No more are made. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }

  async #connect(nodeId: number, timeoutMs?: number): Promise<KafkaConnection> {
    if (this.#closed) throw new ConnectionLost('closed');
    const { host, port } = this.#cluster.address(nodeId);
    const connection = await KafkaConnection.open(this.#config, host, port, timeoutMs);
    if (this.#closed) {
      connection.close();
      throw new ConnectionLost('closed');
    }
    this.#open.set(nodeId, connection);
    return connection;
  }
}
