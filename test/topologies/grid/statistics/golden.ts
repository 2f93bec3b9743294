import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { fileNameOf } from '../../../../topologies/grid/statistics/export-statistics.ts';
import { allKey, type EventType, groupings, periods } from '../../../../topologies/grid/statistics/statistic.ts';
import { FakeStores } from './fake-stores.ts';

/** The folder of the golden statistics, beside the checkout. */
export const goldenFolder: string = join(import.meta.dirname, '../../../../../shared/data/statistics');

/** Whether the golden data is there. */
export const hasGolden: boolean = existsSync(goldenFolder);

/** The text of a golden file. */
export function goldenFile(name: string): string {
  return readFileSync(join(goldenFolder, name), 'utf8');
}

/** Stores that hold the golden statistics, read by csv-parse. */
export function goldenStores(): FakeStores {
  const stores = new FakeStores('Europe/Paris');
  for (const period of periods) {
    for (const grouping of groupings) {
      const rows: Record<string, string>[] = parse(goldenFile(fileNameOf(period, grouping)), { columns: true });
      for (const row of rows) {
        const key =
          grouping === 'type'
            ? allKey
            : grouping === 'equipment'
              ? `${row.type_equipement}:${row.id_equipement}`
              : row[grouping]!;
        stores.add(period, grouping, row.window_start!, key, row.type_evt as EventType, Number(row.n));
      }
    }
  }
  return stores;
}
