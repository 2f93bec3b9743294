import { endBytes, hashOfBeginning } from './file-fingerprint.ts';
import type { FileEntry, FileLedger } from './file-ledger.ts';
import type { FolderFile } from './folder.ts';
import type { FolderSurvey } from './folder-survey.ts';
import { openContent } from './known-file.ts';

const lineFeed = 10;
const carriageReturn = 13;
/** Bytes in which header and first row end in most files. */
const mostlyEnough = 1024;

/**
 * Which known files in a folder begin with the same lines: those before the first row, and this. These tell which files to compare, no more: many may begin alike.
 *
 * The beginnings of files that were read by an earlier run are read when the first new file comes.
 */
export class FileOpenings {
  readonly #ledger: FileLedger;
  readonly #survey: Pick<FolderSurvey, 'get'>;
  /** Lines before the first row, and this. */
  readonly #lines: number;
  readonly #names: Map<string, Set<string>> = new Map();
  #loaded = false;

  /** @param headerLines - Lines of a file before its rows. */
  constructor(ledger: FileLedger, survey: Pick<FolderSurvey, 'get'>, headerLines: number) {
    this.#lines = headerLines + 1;
    this.#ledger = ledger;
    this.#survey = survey;
  }

  /** Entries of files that begin as a new file does, which is noted for those that follow. `ends`: there is no more content. */
  async alike(name: string, content: Uint8Array, ends: boolean): Promise<FileEntry[]> {
    if (!this.#loaded) await this.#load();
    const found = openingOf(content, this.#lines, ends);
    if (found === undefined) return [];
    const alike: FileEntry[] = [];
    for (const other of this.#names.get(found) ?? []) {
      const entry = other === name || this.#survey.get(other) === undefined ? undefined : this.#ledger.get(other);
      if (entry !== undefined && entry.line > this.#lines) alike.push(entry);
    }
    this.#note(found, name);
    return alike;
  }

  async #load(): Promise<void> {
    this.#loaded = true;
    const bytes = Buffer.allocUnsafe(endBytes);
    for (const { name, line } of this.#ledger.entries()) {
      const file = this.#survey.get(name);
      const found =
        file === undefined || line <= this.#lines ? undefined : await openingOnDisk(file, bytes, this.#lines);
      if (found !== undefined) this.#note(found, name);
    }
  }

  #note(opening: string, name: string): void {
    const names = this.#names.get(opening);
    if (names === undefined) this.#names.set(opening, new Set([name]));
    else names.add(name);
  }
}

/** The hash of the first lines of content; undefined if they do not end within 64 KiB. `ends`: the content's end is the end of a line. */
function openingOf(content: Uint8Array, lines: number, ends: boolean): string | undefined {
  let end = -1;
  for (let line = 0; line < lines; line++) {
    const start = end + 1;
    end = content.indexOf(lineFeed, start);
    if (end < 0 && ends && start < content.length) end = content.length;
    if (end < 0 || end >= endBytes) return undefined;
  }
  return hashOfBeginning(content.subarray(0, content[end - 1] === carriageReturn ? end - 1 : end));
}

async function openingOnDisk(file: FolderFile, bytes: Buffer, lines: number): Promise<string | undefined> {
  const source = await openContent(file, 0, bytes.length);
  if (source === undefined) return undefined;
  try {
    let count = await source.read(bytes, 0, mostlyEnough);
    const found = openingOf(bytes.subarray(0, count), lines, count < mostlyEnough);
    if (found !== undefined || count < mostlyEnough) return found;
    count += await source.read(bytes, count, bytes.length - count);
    return openingOf(bytes.subarray(0, count), lines, count < bytes.length);
  } finally {
    await source.close();
  }
}
