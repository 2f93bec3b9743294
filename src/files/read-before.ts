import { StreamsError } from '../common/errors.ts';
import { sameFingerprint } from './file-fingerprint.ts';
import type { FileEntry, FileLedger } from './file-ledger.ts';

/** The files of a folder that a state has read, each up to where it has: all that a second reading takes. */
export class ReadBefore {
  readonly #topic: string;
  readonly #directory: string;
  readonly #entries: ReadonlyMap<string, FileEntry>;

  /** @param ledger - What the state knows of the folder. */
  constructor(topic: string, directory: string, ledger: FileLedger) {
    this.#topic = topic;
    this.#directory = directory;
    this.#entries = new Map([...ledger.entries()].map((entry) => [entry.name, entry]));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Content offset up to which a file is read. */
  endOf(name: string): number {
    return this.#entries.get(name)?.content.length ?? 0;
  }

  /**
   * Refuses a folder that does not have all of them any more, and a file that was read into the midst of a row: a run of the program that read it goes on with the row's other records.
   *
   * @throws StreamsError `STREAMS_INPUT_REFUSED`
   */
  checkThere(has: (name: string) => boolean): void {
    const gone = [...this.#entries.keys()].filter((name) => !has(name)).sort();
    if (gone.length === 0) {
      const half = [...this.#entries.values()].find(({ record = 0 }) => record > 0);
      if (half === undefined) return;
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `topic ${this.#topic} cannot be read again: of line ${half.line} of ${half.name} the state has ${half.record} records, and not the others. Let the program that made the state go on to its end first.`,
        { topic: this.#topic, file: half.name, line: half.line },
      );
    }
    const shown = gone.slice(0, 3).join(', ') + (gone.length > 3 ? ` and ${gone.length - 3} more` : '');
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `topic ${this.#topic} cannot be read again: the state has read ${shown}, and ${gone.length === 1 ? 'it is' : 'they are'} not in ${this.#directory}. ` +
        'Give the folder that was read, and put back what was there; or give the store another name, so that the rows that it has stay, and a new one begins empty.',
      { topic: this.#topic, file: gone[0]! },
    );
  }

  /**
   * Refuses to go on if not the same was read as before.
   *
   * @param ledger - What the second reading has read, all of it.
   * @throws StreamsError `STREAMS_FILE_REWRITTEN`
   */
  checkRead(ledger: FileLedger): void {
    for (const { name, content } of this.#entries.values()) {
      // What was a copy when it was read may be a part of what its original is now.
      const now = (ledger.get(name) ?? ledger.part(name))?.content;
      if (now !== undefined && sameFingerprint(now, content) && now.crc === content.crc) continue;
      throw new StreamsError(
        'STREAMS_FILE_REWRITTEN',
        `${name} of topic ${this.#topic} cannot be read again as it was read: ${content.length} bytes of it are in the state, and ${now === undefined ? 'none' : now.length === content.length ? 'others' : now.length} were found. ` +
          'Put back the file as it was, or replay into a new folder.',
        { topic: this.#topic, file: name },
      );
    }
  }
}
