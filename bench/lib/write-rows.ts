/** A process of bench/store: `write-rows.ts raw|table FOLDER ROWS ROWS-PER-COMMIT SYNC` writes rows to a new database and tells how long it took. */
import { Level } from 'level';
import { Serdes } from '../../src/index.ts';
import { keyValueRows } from '../../src/runtime/stores/byte-rows.ts';
import type { CacheMeter } from '../../src/runtime/stores/cache-meter.ts';
import { CachedTable } from '../../src/runtime/stores/cached-table.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { shuffled } from './shuffled.ts';
import { tellParent } from './tell-parent.ts';

/** What the writing took, the making of rows aside. */
export interface StoreFigures {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** Writes one commit's rows. */
type Commit = (keys: readonly string[], values: readonly Uint8Array[]) => Promise<void>;

const cacheMaxBytes = 64 * 1024 * 1024;

const [way, folder, countText, perCommitText, syncText] = process.argv.slice(2);
const count = Number(countText);
const perCommit = Number(perCommitText);
const sync = syncText === 'true';
const { commit, close } = await (way === 'raw' ? openRaw(folder!) : openTable(folder!));

let wallMs = 0;
let cpuMicros = 0;
for (let from = 0; from < count; from += perCommit) {
  const keys: string[] = [];
  const values: Uint8Array[] = [];
  for (let i = from; i < Math.min(count, from + perCommit); i++) {
    const key = String(shuffled(i, count)).padStart(16, '0');
    keys.push(key);
    values.push(Buffer.from(key + key, 'latin1'));
  }
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await commit(keys, values);
  wallMs += performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  cpuMicros += user + system;
}
await close();
tellParent({ wallSeconds: wallMs / 1000, cpuSeconds: cpuMicros / 1e6 } satisfies StoreFigures);

/** The database's own fastest way, with the sizes that the runtime gives it. */
async function openRaw(path: string): Promise<{ commit: Commit; close: () => Promise<void> }> {
  const mib = 1024 * 1024;
  const sizes = { cacheSize: 16 * mib, writeBufferSize: 4 * mib, maxFileSize: 8 * mib };
  const level = new Level<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view', ...sizes });
  await level.open();
  const commit: Commit = async (keys, values) => {
    const batch = level.batch();
    for (let i = 0; i < keys.length; i++) batch.put(Buffer.from(keys[i]!, 'latin1'), values[i]!);
    await batch.write({ sync } as object);
  };
  return { commit, close: () => level.close() };
}

/** A table as a topology's node uses it, and the commit of an embedded client. */
async function openTable(path: string): Promise<{ commit: Commit; close: () => Promise<void> }> {
  const database = await openLevelDatabase(path);
  const meter: CacheMeter = { dirtyBytes: 0, cachedBytes: 0, filterBytes: 0, filterMaxBytes: 0, flushedRows: 0 };
  const { string: keySerde, bytes: valueSerde } = Serdes;
  const spec = { name: 'rows', kind: 'key-value', keySerde, valueSerde, cached: true, result: true } as const;
  const rows = keyValueRows(database, Uint8Array.of(1, 0, 0, 0, 0));
  const table = new CachedTable<string, Uint8Array>(spec as never, rows, meter, true);
  await table.open();
  const commit: Commit = async (keys, values) => {
    for (let i = 0; i < keys.length; i++) table.set(keys[i]!, 0, values[i], i);
    const batch = database.batch();
    while (!table.flush(batch, 2048));
    await batch.write({ sync });
    if (meter.cachedBytes > cacheMaxBytes / 2) table.age();
  };
  return { commit, close: () => database.close() };
}
