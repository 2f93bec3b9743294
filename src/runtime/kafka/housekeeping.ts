import { type BrokerAdmin, type PartitionOffset, partitionKey } from '../../clients/broker.ts';
import { prefixEnd } from '../../common/bytes.ts';
import type { Topology } from '../../topology/topology.ts';
import type { TaskSlot } from './task-slot.ts';

/** How often the sizes of stores on disk are asked for, ms. */
const measureIntervalMs = 10_000;

/** What a client does now and then: deletes repartition records that are consumed, and measures its stores. */
export class Housekeeping {
  /** Bytes on disk of each store, as last measured. */
  storeBytes: Readonly<Record<string, number>> = {};
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(topology: Topology, admin: BrokerAdmin, slots: () => readonly TaskSlot[], purgeIntervalMs: number) {
    const purge = setInterval(() => void purgeRepartitions(topology, admin, slots()), purgeIntervalMs);
    const measure = setInterval(() => void this.#measure(slots()), measureIntervalMs);
    this.#timers = [purge, measure];
    for (const timer of this.#timers) timer.unref();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #measure(slots: readonly TaskSlot[]): Promise<void> {
    const sizes: Record<string, number> = {};
    try {
      for (const { folder } of slots)
        for (const { name } of folder?.specs ?? []) {
          const prefix = folder!.prefixOf(name);
          const size = await folder!.database.approximateSize({ gte: prefix, lt: prefixEnd(prefix)! });
          sizes[name] = (sizes[name] ?? 0) + size;
        }
      this.storeBytes = sizes;
    } catch {
      // A database that is closed meanwhile leaves the last figures.
    }
  }
}

async function purgeRepartitions(topology: Topology, admin: BrokerAdmin, slots: readonly TaskSlot[]): Promise<void> {
  const consumed: PartitionOffset[] = [];
  for (const { task } of slots)
    for (const { topic, partition, source } of task?.source.queues ?? []) {
      const offset = task!.log.committedPositions.get(partitionKey(topic, partition));
      if (topology.repartitions.has(source.topic) && offset !== undefined && offset > 0)
        consumed.push({ topic, partition, offset });
    }
  // One that fails is made up for by the next.
  if (consumed.length > 0) await admin.deleteRecords(consumed).catch(() => {});
}
