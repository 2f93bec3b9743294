import * as fs from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { makeFolder } from '../common/make-folder.ts';
import { lettersOptions } from '../common/remedies.ts';
import type { RecordOrigin } from '../runtime/feed.ts';
import { LettersOwner, type LettersOwnerName } from './letters-owner.ts';

/** Buffered letters are written (not yet made durable) beyond this, so that a flood of them takes no memory. */
const bufferedLimit = 1 << 18;

/** Where a feed's letters go. */
export type LetterSink = Pick<Letters, 'length' | 'cutTo' | 'start' | 'append' | 'sync'> &
  Partial<Pick<Letters, 'path'>>;

/** Letters of rows that have theirs already. */
export const noLetters: LetterSink = {
  length: 0,
  async cutTo() {},
  async start() {},
  append() {},
  async sync() {},
};

/**
 * Rows that were not processed, as a file of JSON lines: `{"file","line","offset","reason","message","raw"}`, raw in base64;
 * with `"record"` (from 0) for one record of a row that may be several.
 *
 * The file's committed length is saved with the state. What a run wrote behind it before it was killed is cut off before the next row is written, so
 * that each row stands there exactly once. Several feeds may share one file: each says with {@link Letters.cutTo} what was committed when it
 * last took part, and the greatest length is the truth, since all of them are saved in the same commit.
 *
 * A file belongs to one owner. That stands beside it, in `<file>.owner`: another one is refused, as it would cut the letters of the first.
 */
export class Letters {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #owner: LettersOwner;
  #committed = 0;
  #started = false;
  /** Bytes in the file, all of them ours. */
  #written = 0;
  #buffer: string[] = [];
  #bufferedChars = 0;
  #unsynced = false;
  #syncing: Promise<void> = Promise.resolve();
  /** The last file name and its JSON: letters come in runs of one file. */
  #file = '';
  #fileJson = '""';

  private constructor(path: string, handle: FileHandle, owner: LettersOwner) {
    this.path = path;
    this.#handle = handle;
    this.#owner = owner;
  }

  /**
   * Opens the file, making it and its folder if they are absent.
   *
   * @param owner - Whose letters they are: the state folder whose commits take them.
   * @throws StreamsError STREAMS_INPUT_REFUSED - the file holds something else than letters, or letters of another owner, which a cut would destroy.
   */
  static async open(path: string, owner: LettersOwnerName): Promise<Letters> {
    try {
      await makeFolder(dirname(path));
      const owned = await LettersOwner.of(path, owner);
      const handle = await openFile(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
      const letters = new Letters(path, handle, owned);
      await letters.#check();
      return letters;
    } catch (error) {
      throw StreamsError.from(error, 'STREAMS_FILE', `${path} cannot be opened: ${messageOf(error)}`, { file: path });
    }
  }

  /** Bytes of all letters appended so far, those still buffered not included: after {@link Letters.sync}, what a commit saves. */
  get length(): number {
    return this.#started ? this.#written : this.#committed;
  }

  /**
   * Says how long the file was at the last commit; the greatest such length counts, 0 if there was none. What stands behind it is cut off by
   * {@link Letters.start}.
   *
   * @throws StreamsError STREAMS_INPUT_REFUSED - the file is shorter: letters are lost.
   */
  async cutTo(length: number): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size < length) {
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${this.path} is ${size} bytes long, but ${length} bytes of it were committed with the state. Put back the file that belongs to this state.`,
        { file: this.path },
      );
    }
    this.#committed = Math.max(this.#committed, length);
  }

  /**
   * Cuts the file to its committed length; call it once every feed is open. Further calls do nothing.
   *
   * @throws StreamsError STREAMS_INPUT_REFUSED - there are letters that no commit of this owner took, and nothing says that they are its own.
   */
  async start(): Promise<void> {
    if (this.#started) return;
    await this.#checkOwner();
    await this.#owner.claim();
    this.#started = true;
    this.#written = this.#committed;
    await this.#handle.truncate(this.#committed);
  }

  /** Appends a letter; it is durable after {@link Letters.sync}. */
  append(origin: RecordOrigin, reason: string, message: string): void {
    if (origin.file !== this.#file) {
      this.#file = origin.file;
      this.#fileJson = JSON.stringify(origin.file);
    }
    const { raw } = origin;
    const base64 = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64');
    const what = `"reason":"${reason}","message":${JSON.stringify(message)}`;
    const place = `"line":${origin.line},"offset":${origin.offset}${origin.record === undefined ? '' : `,"record":${origin.record}`}`;
    const letter = `{"file":${this.#fileJson},${place},${what},"raw":"${base64}"}\n`;
    this.#buffer.push(letter);
    this.#bufferedChars += letter.length;
    if (this.#bufferedChars > bufferedLimit) this.#flush();
  }

  /** Makes all letters durable. */
  sync(): Promise<void> {
    // One after the other: two feeds of one commit may both ask.
    const synced = this.#syncing.then(() => this.#sync());
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  /** Closes the file. Letters that no commit took are given up. */
  async close(): Promise<void> {
    await this.#syncing;
    await this.#handle.close();
  }

  async #sync(): Promise<void> {
    await this.start();
    this.#flush();
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#handle.sync();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Synchronous, since it also runs in the hot path when letters flood: then a block of 256 KiB is written. */
  #flush(): void {
    if (this.#buffer.length === 0) return;
    if (!this.#started) throw new TypeError('start the letters before they are written');
    const bytes = Buffer.from(this.#buffer.join(''));
    this.#buffer = [];
    this.#bufferedChars = 0;
    this.#unsynced = true;
    try {
      for (let at = 0; at < bytes.length; ) {
        const count = fs.writeSync(this.#handle.fd, bytes, at, bytes.length - at, this.#written);
        at += count;
        this.#written += count;
      }
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** A state that has committed letters knows them by their length; one that has none has no right to those that are there. */
  async #checkOwner(): Promise<void> {
    if (this.#owner.claimed || this.#committed > 0) return;
    const { size } = await this.#handle.stat();
    if (size === 0) return;
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${this.path} has letters (${size} bytes) of another state, which this run would cut off. Name another file with ${lettersOptions}, or move this one away.`,
      { file: this.path },
    );
  }

  /** Cutting destroys: so a file that is there already must be of ours. */
  async #check(): Promise<void> {
    const head = Buffer.alloc(16);
    const { bytesRead } = await this.#handle.read(head, 0, head.length, 0);
    const expected = '{"file":"';
    const found = head.toString('latin1', 0, Math.min(bytesRead, expected.length));
    if (expected.startsWith(found)) return;
    await this.#handle.close();
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${this.path} holds something else than letters. Name another file.`,
      {
        file: this.path,
      },
    );
  }

  #failed(error: unknown): StreamsError {
    return new StreamsError('STREAMS_FILE', `${this.path} cannot be written: ${messageOf(error)}`, {
      file: this.path,
      cause: error,
    });
  }
}
