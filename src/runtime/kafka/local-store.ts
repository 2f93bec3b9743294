import { StreamsError } from '../../common/errors.ts';
import type { StreamsState } from '../engine-stats.ts';
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
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the tasks are there
 */
export function localStore(ownership: Ownership, name: string, stale: boolean, state: StreamsState): ReadOnlyStore {
  const spec = ownership.specOf(name);
  const global = ownership.isGlobal(name);
  const partitions = ownership.partitionsOf(name);
  if (partitions === 0) throw notYetReadable(name, state);
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
  if (parts.length === 0 && state !== 'RUNNING') throw notYetReadable(name, state);
  return readOnlyStore(spec, parts, global ? () => 0 : placement(spec.keySerde, partitions));
}

/** Of a client that has no tasks yet, or none any more. */
export function notYetReadable(store: string, state: StreamsState): StreamsError {
  const todo =
    state === 'CREATED'
      ? 'Call start() first, and read when onStateChange tells RUNNING.'
      : state === 'REBALANCING'
        ? 'Read when onStateChange tells RUNNING, or ask again in a second.'
        : 'The client has ended: ask another instance, or a new client.';
  const message = `store ${store} cannot be read: the client is ${state}, and has no tasks. ${todo}`;
  return new StreamsError('STREAMS_TASK_MIGRATED', message, {
    retriable: state === 'CREATED' || state === 'REBALANCING',
  });
}
