import assert from 'node:assert/strict';
import {
  type Broker,
  type Fetcher,
  type FetcherOptions,
  type PartitionOffset,
  partitionKey,
} from '../clients/broker.ts';
import type { FetchedRecords } from '../clients/fetched-records.ts';
import type { Header } from '../processor/record.ts';

/** A record as a reader got it. */
export interface SeenRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly Header[];
}

/** What a reader got of one partition. */
export interface SeenPartition {
  readonly records: SeenRecord[];
  /** Where it reads on; -1 before the first call. */
  position: number;
  stableEnd: number;
  /** Calls of `receive`. */
  calls: number;
  appendTime: boolean;
}

/** A fetcher that keeps what it is given, and checks that it has the promised form. */
export class Collector {
  readonly fetcher: Fetcher;
  readonly failures: { readonly partition: PartitionOffset; readonly kind: string; readonly error: Error }[] = [];
  readonly #partitions = new Map<string, SeenPartition>();
  #broken: unknown;

  /** @param options - `receive` is called too, after the collector has taken the records. */
  constructor(broker: Broker, options: Partial<FetcherOptions> = {}) {
    this.fetcher = broker.fetcher({
      maxWaitMs: 100,
      ...options,
      receive: (records) => {
        this.#take(records);
        options.receive?.(records);
      },
      failed: (partition, kind, error) => {
        this.failures.push({ partition, kind, error });
        options.failed?.(partition, kind, error);
      },
    });
  }

  of(topic: string, partition = 0): SeenPartition {
    const key = partitionKey(topic, partition);
    let seen = this.#partitions.get(key);
    if (seen === undefined) {
      seen = { records: [], position: -1, stableEnd: -1, calls: 0, appendTime: false };
      this.#partitions.set(key, seen);
    }
    return seen;
  }

  /** Throws what was found wrong while records were taken. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
    assert.deepEqual(this.failures, []);
  }

  #take(records: FetchedRecords): void {
    const seen = this.of(records.topic, records.partition);
    try {
      checkForm(records);
    } catch (error) {
      this.#broken ??= error;
    }
    seen.records.push(...recordsIn(records));
    seen.position = records.nextOffset;
    seen.stableEnd = records.stableEnd;
    seen.appendTime = records.appendTime;
    seen.calls++;
  }
}

/** The records of a fetch, copied. */
export function recordsIn(records: FetchedRecords): SeenRecord[] {
  const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
  const cut = (from: number, to: number): Uint8Array | undefined =>
    from < 0 ? undefined : new Uint8Array(bytes.subarray(from, to));
  return Array.from({ length: records.length }, (_, i) => ({
    offset: records.offsets[i]!,
    timestamp: records.timestamps[i]!,
    key: cut(keyStarts[i]!, keyEnds[i]!),
    value: cut(valueStarts[i]!, valueEnds[i]!),
    headers: records.headers(i).map(({ key, value }) => ({ key, value: value && new Uint8Array(value) })),
  }));
}

function checkForm(records: FetchedRecords): void {
  const { length, offsets, nextOffset, stableEnd } = records;
  for (const column of [records.keyStarts, records.keyEnds, records.valueStarts, records.valueEnds]) {
    assert.ok(column.length >= length, 'each column has a value for each record');
  }
  for (let i = 1; i < length; i++) assert.ok(offsets[i]! > offsets[i - 1]!, 'records are in offset order');
  if (length > 0) assert.ok(nextOffset > offsets[length - 1]!, 'the position is after the last record');
  assert.ok(stableEnd >= nextOffset, `the end ${stableEnd} is not before the position ${nextOffset}`);
}
