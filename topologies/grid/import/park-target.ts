import type { ParkTable } from '../park/place-names.ts';
import type { TableName } from './import-tables.ts';
import type { ParkDifference } from './park-difference.ts';

/** What is remembered of the last import. */
export interface LastImport {
  /** When it was applied, ISO 8601. */
  readonly at: string;
  /** Rows of each table, without those that were left out. */
  readonly rows: Readonly<Record<TableName, number>>;
}

/** How a park is applied. */
export interface ApplyOptions {
  /** What is remembered of it. */
  readonly record: LastImport;
  /** True: only the difference is found, nothing is changed. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What the table of the park is to hold, in a zone: places of equipment and names of places. */
export type ParkOfZone = (zone: string) => ParkTable;

/** Where a park is imported into: a state folder, or a topic on Kafka. */
export interface ParkTarget {
  /** For messages. */
  readonly name: string;
  /** Undefined: nothing was imported yet. */
  last(): Promise<LastImport | undefined>;
  /**
   * Makes the versioned park be what was imported: compares with what is there, and writes the equipments whose places differ.
   *
   * Applied again after it was cut off anywhere, it leads to the same park.
   *
   * @param histories - Makes the histories in the zone of the target.
   */
  apply(histories: ParkOfZone, options: ApplyOptions): Promise<ParkDifference>;
}
