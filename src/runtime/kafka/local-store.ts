import { StreamsError } from '../../common/errors.ts';
import { foundPart } from '../parts/found-part.ts';
import { localPart } from '../parts/local-part.ts';
import { migratingPart } from '../parts/missing-part.ts';
import { readOnlyStore } from '../parts/read-only-store.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ReadOnlyStore } from '../read-only-stores.ts';
import { placement } from '../runtime-nodes.ts';
import type { Ownership } from './ownership.ts';

/**
 * The committed rows of a store that this instance has.
 *
 * @param stale - Also copies that may be out of date.
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the topics are known
 */
export function localStore(ownership: Ownership, name: string, stale: boolean): ReadOnlyStore {
  const spec = ownership.specOf(name);
  const global = ownership.isGlobal(name);
  const partitions = ownership.partitionsOf(name);
  if (partitions === 0)
    throw new StreamsError('STREAMS_TASK_MIGRATED', 'the client is starting. Ask again in a second.', {
      retriable: true,
    });
  const parts: StorePart[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    // Asked at each read: the store may be kept for longer than the task is here.
    const found = (): StorePart | undefined => {
      const own = global || ownership.ownerOf(ownership.taskOf(name, partition), stale) === 'local';
      const rows = own ? ownership.localRows(name, partition) : undefined;
      return rows && localPart(spec, rows.database, rows.prefix, partition);
    };
    if (found() !== undefined) parts.push(foundPart(partition, () => found() ?? migratingPart(name, partition)));
  }
  return readOnlyStore(spec, parts, global ? () => 0 : placement(spec.keySerde, partitions));
}
