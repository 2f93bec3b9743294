import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InstanceFolders } from '../../../src/runtime/kafka/folder-parts.ts';
import { readOnlyStore } from '../../../src/runtime/parts/read-only-store.ts';
import type { ReadOnlyKeyValueStore } from '../../../src/runtime/read-only-stores.ts';
import { cacheFolder, freshFolder } from '../../lib/folders.ts';
import type { ChildRun } from '../../lib/run-child.ts';
import { countedKeys } from '../topologies/counted-keys.ts';
import { type BenchBroker, untilEmpty } from './bench-broker.ts';
import { type Following, runPeer, runProgram } from './measured.ts';

/** A client to be measured, with an application and a folder of its own. */
export interface RestoreClient {
  readonly name: string;
  readonly applicationId: string;
  /** Starts it, tells when it is RUNNING, and ends it when all is committed; with `hold` it stays until it is killed. */
  run(hold: boolean, following?: Following): Promise<ChildRun>;
  /** Deletes its folder. */
  lose(): Promise<void>;
  /** Keys in its folder, and the sum of their counts. */
  totals(): Promise<readonly [keys: number, sum: number]>;
}

/** How clients run. */
export interface RestoreOptions {
  readonly broker: BenchBroker;
  readonly partitions: number;
  readonly sessionMs: number;
  /** Of Kafka Streams. */
  readonly threads: number;
  readonly javaOptions: readonly string[];
}

const guarantee = 'exactly_once';

/** weir. */
export function weirClient({ broker, partitions, sessionMs }: RestoreOptions): RestoreClient {
  const applicationId = `restore-weir-${process.pid}`;
  const state = join(cacheFolder, 'kafka-state-weir');
  return {
    name: 'weir',
    applicationId,
    run(hold, following) {
      const args = [broker.bootstrap, applicationId, state, guarantee, String(sessionMs), String(hold)];
      return runProgram('run-counted-keys', args, following);
    },
    lose: () => rm(state, { recursive: true, force: true }),
    async totals() {
      const topology = countedKeys();
      const [spec] = topology.stores;
      const folders = await InstanceFolders.open([state]);
      const store = readOnlyStore(spec!, folders.partsOf(topology, spec!, partitions));
      let [keys, sum] = [0, 0];
      for await (const { value } of (store as ReadOnlyKeyValueStore<string, number>).all()) {
        keys++;
        sum += value;
      }
      await folders.close();
      return [keys, sum];
    },
  };
}

/** Kafka Streams. */
export function javaClient({ broker, sessionMs, threads, javaOptions }: RestoreOptions): RestoreClient {
  const application = `restore-java-${process.pid}`;
  const state = join(cacheFolder, 'kafka-state-java');
  const given = { peer: 'keys', brokers: broker.bootstrap, application, state, guarantee };
  const common = { ...given, threads: String(threads), session: String(sessionMs) };
  return {
    name: 'java',
    applicationId: application,
    run: (hold, following = {}) =>
      runPeer({ do: 'restore', hold: String(hold), ...common }, { javaOptions, ...following }),
    lose: () => rm(state, { recursive: true, force: true }),
    async totals() {
      const out = await freshFolder('kafka-out');
      await untilEmpty(broker, application);
      await runPeer({ do: 'write', out, ...common }, { javaOptions });
      const [keys, sum] = (await readFile(join(out, 'counted.csv'), 'utf8')).trim().split(',').map(Number);
      return [keys!, sum!];
    },
  };
}
