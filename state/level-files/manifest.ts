import { NumberReader } from './read-numbers.ts';

/** A table file as the manifest knows it. */
export interface TableEntry {
  readonly number: number;
  readonly bytes: number;
  /** First and last key, with the sequence number behind it: no other file of the database has these. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** What a manifest says of its database. */
export interface Manifest {
  /** The oldest log that is not in table files yet; 0 in a database that was never opened. */
  readonly logNumber: number;
  /** Changes so far, when it was written last. */
  readonly lastSequence: number;
  readonly tables: readonly TableEntry[];
}

/**
 * Adds up the records of a manifest: each is a row of fields, a tag before each (LevelDB: db/version_edit.cc).
 *
 * @throws RangeError where a record is no such row, or says too little.
 */
export function readManifest(records: readonly Uint8Array[]): Manifest {
  const tables = new Map<number, TableEntry>();
  const numbers = new Map<number, number>();
  for (const record of records) {
    const reader = new NumberReader(record);
    while (!reader.done) readField(reader, tables, numbers);
  }
  const logNumber = numbers.get(tags.logNumber);
  const lastSequence = numbers.get(tags.lastSequence);
  if (logNumber === undefined || lastSequence === undefined) throw new RangeError('it is not complete');
  return { logNumber, lastSequence, tables: [...tables.values()].sort((a, b) => a.number - b.number) };
}

const tags = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

function readField(reader: NumberReader, tables: Map<number, TableEntry>, numbers: Map<number, number>): void {
  const text = (): Uint8Array => reader.bytes(reader.next());
  const tag = reader.next();
  switch (tag) {
    case tags.comparator:
      text();
      return;
    case tags.logNumber:
    case tags.nextFile:
    case tags.lastSequence:
    case tags.previousLog:
      numbers.set(tag, reader.next());
      return;
    case tags.compactPointer:
      reader.next();
      text();
      return;
    case tags.deletedFile:
      reader.next();
      tables.delete(reader.next());
      return;
    case tags.newFile: {
      reader.next();
      const number = reader.next();
      tables.set(number, { number, bytes: reader.next(), smallest: text(), largest: text() });
      return;
    }
    default:
      throw new RangeError(`it has a field ${tag}, which is not known`);
  }
}
