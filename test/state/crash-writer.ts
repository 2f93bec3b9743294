// A process that writes numbered batches until it is killed, and says each number once its batch is acknowledged.
import { writeSync } from 'node:fs';
import { readInt64, writeInt64 } from '../../src/common/bytes.ts';
import { openLevelDatabase } from '../../state/level-database.ts';

const [, , location, sync] = process.argv;
// A small buffer, so that kills meet the change of log files and compactions too.
const database = await openLevelDatabase(location!, { writeBufferBytes: 64 * 1024 });
const number = new Uint8Array(8);
const key = new Uint8Array(10);
const last = database.get(new Uint8Array(1));
for (let n = last === undefined ? 1 : readInt64(last, 0) + 1; ; n++) {
  const batch = database.batch();
  writeInt64(number, 0, n);
  batch.put(new Uint8Array(1), number);
  // Rows that every batch changes, and rows that only this batch adds.
  for (let i = 0; i < 40; i++) batch.put(Uint8Array.of(1, i), number);
  key[0] = 2;
  writeInt64(key, 1, n);
  for (let i = 0; i < 5; i++) {
    key[9] = i;
    batch.put(key, number);
  }
  await batch.write({ sync: sync === 'sync' });
  writeSync(1, `${n}\n`);
}
