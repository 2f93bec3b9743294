import { openMemoryDatabase } from '../../../state/memory-database.ts';
import type { Broker } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { Version } from '../../processor/rows.ts';
import { historySerde } from '../../serde/history.ts';
import type { GlobalTableSpec } from '../../topology/node-spec.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { rowPrefix } from '../state-folder.ts';
import { VersionedTableStore } from '../stores/versioned-table-store.ts';
import { readToEnd } from './read-to-end.ts';

/** A global table as its topic has it now, read to the stable end into memory: one part. Records that cannot be read are passed over, as the running table does. */
export async function globalTopicParts(broker: Broker, table: GlobalTableSpec): Promise<readonly StorePart[]> {
  const { topic, store: spec, history, versioned } = table;
  const count = (await broker.admin.partitionCounts([topic])).get(topic);
  if (count === undefined)
    throw new StreamsError('STREAMS_MISSING_SOURCE_TOPIC', `there is no topic ${topic} on these brokers.`, { topic });
  const database = await openMemoryDatabase('');
  const prefix = rowPrefix(0, 0);
  const options = { keepsVersions: versioned, cacheBytes: 1 << 20, global: true };
  const store = new VersionedTableStore(spec, database, prefix, options);
  const serde = history === 'value' ? historySerde(spec.valueSerde) : spec.valueSerde;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  await readToEnd(broker, partitions, async (records) => {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = records;
    for (let i = 0; i < records.length; i++) {
      try {
        const key = spec.keySerde.deserialize(bytes.subarray(keyStarts[i]!, keyEnds[i]!));
        const value =
          valueStarts[i]! < 0 ? undefined : serde.deserialize(bytes.subarray(valueStarts[i]!, valueEnds[i]!));
        if (history === 'record') store.put(key, value, timestamps[i]!);
        else store.replaceHistory(key, (value ?? []) as readonly Version<unknown>[]);
      } catch {
        // As the running table does.
      }
    }
    const batch = database.batch();
    store.flush(batch);
    await batch.write({ sync: false });
    await batch.close();
  });
  return [localPart(spec, database, prefix, 0)];
}
