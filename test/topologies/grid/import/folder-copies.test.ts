import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { StreamsError } from '../../../../src/common/errors.ts';
import { FolderCopies } from '../../../../topologies/grid/import/folder-copies.ts';
import { importTables } from '../../../../topologies/grid/import/import-tables.ts';

test('of two imports that keep their tables in one folder, as in two containers, none lets the tables of the other appear', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-copies-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const [region] = importTables;
  const [first, second] = [new FolderCopies(folder, '20180131'), new FolderCopies(folder, '20180131')];
  await first.write(region!, (append) => append([['1', 'of the first']]));
  await second.write(region!, (append) => append([['1', 'of the second']]));
  // The second took what it found for that of a process which is gone.
  await t.throwsAsync(first.commit(), { instanceOf: StreamsError });
  await first.abort();
  t.is(
    await readFile(join(await second.commit(), 'region.csv'), 'utf8'),
    'id_region,libelle_region\n1,of the second\n',
  );
});
