import { StreamsError } from '../../common/errors.ts';
import type { StorePart } from './store-part.ts';

/** A partition that is on its way between instances: whoever reads it is told to ask again. */
export function migratingPart(store: string, partition: number): StorePart {
  const refuse = (): never => {
    throw new StreamsError(
      'STREAMS_TASK_MIGRATED',
      `partition ${partition} of store ${store} is on its way to another instance. Ask again in a second.`,
      { partition, retriable: true },
    );
  };
  // biome-ignore lint/correctness/useYield: it has no rows to give
  async function* pages(): AsyncGenerator<never> {
    refuse();
  }
  return { partition, get: async () => refuse(), rows: pages, rowsOfKey: pages };
}
