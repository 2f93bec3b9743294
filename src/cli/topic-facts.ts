import type { Broker, PartitionOffset, TopicPartition } from '../clients/broker.ts';

/** A topic as the broker has it. */
export interface TopicFacts {
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
  /** Records, at most: control markers and compacted ones count. */
  readonly records: number;
  /** Least time of the first record of each partition, ms; undefined where records are kept for ever, or there are none. */
  readonly oldestMs: number | undefined;
}

/** How long first records are waited for, ms. */
const firstRecordMs = 5000;

/** What is known of topics; those that do not exist are left out. Only reads. */
export async function topicFacts(broker: Broker, topics: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> {
  const { admin } = broker;
  const counts = await admin.partitionCounts(topics);
  const configs = await admin.topicConfigs([...counts.keys()]);
  const facts = new Map<string, TopicFacts>();
  for (const [topic, partitions] of counts) {
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const [starts, ends] = [await admin.offsets(all, 'earliest'), await admin.offsets(all, 'stable')];
    const filled = all.flatMap((each, i) => (starts[i]! < ends[i]! ? [{ ...each, offset: starts[i]! }] : []));
    const own = configs.get(topic) ?? {};
    facts.set(topic, {
      partitions,
      configs: own,
      records: ends.reduce((sum, end, i) => sum + end - starts[i]!, 0),
      oldestMs: keptMs(own) === Number.POSITIVE_INFINITY ? undefined : await oldestOf(broker, filled),
    });
  }
  return facts;
}

/** ms for which a topic keeps records by age; Infinity for ever. */
export function keptMs(configs: Readonly<Record<string, string>>): number {
  const deletes = (configs['cleanup.policy'] ?? 'delete').includes('delete');
  const ms = Number(configs['retention.ms'] ?? -1);
  return !deletes || ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

/** Least time of the first records at these positions; undefined if none came in time. */
async function oldestOf(broker: Broker, starts: readonly PartitionOffset[]): Promise<number | undefined> {
  if (starts.length === 0) return undefined;
  const waiting = new Set(starts.map(({ partition }) => partition));
  let oldest = Number.POSITIVE_INFINITY;
  let seen = (_: TopicPartition): void => {};
  const fetcher = broker.fetcher({
    maxPartitionBytes: 65_536,
    receive: (records) => {
      if (records.length > 0) oldest = Math.min(oldest, records.timestamps[0]!);
      // Nothing but markers and aborted records: there is no first record.
      if (records.length > 0 || records.nextOffset >= records.stableEnd) seen(records);
    },
    failed: (partition) => seen(partition),
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, firstRecordMs);
    seen = ({ topic, partition }) => {
      fetcher.remove({ topic, partition });
      waiting.delete(partition);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      resolve();
    };
    for (const start of starts) fetcher.add(start);
  });
  await fetcher.close();
  return Number.isFinite(oldest) ? oldest : undefined;
}
