import { StreamsError } from '../../common/errors.ts';
import type { StreamsState } from '../engine-stats.ts';
import { foundPart } from '../parts/found-part.ts';
import { migratingPart } from '../parts/missing-part.ts';
import { readOnlyStore } from '../parts/read-only-store.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ReadOnlyStore } from '../read-only-stores.ts';
import { placement } from '../runtime-nodes.ts';
import type { Owner, Ownership } from './ownership.ts';

/** Where the partitions of an instance are, over its threads. */
export interface InstanceParts {
  readonly state: StreamsState;
  partOf(store: string, partition: number, stale: boolean): StorePart | undefined;
  ownerOf(taskId: string, stale: boolean): Owner;
}

/**
 * The committed rows of a store that this instance has.
 *
 * @param stale - Also copies that may be out of date.
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the tasks are there
 */
export function localStore(ownership: Ownership, instance: InstanceParts, name: string, stale: boolean): ReadOnlyStore {
  const spec = ownership.specOf(name);
  const partitions = ownership.partitionsOf(name);
  if (partitions === 0) throw notYetReadable(name, instance.state);
  const global = ownership.isGlobal(name);
  const parts: StorePart[] = [];
  let some = false;
  for (let partition = 0; partition < partitions; partition++) {
    // Asked at each read: the store may be kept for longer than the task is here.
    const found = (): StorePart | undefined => instance.partOf(name, partition, stale);
    const here = found() !== undefined;
    some ||= here;
    // One on its way may be this instance's: who reads it is told, instead of getting less than there is.
    if (here || (!global && instance.ownerOf(ownership.taskOf(name, partition), stale) === 'migrating'))
      parts.push(foundPart(partition, () => found() ?? migratingPart(name, partition)));
  }
  if (!some && instance.state !== 'RUNNING') throw notYetReadable(name, instance.state);
  return readOnlyStore(spec, parts, global ? () => 0 : placement(spec.keySerde, partitions));
}

/** Who has a key of a store now. @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the partitions are known */
export function placeOfKey(
  ownership: Ownership,
  instance: InstanceParts,
  store: string,
  key: unknown,
): { readonly partition: number; readonly owner: Owner } {
  const spec = ownership.specOf(store);
  if (ownership.isGlobal(store)) return { partition: 0, owner: 'local' };
  const partitions = ownership.partitionsOf(store);
  if (partitions === 0) throw notYetReadable(store, instance.state);
  const partition = placement(spec.keySerde, partitions)(key);
  return { partition, owner: instance.ownerOf(ownership.taskOf(store, partition), false) };
}

/** Of a client that has no tasks yet, or none any more. */
function notYetReadable(store: string, state: StreamsState): StreamsError {
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
