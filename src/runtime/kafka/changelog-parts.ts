import type { Database } from '../../../state/database.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';
import { type Broker, partitionKey, type TopicPartition } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { rowPrefix } from '../state-folder.ts';
import { type ChangelogApplier, changelogApplier } from './changelog.ts';
import { changelogTopic } from './internal-names.ts';

/**
 * A store's committed rows as its changelog has them: read to the stable end into memory.
 *
 * @throws StreamsError `STREAMS_STATE_MISSING` if the application has no such changelog, `STREAMS_BROKER`.
 */
export async function changelogParts(
  broker: Broker,
  applicationId: string,
  spec: StoreSpec,
): Promise<readonly StorePart[]> {
  const topic = changelogTopic(applicationId, spec.name);
  const count = (await broker.admin.partitionCounts([topic])).get(topic);
  if (count === undefined)
    throw new StreamsError(
      'STREAMS_STATE_MISSING',
      `there is no topic ${topic}: application ${applicationId} never ran on these brokers. Give its name with --application-id.`,
      { topic },
    );
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const databases = await Promise.all(partitions.map(() => openMemoryDatabase('')));
  await readToEnds(broker, partitions, (partition) => {
    const database = databases[partition]!;
    return { database, applier: changelogApplier(spec, database, rowPrefix(0, partition)) };
  });
  return databases.map((database, partition) => localPart(spec, database, rowPrefix(0, partition), partition));
}

async function readToEnds(
  broker: Broker,
  partitions: readonly TopicPartition[],
  targetOf: (partition: number) => { readonly database: Database; readonly applier: ChangelogApplier },
): Promise<void> {
  const { admin } = broker;
  const [ends, starts] = await Promise.all([admin.offsets(partitions, 'stable'), admin.offsets(partitions, 'earliest')]);
  const left = new Map<string, number>();
  for (const [i, { topic, partition }] of partitions.entries())
    if (starts[i]! < ends[i]!) left.set(partitionKey(topic, partition), ends[i]!);
  if (left.size === 0) return;
  const targets = new Map(partitions.map(({ partition }) => [partition, targetOf(partition)]));
  let writing: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const fetcher = broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => {
        const { topic, partition, nextOffset } = records;
        const { database, applier } = targets.get(partition)!;
        writing = writing.then(async () => {
          const batch = database.batch();
          applier.apply(batch, records);
          applier.seal(batch);
          await batch.write({ sync: false });
          applier.written();
        });
        writing.catch(reject);
        const key = partitionKey(topic, partition);
        if (nextOffset < (left.get(key) ?? 0)) return;
        left.delete(key);
        fetcher.remove({ topic, partition });
        if (left.size === 0)
          writing.then(() => fetcher.close()).then(resolve, reject);
      },
      failed: ({ topic }, _kind, error) =>
        reject(
          new StreamsError('STREAMS_BROKER', `${topic} cannot be read: ${error.message}. See the broker's log.`, {
            topic,
            cause: error,
          }),
        ),
    });
    for (const [i, { topic, partition }] of partitions.entries())
      if (left.has(partitionKey(topic, partition))) fetcher.add({ topic, partition, offset: starts[i]! });
  });
}
