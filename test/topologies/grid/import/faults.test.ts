import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Faults } from '../../../../topologies/grid/import/faults.ts';

test('the list of faults is whole where the disk takes less at once than it is given', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-faults-'));
  const { writeSync } = fs;
  t.teardown(() => {
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
    rmSync(folder, { recursive: true });
  });
  const some = (fd: number, data: string | NodeJS.ArrayBufferView, at = 0): number => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Uint8Array);
    return writeSync(fd, bytes, at, Math.min(10, bytes.length - at));
  };
  fs.writeSync = some as typeof writeSync;
  syncBuiltinESMExports();
  const faults = new Faults(join(folder, 'faults.csv'));
  for (const pdk of [1, 2]) faults.add({ table: 'pdk', key: `id_pdk=${pdk}`, what: 'the key is there twice' });
  faults.finish();
  t.is(
    readFileSync(faults.file, 'utf8'),
    'table,key,what\npdk,id_pdk=1,the key is there twice\npdk,id_pdk=2,the key is there twice\n',
  );
});
