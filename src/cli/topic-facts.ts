import type { Broker, PartitionOffset, TopicPartition } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';

/** A topic as the broker has it. */
export interface TopicFacts {
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
  /** Records, at most: control markers and compacted ones count. */
  readonly records: number;
  /** Least time of the first record of each partition, ms; undefined where there are none, or none came in time. */
  readonly oldestMs: number | undefined;
  /** Why the first or last batch of a partition cannot be read: `STREAMS_BATCH_CORRUPT` or `STREAMS_BATCH_UNSUPPORTED`; undefined where all can. */
  readonly unreadable: StreamsError | undefined;
}

/** How long records are waited for, ms. */
const recordMs = 5000;

/** What is known of topics; those that do not exist are left out. Only reads. */
export async function topicFacts(broker: Broker, topics: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> {
  const { admin } = broker;
  const counts = await admin.partitionCounts(topics);
  const configs = await admin.topicConfigs([...counts.keys()]);
  const facts = new Map<string, TopicFacts>();
  for (const [topic, partitions] of counts) {
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const [starts, ends] = [await admin.offsets(all, 'earliest'), await admin.offsets(all, 'stable')];
    const filled = all.filter((_, i) => starts[i]! < ends[i]!);
    const first = await readAt(
      broker,
      filled.map((each) => ({ ...each, offset: starts[each.partition]! })),
    );
    const last = await readAt(
      broker,
      filled.map((each) => ({ ...each, offset: ends[each.partition]! - 1 })),
    );
    facts.set(topic, {
      partitions,
      configs: configs.get(topic) ?? {},
      records: ends.reduce((sum, end, i) => sum + end - starts[i]!, 0),
      oldestMs: first.oldestMs,
      unreadable: first.unreadable ?? last.unreadable,
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

/** Bytes of a partition above which a topic deletes its oldest records; Infinity for none. */
export function keptBytes(configs: Readonly<Record<string, string>>): number {
  const deletes = (configs['cleanup.policy'] ?? 'delete').includes('delete');
  const bytes = Number(configs['retention.bytes'] ?? -1);
  return !deletes || bytes < 0 ? Number.POSITIVE_INFINITY : bytes;
}

/** What lies at these positions: the least time of the first record there, and what is wrong with a batch. */
export async function readAt(
  broker: Broker,
  positions: readonly PartitionOffset[],
): Promise<Pick<TopicFacts, 'oldestMs' | 'unreadable'>> {
  if (positions.length === 0) return { oldestMs: undefined, unreadable: undefined };
  const waiting = new Set(positions.map(({ partition }) => partition));
  let oldest = Number.POSITIVE_INFINITY;
  let unreadable: StreamsError | undefined;
  let seen = (_: TopicPartition): void => {};
  const fetcher = broker.fetcher({
    maxPartitionBytes: 65_536,
    receive: (records) => {
      if (records.length > 0) oldest = Math.min(oldest, records.timestamps[0]!);
      // Nothing but markers and aborted records: there is no first record.
      if (records.length > 0 || records.nextOffset >= records.stableEnd) seen(records);
    },
    failed: (partition, _kind, error) => {
      if (StreamsError.is(error) && error.code.startsWith('STREAMS_BATCH_')) unreadable ??= error;
      seen(partition);
    },
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, recordMs);
    seen = ({ topic, partition }) => {
      fetcher.remove({ topic, partition });
      waiting.delete(partition);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      resolve();
    };
    for (const position of positions) fetcher.add(position);
  });
  await fetcher.close();
  return { oldestMs: Number.isFinite(oldest) ? oldest : undefined, unreadable };
}
