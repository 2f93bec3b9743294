import type { Database, WriteBatch } from '../../../state/database.ts';
import { latin1 } from '../../../state/latin1.ts';
import { decodeHistory, VersionedBytesStore } from '../../../state/versioned-store.ts';
import type { BrokerProducer, TopicPartition } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { readInt64, writeInt64 } from '../../common/bytes.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { keyValueRows, type RowListener, windowRows } from '../stores/byte-rows.ts';
import type { OutputCount } from './output-counts.ts';

const timestampLength = 8;
/** After the key of a window store's record: start of the window, and a sequence number that is always 0. */
const windowSuffix = 12;

/**
 * Writes a store's rows to its changelog as Kafka Streams lays them out: the value without its event time, which is the record's own; a window store's key is
 * followed by the window's start (int64) and four zero bytes; a versioned store's value is the key's whole history.
 *
 * Kafka Streams: `WindowKeySchema.java`, `ChangeLoggingTimestampedWindowBytesStore.java`.
 */
export function changelogWriter(
  spec: StoreSpec,
  { topic, partition }: TopicPartition,
  producer: BrokerProducer,
  written: OutputCount,
): RowListener {
  const suffix = spec.kind === 'window' ? windowSuffix : 0;
  let scratch = Buffer.alloc(256);
  const views: Buffer[] = [];
  return (startMs, key, row, timestamp) => {
    const length = key.length + suffix;
    if (length > scratch.length) {
      scratch = Buffer.alloc(2 * length);
      views.length = 0;
    }
    for (let i = 0; i < key.length; i++) scratch[i] = key.charCodeAt(i);
    if (suffix > 0) {
      writeInt64(scratch, key.length, startMs);
      scratch.fill(0, length - 4, length);
    }
    let bytes = views[length];
    if (bytes === undefined) {
      bytes = scratch.subarray(0, length);
      if (length <= 256) views[length] = bytes;
    }
    written.records++;
    written.bytes += length + (row === undefined ? 0 : row.length - timestampLength);
    producer.append(topic, partition, Math.max(0, timestamp), bytes, row?.subarray(timestampLength));
  };
}

/** Puts a changelog's records back into the rows of a store. */
export interface ChangelogApplier {
  /** Takes all records; their rows go into the batch by `seal` at the latest. */
  apply(batch: WriteBatch, records: FetchedRecords): void;
  /** The batch is complete. */
  seal(batch: WriteBatch): void;
  /** The batch is written. */
  written(): void;
}

/** What applies records to a store of this kind. */
export function changelogApplier(spec: StoreSpec, database: Database, prefix: Uint8Array): ChangelogApplier {
  return spec.kind === 'versioned'
    ? versionedApplier(database, prefix)
    : rowApplier(spec, (spec.kind === 'window' ? windowRows : keyValueRows)(database, prefix));
}

function rowApplier(spec: StoreSpec, rows: ReturnType<typeof windowRows>): ChangelogApplier {
  const suffix = spec.kind === 'window' ? windowSuffix : 0;
  let scratch = new Uint8Array(1024);
  return {
    apply(batch, records) {
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = records;
      for (let i = 0; i < records.length; i++) {
        const keyEnd = keyEnds[i]! - suffix;
        if (keyStarts[i]! < 0 || keyEnd < keyStarts[i]!) throw badChangelog(records, i);
        const key = latin1(bytes, keyStarts[i]!, keyEnd);
        const startMs = suffix === 0 ? 0 : readInt64(bytes, keyEnd);
        if (valueStarts[i]! < 0) {
          rows.del(batch, startMs, key);
          continue;
        }
        const end = timestampLength + valueEnds[i]! - valueStarts[i]!;
        if (end > scratch.length) scratch = new Uint8Array(2 * end);
        writeInt64(scratch, 0, timestamps[i]!);
        bytes.copy(scratch, timestampLength, valueStarts[i]!, valueEnds[i]!);
        rows.put(batch, startMs, key, scratch.subarray(0, end));
      }
    },
    seal: (batch) => rows.seal(batch),
    written: () => rows.written(),
  };
}

function versionedApplier(database: Database, prefix: Uint8Array): ChangelogApplier {
  const store = new VersionedBytesStore(database, prefix);
  return {
    apply(batch, records) {
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
      for (let i = 0; i < records.length; i++) {
        if (keyStarts[i]! < 0) throw badChangelog(records, i);
        const history =
          valueStarts[i]! < 0 ? [] : decodeHistory(new Uint8Array(bytes.subarray(valueStarts[i]!, valueEnds[i]!)));
        store.replaceHistory(batch, bytes.subarray(keyStarts[i]!, keyEnds[i]!), history);
      }
    },
    seal() {},
    written() {},
  };
}

function badChangelog({ topic, partition, offsets }: FetchedRecords, i: number): StreamsError {
  return new StreamsError(
    'STREAMS_INTERNAL_TOPIC',
    `${topic} holds a record that this application did not write (partition ${partition}, offset ${offsets[i]}). Use another application.id, or run weir reset.`,
    { topic, partition, offset: offsets[i]! },
  );
}
