import test from 'ava';
import { byteStoresConformance } from '../../src/testing/byte-stores-conformance.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';

for (const [name, factory] of [
  ['LevelDB', (location: string) => openLevelDatabase(location)],
  ['memory', openMemoryDatabase],
] as const) {
  for (const { title, run } of byteStoresConformance(factory)) {
    test(`${name}: ${title}`, async (t) => {
      await t.notThrowsAsync(run());
    });
  }
}
