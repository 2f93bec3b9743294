// A process whose files may not grow above a limit. It writes until a write fails; then the limit is lifted, as when somebody makes room on
// the disk, and it writes once more. It reports what it met as JSON.
import { execFileSync } from 'node:child_process';
import { messageOf, StreamsError } from '../../src/common/errors.ts';
import { openLevelDatabase } from '../../state/level-database.ts';

const database = await openLevelDatabase(process.argv[2]!, { writeBufferBytes: 64 * 1024 * 1024 });
const errors: unknown[] = [];
let acknowledged = 0;
for (let n = 0; n < 100 && errors.length < 2; n++) {
  const batch = database.batch();
  for (let i = 0; i < 100; i++) batch.put(Uint8Array.of(n, i), new Uint8Array(1000).fill(n));
  try {
    await batch.write({ sync: false });
    acknowledged++;
    if (errors.length > 0) break;
  } catch (error) {
    errors.push({ code: StreamsError.is(error) ? error.code : 'none', message: messageOf(error) });
    if (errors.length === 1) liftLimit();
  }
}

function liftLimit(): void {
  execFileSync('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited']);
}

const readable = database.get(Uint8Array.of(0, 0))?.length;
console.log(JSON.stringify({ acknowledged, errors, readable }));
process.exit(0);
