import { remotePart } from '../http/remote-part.ts';
import type { KafkaStreams } from '../runtime/kafka/kafka-streams.ts';
import { migratingPart } from '../runtime/parts/missing-part.ts';
import { type FoundPart, layoutOf, type SharedParts, sharedFormat } from '../runtime/parts/shared-state.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';

/** How long a request to another instance may take, ms. */
const askTimeoutMs = 5000;

/** What other instances and commands may read of an instance on Kafka: its own tasks' stores, and those of all others through it. */
export function shareKafka(
  streams: () => KafkaStreams,
  operatorTimeMs: () => number,
  token: string | undefined,
): SharedParts {
  const specOf = (store: string) =>
    streams()
      .specs()
      .find(({ name }) => name === store);
  const known = (store: string, partition: number): boolean =>
    specOf(store) !== undefined && partition < streams().partitionsOf(store);
  return {
    state(scope) {
      const client = streams();
      return {
        format: sharedFormat,
        applicationId: client.applicationId,
        settings: client.settings,
        stores: client.specs().map((spec) => ({
          name: spec.name,
          layout: layoutOf(spec),
          partitions: Array.from({ length: client.partitionsOf(spec.name) }, (_, partition) => partition).filter(
            (partition) => scope === 'all' || client.isGlobal(spec.name) || owns(client, spec.name, partition),
          ),
        })),
        operatorTimeMs: operatorTimeMs(),
        final: false,
      };
    },
    localPart(store, partition, { stale }): FoundPart {
      if (!known(store, partition)) return undefined;
      const part = streams().partOf(store, partition, stale);
      if (part !== undefined || streams().isGlobal(store)) return part ?? 'migrating';
      return typeof streams().ownerOf(streams().taskOf(store, partition), stale) === 'object' ? undefined : 'migrating';
    },
    anyPart(store, partition, { stale }): FoundPart {
      if (!known(store, partition)) return undefined;
      const part = streams().partOf(store, partition, stale);
      if (part !== undefined || streams().isGlobal(store)) return part ?? 'migrating';
      const owner = streams().ownerOf(streams().taskOf(store, partition), stale);
      if (typeof owner === 'string') return 'migrating';
      return remotePart(`http://${owner.endpoint}`, store, partition, {
        ...{ scope: 'own', stale, timeoutMs: askTimeoutMs, token },
      });
    },
  };
}

function owns(client: KafkaStreams, store: string, partition: number): boolean {
  return client.ownerOf(client.taskOf(store, partition)) === 'local';
}

/** All parts of a store: those at other instances are asked for when they are read. */
export function allParts(shared: SharedParts, store: string, partitions: number, stale: boolean): readonly StorePart[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const found = shared.anyPart(store, partition, { stale });
    return found === undefined || found === 'migrating' ? migratingPart(store, partition) : found;
  });
}

/** Parts of a store that this instance owns now. */
export function ownParts(client: KafkaStreams, store: string): readonly StorePart[] {
  return Array.from({ length: client.partitionsOf(store) }, (_, partition) => client.partOf(store, partition)).filter(
    (part) => part !== undefined,
  );
}
