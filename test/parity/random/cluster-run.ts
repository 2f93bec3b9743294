import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import type { Topology } from '../../../src/index.ts';
import { wholeTime } from '../../../src/runtime/parts/store-part.ts';
import { Disk } from '../../runtime/kafka/disk.ts';
import {
  byItself,
  drained,
  kill,
  ownedParts,
  specOf,
  startClient,
  stop,
  type TestClient,
  until,
} from '../../runtime/kafka/kit.ts';
import type { Random } from '../random-input.ts';
import { buildTopology } from './build.ts';
import type { Outcome, RandomCase, Row } from './description.ts';
import { shownKey, shownRecord } from './run-case.ts';

/**
 * Runs a case over a cluster in this process, by an instance that commits at random, and is stopped, killed and started again, with its disk and without, while records come in.
 */
export async function runOnCluster(given: RandomCase, random: Random): Promise<Omit<Outcome, 'dropped'>> {
  const cluster = new MemoryCluster();
  for (const topic of topicsOf(given)) cluster.createTopic(topic);
  const running = new Restarting(cluster, given, random);
  try {
    for (let at = 0; at < given.input.length; ) {
      const next = at + 1 + random.below(8);
      for (const [topic, key, value, timestamp] of given.input.slice(at, next))
        cluster.write(topic, 0, [{ key: key ?? undefined, value: value ?? undefined, timestamp }]);
      at = next;
      await running.disturb();
    }
    return await running.outcome();
  } finally {
    await running.end();
  }
}

function topicsOf({ nodes }: RandomCase): readonly string[] {
  return [...new Set(nodes.flatMap(({ topics = [] }) => topics))];
}

class Restarting {
  readonly #cluster: MemoryCluster;
  readonly #given: RandomCase;
  readonly #random: Random;
  readonly #disks: Disk[] = [new Disk()];
  #client: TestClient | undefined;

  constructor(cluster: MemoryCluster, given: RandomCase, random: Random) {
    this.#cluster = cluster;
    this.#given = given;
    this.#random = random;
  }

  /** Starts an instance, lets it go on, or ends the one that runs. */
  async disturb(): Promise<void> {
    const choice = this.#random.below(4);
    if (this.#client === undefined) await this.#start();
    else if (choice === 0) await this.#stop();
    else if (choice === 1) this.#kill();
    else if (choice === 2) await new Promise((resolve) => setTimeout(resolve, this.#random.below(20)));
  }

  async outcome(): Promise<Omit<Outcome, 'dropped'>> {
    if (this.#client === undefined) await this.#start();
    const client = this.#client!;
    const { topology } = client.streams;
    await drained(this.#cluster, topology, 60_000);
    const { nodes } = this.#given;
    const { outputs } = buildTopology(nodes);
    const output = [...outputs].flatMap(([topic, serde]) =>
      this.#cluster
        .read(topic, 0)
        .map(({ key, value, timestamp }): Row => shownRecord({ topic, key, value, timestamp }, serde)),
    );
    const stores: Record<string, [string, string, number?][]> = {};
    for (const { name } of topology.stores) {
      const node = nodes.find(({ id }) => `n${id}` === name)!;
      if (node.op !== 'suppress' && node.op !== 'processVersions')
        stores[name] = await rowsOf(client, topology, name, node.op !== 'process');
    }
    return { output, stores };
  }

  async end(): Promise<void> {
    if (this.#client !== undefined) await this.#stop();
    for (const disk of this.#disks) disk.remove();
  }

  async #start(): Promise<void> {
    if (this.#random.chance(30)) this.#disks.push(new Disk());
    this.#client = await startClient(byItself, this.#cluster, buildTopology(this.#given.nodes).topology, {
      disk: this.#disks.at(-1)!,
      commitIntervalMs: this.#random.of([1, 5, 20]),
    });
  }

  async #stop(): Promise<void> {
    const client = this.#client!;
    this.#client = undefined;
    await stop(client);
  }

  #kill(): void {
    kill(this.#cluster, this.#client!);
    this.#client = undefined;
  }
}

async function rowsOf(
  client: TestClient,
  topology: Topology,
  store: string,
  timed: boolean,
): Promise<[string, string, number?][]> {
  const spec = specOf(topology, store);
  await until(() => client.streams.ownerOf(client.streams.taskOf(store, 0)) === 'local', `${store} has an owner`);
  const rows: [string, string, number?][] = [];
  for (const part of ownedParts([client], store))
    for await (const page of part.rows(wholeTime.fromMs, wholeTime.toMs))
      for (const { startMs, key, value } of page) {
        const plain = spec.keySerde.deserialize(key) as string;
        const shown = spec.kind === 'window' ? `${plain}@${startMs}/${spec.windows!.endOf(startMs)}` : shownKey(plain)!;
        const text = String(spec.valueSerde.deserialize(value.slice(8)));
        const timestamp = Number(new DataView(value.buffer, value.byteOffset).getBigInt64(0));
        rows.push(timed ? [shown, text, timestamp] : [shown, text]);
      }
  return rows.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
