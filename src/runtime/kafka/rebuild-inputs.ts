import { type Broker, type Fetcher, partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { StreamsError } from '../../common/errors.ts';
import type { RecordSource } from '../record-source.ts';
import type { InputBuffer } from './input-buffer.ts';
import { deletedError } from './loss-check.ts';
import type { ReadRange } from './read-to-end.ts';

/** Parts of topics that are read once more, and end. */
export class RebuildInputs implements RecordSource {
  readonly queues: readonly InputBuffer[];
  failure: Error | undefined;
  readonly #ends = new Map<string, number>();
  #fetcher: Fetcher | undefined;

  /** @param queues - Each begins where its range does. */
  constructor(queues: readonly InputBuffer[], ranges: readonly ReadRange[]) {
    this.queues = queues;
    for (const { topic, partition, end } of ranges) this.#ends.set(partitionKey(topic, partition), end);
  }

  get ended(): boolean {
    return this.queues.every((queue) => queue.buffered === 0 && this.#isRead(queue));
  }

  /** Records that were taken. */
  get consumed(): number {
    return this.queues.reduce((sum, { consumed }) => sum + consumed, 0);
  }

  /** Begins to read. @param wake - called when there may be records to take */
  begin(broker: Broker, wake: () => void): void {
    const byPlace = new Map(this.queues.map((queue) => [partitionKey(queue.topic, queue.partition), queue]));
    const fetcher = broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => {
        const queue = byPlace.get(partitionKey(records.topic, records.partition));
        if (queue === undefined || this.#isRead(queue)) return;
        queue.push(before(records, this.#endOf(queue)));
        if (this.#isRead(queue)) {
          queue.flow = undefined;
          fetcher.remove(queue);
        }
        wake();
      },
      failed: (place, kind, error) => {
        this.failure ??=
          kind === 'out-of-range'
            ? deletedError('input', place, place.offset, this.#endOf(place))
            : StreamsError.from(
                error,
                'STREAMS_BROKER',
                `${place.topic} cannot be read: ${error.message}. See the broker's log.`,
                { ...place },
              );
        wake();
      },
    });
    this.#fetcher = fetcher;
    for (const queue of this.queues) {
      if (this.#isRead(queue)) continue;
      queue.flow = fetcher;
      fetcher.add({ topic: queue.topic, partition: queue.partition, offset: queue.nextOffset });
    }
  }

  /** Of several the next record is known where each has one, or none any more. */
  isReady(): boolean {
    return !this.ended && this.queues.every((queue) => queue.buffered > 0 || this.#isRead(queue));
  }

  fill(): undefined {}

  isIdle(): boolean {
    return false;
  }

  async close(): Promise<void> {
    await this.#fetcher?.close();
  }

  #isRead(queue: InputBuffer): boolean {
    return queue.nextOffset >= this.#endOf(queue);
  }

  #endOf({ topic, partition }: { readonly topic: string; readonly partition: number }): number {
    return this.#ends.get(partitionKey(topic, partition))!;
  }
}

/** The records before a position: a fetch may bring more. */
function before(records: FetchedRecords, end: number): FetchedRecords {
  if (records.nextOffset <= end) return records;
  let { length } = records;
  while (length > 0 && records.offsets[length - 1]! >= end) length--;
  const { topic, partition, offsets, timestamps, appendTime, bytes } = records;
  const { keyStarts, keyEnds, valueStarts, valueEnds } = records;
  return {
    ...{ topic, partition, length, offsets, timestamps, appendTime, bytes },
    ...{ keyStarts, keyEnds, valueStarts, valueEnds },
    headers: (i) => records.headers(i),
    nextOffset: end,
    stableEnd: end,
  };
}
