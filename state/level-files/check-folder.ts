import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/common/errors.ts';
import { type ClosedMark, manifestOf, markOf, readClosedMark } from './closed-mark.ts';
import type { Damage } from './damage.ts';
import { isOfAnother, readIdentity } from './identity.ts';
import { readLog } from './log-records.ts';
import { type Manifest, readManifest, type TableEntry } from './manifest.ts';
import { checkTable } from './table-file.ts';

/** Sequence number and count of a log's record stand before its changes. */
const batchHeaderBytes = 12;

/**
 * Reads all files of a LevelDB database that nobody has open, and gives what is wrong with them: damaged, missing, cut off, or in the place of others. Nothing for a folder without
 * a database.
 *
 * LevelDB itself looks at little of this: it leaves out damaged records of a log, and compares no checksum of what it reads from tables.
 *
 * What a killed process leaves is no damage: a log or a manifest whose last record was not written to its end.
 */
export async function* damagesOf(folder: string): AsyncGenerator<Damage> {
  const files = new Files(folder, await readdir(folder));
  const mark = await readClosedMark(folder);
  if (!files.names.includes('CURRENT')) {
    // LevelDB would take the folder for a new database and delete the tables in it.
    if (mark !== undefined || files.names.some((name) => /\.(ldb|sst|log)$/.test(name)))
      yield { file: 'CURRENT', what: 'is missing' };
    return;
  }
  const number = manifestOf((await files.read('CURRENT')) ?? new Uint8Array(0));
  if (number === undefined) yield files.failed('CURRENT') ?? { file: 'CURRENT', what: 'does not name a manifest' };
  else {
    yield* changesSince(mark, number, files);
    yield* contentOf(`MANIFEST-${String(number).padStart(6, '0')}`, files);
  }
}

/** Reads files of a folder once. One that cannot be read is undefined, and noted. */
class Files {
  readonly names: readonly string[];
  readonly folder: string;
  readonly #read = new Map<string, Uint8Array>();
  readonly #failed = new Map<string, Damage>();

  constructor(folder: string, names: readonly string[]) {
    this.folder = folder;
    this.names = names;
  }

  async read(name: string, keep = true): Promise<Uint8Array | undefined> {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    try {
      const bytes = await readFile(join(this.folder, name));
      if (keep) this.#read.set(name, bytes);
      return bytes;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // Who may not read it has another problem.
      if (code !== 'ENOENT' && code !== 'EIO' && code !== 'EISDIR') throw error;
      const what = code === 'ENOENT' ? 'is missing' : `cannot be read (${messageOf(error)})`;
      this.#failed.set(name, { file: name, what });
      return undefined;
    }
  }

  failed(name: string): Damage | undefined {
    return this.#failed.get(name);
  }
}

/** What is not as it was when the database was closed. */
async function* changesSince(mark: ClosedMark | undefined, manifest: number, files: Files): AsyncGenerator<Damage> {
  // Opened since, by whomever.
  if (mark === undefined || mark.manifest < manifest) return;
  for (const [name, expected] of Object.entries(mark.files)) {
    const bytes = await files.read(name);
    if (bytes === undefined) yield files.failed(name)!;
    else {
      const found = markOf(bytes);
      if (found.bytes !== expected.bytes)
        yield { file: name, what: `has ${found.bytes} bytes, not ${expected.bytes} as when it was closed` };
      else if (found.crc32c !== expected.crc32c) yield { file: name, what: 'is not what it was when it was closed' };
    }
  }
}

async function* contentOf(manifestName: string, files: Files): AsyncGenerator<Damage> {
  const bytes = await files.read(manifestName);
  if (bytes === undefined) {
    yield files.failed(manifestName)!;
    return;
  }
  const { records, end, at } = readLog(bytes);
  if (end === 'hole' || end === 'broken') {
    yield { file: manifestName, what: `has a damaged record at byte ${at}` };
    return;
  }
  let manifest: Manifest;
  try {
    manifest = readManifest(records);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    yield { file: manifestName, what: `is no whole manifest: ${error.message}` };
    return;
  }
  yield* logDamages(manifest, files);
  for (const table of manifest.tables) yield* tableDamages(table, files);
}

async function* tableDamages(table: TableEntry, files: Files): AsyncGenerator<Damage> {
  const base = String(table.number).padStart(6, '0');
  const name = files.names.includes(`${base}.sst`) ? `${base}.sst` : `${base}.ldb`;
  const bytes = await files.read(name, false);
  const what = bytes === undefined ? files.failed(name)!.what : await checkTable(bytes, table);
  if (what !== undefined) yield { file: name, what };
}

/** The logs that are not in tables yet, one after the other: each record counts on from where the one before has ended. */
async function* logDamages(manifest: Manifest, files: Files): AsyncGenerator<Damage> {
  const logs = files.names
    .flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
    .filter((digits) => Number(digits) >= manifest.logNumber)
    .sort((a, b) => Number(a) - Number(b));
  if (manifest.logNumber > 0 && Number(logs[0]) !== manifest.logNumber) {
    yield { file: `${String(manifest.logNumber).padStart(6, '0')}.log`, what: 'is missing' };
    return;
  }
  let reached: number | undefined;
  let unfinished: Damage | undefined;
  const identity = await readIdentity(files.folder);
  for (const digits of logs) {
    const name = `${digits}.log`;
    const bytes = await files.read(name);
    if (bytes === undefined) {
      yield files.failed(name)!;
      return;
    }
    const { records, end, at } = readLog(bytes);
    if (records.length > 0 && unfinished !== undefined) {
      yield unfinished;
      return;
    }
    for (const record of records) {
      if (identity !== undefined && isOfAnother(record, identity)) {
        yield { file: name, what: 'is the log of another database' };
        return;
      }
      const { from, to } = changesOf(record);
      const follows = reached === undefined ? from <= manifest.lastSequence + 1 : from === reached + 1;
      if (!follows) {
        yield { file: name, what: `lacks what was written before change ${from}` };
        return;
      }
      reached = to;
    }
    if (end === 'hole') {
      yield { file: name, what: `has a damaged record at byte ${at}, and whole ones behind it` };
      return;
    }
    // The next log is begun when this one is full.
    if (end !== 'whole' || records.length === 0) unfinished = { file: name, what: `has lost its end at byte ${at}` };
  }
  if (reached !== undefined && reached < manifest.lastSequence)
    yield { file: `${logs.at(-1)}.log`, what: `ends with change ${reached}, but there were ${manifest.lastSequence}` };
}

/** The numbers of the first and the last change that a record has; 0 for one that is no record of changes. */
function changesOf(record: Uint8Array): { readonly from: number; readonly to: number } {
  if (record.length < batchHeaderBytes) return { from: 0, to: 0 };
  const view = new DataView(record.buffer, record.byteOffset, batchHeaderBytes);
  const from = Number(view.getBigUint64(0, true));
  return { from, to: from + view.getUint32(8, true) - 1 };
}
