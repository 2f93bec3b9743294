import { openMemoryDatabase } from '../../../state/memory-database.ts';
import type { Broker } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { rowPrefix } from '../state-folder.ts';
import { changelogApplier } from './changelog.ts';
import { changelogTopic } from './internal-names.ts';
import { readToEnd } from './read-to-end.ts';

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
  const appliers = databases.map((database, partition) => changelogApplier(spec, database, rowPrefix(0, partition)));
  await readToEnd(broker, partitions, async (records) => {
    const applier = appliers[records.partition]!;
    const batch = databases[records.partition]!.batch();
    applier.apply(batch, records);
    applier.seal(batch);
    await batch.write({ sync: false });
    applier.written();
  });
  return databases.map((database, partition) => localPart(spec, database, rowPrefix(0, partition), partition));
}
