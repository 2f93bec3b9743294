import type { Database } from '../../../state/database.ts';
import { latin1 } from '../../../state/latin1.ts';
import { decodeHistory } from '../../../state/versioned-store.ts';
import { type BrokerProducer, partitionKey } from '../../clients/broker.ts';
import { readInt64 } from '../../common/bytes.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { localPart } from '../parts/local-part.ts';
import { wholeTime } from '../parts/store-part.ts';
import type { ByteRow } from '../stores/byte-rows.ts';
import { changelogWriter } from './changelog.ts';
import { changelogTopic, transactionalId } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';

/** Bytes of a transaction: the broker aborts one that takes long. */
const commitBytes = 8 * 1024 * 1024;

/** Rows of a store's partition, in a database. */
export interface FilledStore {
  readonly spec: StoreSpec;
  readonly prefix: Uint8Array;
}

/**
 * Writes the rows of a task's stores to their changelogs, which are empty. Not in one step: until all is written something else must say that they are not whole.
 *
 * @returns the ends of the changelogs
 */
export async function fillChangelogs(
  task: { readonly taskId: string; readonly partition: number; readonly database: Database },
  stores: readonly FilledStore[],
  { broker, applicationId, compression }: FilledOptions,
): Promise<ReadonlyMap<string, number>> {
  const producer = broker.producer({
    transactionalId: transactionalId(applicationId, task.taskId),
    transactional: true,
    compression,
    transactionTimeoutMs: 300_000,
  });
  const written = new Map<string, number>();
  const commit = async (): Promise<void> => {
    for (const [key, end] of await producer.commit()) written.set(key, end);
  };
  try {
    await producer.init();
    for (const store of stores) await writeStore(store, { ...task, applicationId, producer, commit });
    await commit();
  } finally {
    await producer.close();
  }
  const topics = stores.map(({ spec }) => changelogTopic(applicationId, spec.name));
  return new Map(topics.map((topic) => [topic, written.get(partitionKey(topic, task.partition)) ?? 0]));
}

async function writeStore(
  { spec, prefix }: FilledStore,
  to: {
    readonly partition: number;
    readonly database: Database;
    readonly applicationId: string;
    readonly producer: BrokerProducer;
    readonly commit: () => Promise<void>;
  },
): Promise<void> {
  const { partition, database, producer } = to;
  const topic = changelogTopic(to.applicationId, spec.name);
  const write = changelogWriter(spec, { topic, partition }, producer, { topic, records: 0, bytes: 0 });
  for await (const page of localPart(spec, database, prefix, partition).rows(wholeTime.fromMs, wholeTime.toMs)) {
    for (const row of page) {
      const { bytes, timestamp } =
        spec.kind === 'versioned' ? ofHistory(row) : { bytes: row.value, timestamp: readInt64(row.value, 0) };
      write(row.startMs, latin1(row.key, 0, row.key.length), bytes, timestamp);
    }
    if (producer.bufferedBytes > commitBytes) await to.commit();
  }
}

/** A history stands without a time of its own. */
function ofHistory({ value }: ByteRow): { readonly bytes: Uint8Array; readonly timestamp: number } {
  const bytes = new Uint8Array(8 + value.length);
  bytes.set(value, 8);
  return { bytes, timestamp: decodeHistory(value).at(-1)?.validFromMs ?? 0 };
}
