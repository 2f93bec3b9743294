import { type Broker, type PartitionOffset, partitionKey, type TopicPartition } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { StreamsError } from '../../common/errors.ts';

/** A part of a partition that is read. */
export interface ReadRange extends PartitionOffset {
  /** The position behind the last record. */
  readonly end: number;
}

/**
 * Reads partitions from their start to the stable end that they have now.
 *
 * @param take - Gets what was read, one after the other.
 * @throws StreamsError `STREAMS_BROKER`, and what `take` throws.
 */
export async function readToEnd(
  broker: Broker,
  partitions: readonly TopicPartition[],
  take: (records: FetchedRecords) => Promise<void> | void,
): Promise<void> {
  const { admin } = broker;
  const [ends, starts] = await Promise.all([
    admin.offsets(partitions, 'stable'),
    admin.offsets(partitions, 'earliest'),
  ]);
  await readRanges(
    broker,
    partitions.map((partition, i) => ({ ...partition, offset: starts[i]!, end: ends[i]! })),
    take,
  );
}

/** As {@link readToEnd}, from given positions to given ends; what is fetched may lie behind them too. */
export async function readRanges(
  broker: Broker,
  ranges: readonly ReadRange[],
  take: (records: FetchedRecords) => Promise<void> | void,
): Promise<void> {
  const left = new Map<string, number>();
  for (const { topic, partition, offset, end } of ranges)
    if (offset < end) left.set(partitionKey(topic, partition), end);
  if (left.size === 0) return;
  let taking: Promise<void> = Promise.resolve();
  let closing: () => Promise<void> = async () => {};
  await new Promise<void>((resolve, reject) => {
    const fetcher = broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => {
        const { topic, partition, nextOffset } = records;
        const key = partitionKey(topic, partition);
        const end = left.get(key);
        if (end === undefined) return;
        taking = taking.then(() => take(records));
        taking.catch(reject);
        if (nextOffset < end) return;
        left.delete(key);
        fetcher.remove({ topic, partition });
        if (left.size === 0) taking.then(resolve, reject);
      },
      failed: ({ topic, partition }, _kind, error) =>
        reject(
          StreamsError.from(
            error,
            'STREAMS_BROKER',
            `${topic} cannot be read: ${error.message}. See the broker's log.`,
            {
              topic,
              partition,
            },
          ),
        ),
    });
    closing = () => fetcher.close();
    for (const { topic, partition, offset } of ranges)
      if (left.has(partitionKey(topic, partition))) fetcher.add({ topic, partition, offset });
  }).finally(() => closing());
}
