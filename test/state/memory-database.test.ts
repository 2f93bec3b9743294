import test from 'ava';
import { databaseConformance } from '../../src/testing/database-conformance.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';

for (const { title, run } of databaseConformance(openMemoryDatabase)) {
  test(title, async (t) => {
    await t.notThrowsAsync(run());
  });
}
