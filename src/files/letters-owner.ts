import { readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { StreamsError } from '../common/errors.ts';
import { lettersOptions } from '../common/remedies.ts';

/**
 * Whose the letters in a file are: of a state folder, by its path as seen from the letters, so that both may be moved or copied together; or of something else that
 * has a name. It stands beside the letters, in `<file>.owner`.
 *
 * Two owners would cut each other's letters: to each of them what the other has written is what no commit took.
 */
export class LettersOwner {
  readonly #file: string;
  readonly #owner: string;
  readonly #letters: string;
  #claimed = false;

  private constructor(letters: string, owner: string) {
    this.#letters = letters;
    this.#file = `${letters}.owner`;
    this.#owner = owner;
  }

  /**
   * Looks whose the letters are.
   *
   * @param letters - Their file, which may be absent.
   * @throws StreamsError STREAMS_INPUT_REFUSED - they are of another owner that is still there.
   */
  static async of(letters: string, owner: LettersOwnerName): Promise<LettersOwner> {
    const real = await realpath(letters).catch(() => letters);
    const folder =
      'state' in owner ? relative(await pathOf(dirname(real)), await pathOf(owner.state)) || '.' : undefined;
    const found = new LettersOwner(
      real,
      folder === undefined ? `named ${(owner as { name: string }).name}` : `state ${folder}`,
    );
    await found.#look();
    return found;
  }

  /** Whether the file says that the letters are this owner's. */
  get claimed(): boolean {
    return this.#claimed;
  }

  /** Writes down whose the letters are. @throws StreamsError STREAMS_INPUT_REFUSED - somebody else was faster. */
  async claim(): Promise<void> {
    if (this.#claimed) return;
    try {
      await writeFile(this.#file, `${this.#owner}\n`, { flag: 'wx' });
      this.#claimed = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await this.#look();
      if (!this.#claimed) throw this.#refusal('somebody else');
    }
  }

  async #look(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return;
    const found = text.trim();
    this.#claimed = found === this.#owner;
    if (this.#claimed) return;
    if ((await this.#isThere(this.#letters)) && (await this.#isInUse(found))) throw this.#refusal(found);
    await rm(this.#file, { force: true });
  }

  /** A state folder that is gone owns nothing; what was killed while it claimed the letters neither. */
  async #isInUse(owner: string): Promise<boolean> {
    if (owner === '') return false;
    if (!owner.startsWith('state ')) return true;
    return this.#isThere(join(resolve(dirname(this.#letters), owner.slice('state '.length)), 'db'));
  }

  #isThere(path: string): Promise<boolean> {
    return stat(path).then(
      () => true,
      () => false,
    );
  }

  #refusal(owner: string): StreamsError {
    const whose = owner.startsWith('state ')
      ? `state folder ${resolve(dirname(this.#letters), owner.slice('state '.length))}`
      : owner.replace(/^named /, '');
    return new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${this.#letters} has the letters of ${whose}, which this run would cut off. Name another file with ${lettersOptions}; ` +
        `or, if they are no longer wanted there, remove ${this.#file} and the letters.`,
      { file: this.#letters },
    );
  }
}

/** An owner of letters: a state folder, or a name that nobody else has. */
export type LettersOwnerName = { readonly state: string } | { readonly name: string };

/** The real path of a folder, or of what is there of it. */
async function pathOf(folder: string): Promise<string> {
  return realpath(folder).catch(() => resolve(folder));
}
