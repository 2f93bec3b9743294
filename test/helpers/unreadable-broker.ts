import type { Broker, FetcherOptions } from '../../src/clients/broker.ts';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import { unreadableError } from '../../src/clients/record-batch/unreadable-batch.ts';

/** A batch that cannot be read, at an offset of a partition. */
export interface UnreadableAt {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly kind: 'damaged' | 'unsupported';
}

/** The broker, with a batch of one partition that no fetcher can read: as the adapter for Kafka tells it. */
export function unreadableAt(broker: Broker, place: UnreadableAt): Broker {
  const { topic, partition, offset, kind } = place;
  const fetcher = (options: FetcherOptions): ReturnType<Broker['fetcher']> => {
    const error = unreadableError(topic, partition, { kind, offset, reason: `is ${kind}` });
    const inner = broker.fetcher({
      ...options,
      receive: (records) => {
        if (records.topic !== topic || records.partition !== partition || records.nextOffset <= offset) {
          options.receive(records);
          return;
        }
        inner.remove(place);
        options.receive(upTo(records, offset));
        options.failed({ topic, partition, offset }, 'failed', error);
      },
    });
    return inner;
  };
  return {
    admin: broker.admin,
    producer: (options) => broker.producer(options),
    member: (options) => broker.member(options),
    fetcher,
    close: () => broker.close(),
  };
}

function upTo(records: FetchedRecords, offset: number): FetchedRecords {
  const length = [...records.offsets].filter((each) => each < offset).length;
  return {
    ...records,
    length,
    headers: (i) => records.headers(i),
    nextOffset: Math.min(records.nextOffset, offset),
  };
}
