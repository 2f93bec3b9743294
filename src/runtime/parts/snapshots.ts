import type { Database, Reader, Snapshot } from '../../../state/database.ts';

/** One state of a database, until it is given back. */
export interface ReadLease {
  readonly reader: Reader;
  release(): Promise<void>;
}

/** Takes the state of a database as it is now. */
export type OpenSnapshot = () => ReadLease;

/**
 * Snapshots of a database. All that are asked for without a pause between them are one: so a range over several partitions sees one commit of them all.
 */
export function sharedSnapshots(database: Database): OpenSnapshot {
  let shared: { readonly snapshot: Snapshot; holders: number } | undefined;
  return () => {
    if (shared === undefined) {
      shared = { snapshot: database.snapshot(), holders: 0 };
      queueMicrotask(() => {
        shared = undefined;
      });
    }
    const held = shared;
    held.holders++;
    return {
      reader: held.snapshot,
      async release() {
        if (--held.holders === 0) await held.snapshot.close();
      },
    };
  };
}

/** The same reader each time, which its owner closes. */
export function fixedReader(reader: Reader): OpenSnapshot {
  const lease = { reader, release: async () => {} };
  return () => lease;
}
