import { StreamsError } from '../../common/errors.ts';
import type { StreamsState } from '../engine-stats.ts';
import { foundPart } from '../parts/found-part.ts';
import { migratingPart } from '../parts/missing-part.ts';
import { readOnlyStore } from '../parts/read-only-store.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../read-only-stores.ts';
import { placement } from '../runtime-nodes.ts';
import type { Ownership } from './ownership.ts';

/** A store's partition where it is now in this instance: at its own thread, or at another one. */
export type FindPart = (store: string, partition: number, stale: boolean) => StorePart | undefined;

/**
 * The committed rows of a store that this instance has.
 *
 * @param stale - Also copies that may be out of date.
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the tasks are there
 */
export function localStore(
  ownership: Ownership,
  partOf: FindPart,
  name: string,
  { stale = false, state }: StoreReadOptions & { readonly state: StreamsState },
): ReadOnlyStore {
  const spec = ownership.specOf(name);
  const partitions = ownership.partitionsOf(name);
  if (partitions === 0) throw notYetReadable(name, state);
  const parts: StorePart[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    // Asked at each read: the store may be kept for longer than the task is here.
    const found = (): StorePart | undefined => partOf(name, partition, stale);
    if (found() !== undefined) parts.push(foundPart(partition, () => found() ?? migratingPart(name, partition)));
  }
  if (parts.length === 0 && state !== 'RUNNING') throw notYetReadable(name, state);
  return readOnlyStore(spec, parts, ownership.isGlobal(name) ? () => 0 : placement(spec.keySerde, partitions));
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
