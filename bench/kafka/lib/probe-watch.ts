import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../../../src/clients/broker.ts';
import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import { nowMs } from './steady-events.ts';

/** The number of the first probe; the others follow. All have nine digits, more than the meters have. */
export const firstProbe = 900_000_000;
const probeDigits = 9;

/** Told of each probe: when it was handed to the producer, in ms since the epoch. */
export interface ProbeSent {
  readonly probe: number;
  readonly atMs: number;
}

/** Sees when the first committed row of each probe is there in a changelog: from then on the event counts for everybody, whatever happens to the process. */
export interface ProbeWatch {
  /** By probe, ms since the epoch. */
  readonly seen: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/** Watches a changelog, once it is there, from its present end on. Keys hold the equipment as text (`C:900000000`), whatever else an engine puts around it. */
export async function watchProbes(broker: Broker, changelog: string): Promise<ProbeWatch> {
  let partitions: number | undefined;
  while (partitions === undefined) {
    partitions = (await broker.admin.partitionCounts([changelog])).get(changelog);
    if (partitions === undefined) await delay(100);
  }
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: changelog, partition }));
  const ends = await broker.admin.offsets(all, 'stable');
  const seen = new Map<number, number>();
  const fetcher = broker.fetcher({
    isolation: 'read_committed',
    receive: (records) => take(records, seen),
    failed: (_partition, _kind, error) => {
      throw error;
    },
  });
  for (const [i, partition] of all.entries()) fetcher.add({ ...partition, offset: ends[i]! });
  return { seen, close: () => fetcher.close() };
}

function take(records: FetchedRecords, seen: Map<number, number>): void {
  const atMs = nowMs();
  const prefix = Buffer.from('C:9');
  for (let i = 0; i < records.length; i++) {
    const key = records.bytes.subarray(records.keyStarts[i]!, records.keyEnds[i]!);
    const at = key.indexOf(prefix);
    if (at < 0) continue;
    const probe = Number(key.toString('latin1', at + 2, at + 2 + probeDigits));
    if (probe >= firstProbe && !seen.has(probe)) seen.set(probe, atMs);
  }
}
