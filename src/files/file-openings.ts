import { endBytes, hashOfBeginning } from './file-fingerprint.ts';
import type { FileEntry, FileLedger } from './file-ledger.ts';
import type { FolderFile } from './folder.ts';
import type { FolderSurvey } from './folder-survey.ts';
import { openContent } from './known-file.ts';

const lineFeed = 10;
/** Bytes in which two lines end in most files. */
const mostlyEnough = 1024;

/**
 * Which known files in a folder begin with the same two lines: header and first row. These tell which files to compare, no more: many may begin alike.
 *
 * The beginnings of files that were read by an earlier run are read when the first new file comes.
 */
export class FileOpenings {
  readonly #ledger: FileLedger;
  readonly #survey: Pick<FolderSurvey, 'get'>;
  readonly #names: Map<string, Set<string>> = new Map();
  #loaded = false;

  constructor(ledger: FileLedger, survey: Pick<FolderSurvey, 'get'>) {
    this.#ledger = ledger;
    this.#survey = survey;
  }

  /** Entries of files that begin as a new file does, which is noted for those that follow. */
  async alike(name: string, content: Uint8Array): Promise<FileEntry[]> {
    if (!this.#loaded) await this.#load();
    const found = openingOf(content);
    if (found === undefined) return [];
    const alike: FileEntry[] = [];
    for (const other of this.#names.get(found) ?? []) {
      const entry = other === name || this.#survey.get(other) === undefined ? undefined : this.#ledger.get(other);
      if (entry !== undefined && entry.line > 2) alike.push(entry);
    }
    this.#note(found, name);
    return alike;
  }

  async #load(): Promise<void> {
    this.#loaded = true;
    const bytes = Buffer.allocUnsafe(endBytes);
    for (const { name, line } of this.#ledger.entries()) {
      const file = this.#survey.get(name);
      const found = file === undefined || line <= 2 ? undefined : await openingOnDisk(file, bytes);
      if (found !== undefined) this.#note(found, name);
    }
  }

  #note(opening: string, name: string): void {
    const names = this.#names.get(opening);
    if (names === undefined) this.#names.set(opening, new Set([name]));
    else names.add(name);
  }
}

/** The hash of the first two lines of content; undefined if they do not end within 64 KiB. */
function openingOf(content: Uint8Array): string | undefined {
  const header = content.indexOf(lineFeed);
  const row = header < 0 ? -1 : content.indexOf(lineFeed, header + 1);
  return row < 0 || row >= endBytes ? undefined : hashOfBeginning(content.subarray(0, row));
}

async function openingOnDisk(file: FolderFile, bytes: Buffer): Promise<string | undefined> {
  const source = await openContent(file, 0, bytes.length);
  if (source === undefined) return undefined;
  try {
    let count = await source.read(bytes, 0, mostlyEnough);
    const found = openingOf(bytes.subarray(0, count));
    if (found !== undefined || count < mostlyEnough) return found;
    count += await source.read(bytes, count, bytes.length - count);
    return openingOf(bytes.subarray(0, count));
  } finally {
    await source.close();
  }
}
