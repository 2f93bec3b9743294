import { StreamsError } from '../common/errors.ts';
import type { SinkTarget } from './target.ts';

/** The name of the file that says that a set is complete: it becomes visible last. */
export const completeMark = '_SUCCESS';

const owner = 'whole-set';

/**
 * Files that are put at a target together, once. All of them are complete and durable before the first becomes visible, and `_SUCCESS`, an empty file, becomes visible
 * behind the last: who waits for it sees all or nothing. What an attempt that was cut has left is removed by the next one.
 */
export class WholeSet {
  readonly #target: SinkTarget;
  readonly #names: readonly string[];

  private constructor(target: SinkTarget, names: readonly string[]) {
    this.#target = target;
    this.#names = names;
  }

  /**
   * Begins a set of files of these names.
   *
   * @throws StreamsError `STREAMS_INPUT_REFUSED` - a complete set is there already: it is never replaced.
   */
  static async begin(target: SinkTarget, names: readonly string[]): Promise<WholeSet> {
    if ((await target.list(completeMark)).some(({ path }) => path === completeMark))
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${target.url} has a complete export already (${completeMark}), and none is replaced. Name another place, such as one for each day.`,
        { file: target.url },
      );
    const set = new WholeSet(target, [...names, completeMark]);
    await set.#clear();
    return set;
  }

  /** Writes one of the files: complete and durable afterwards, and not visible. */
  async write<T>(name: string, write: (append: (bytes: Uint8Array) => Promise<void>) => Promise<T>): Promise<T> {
    const file = await this.#target.open(owner);
    try {
      const result = await write((bytes) => file.append(bytes));
      await file.seal(name);
      return result;
    } catch (error) {
      await file.abort().catch(() => {});
      throw error;
    }
  }

  /** Makes all files visible. */
  async commit(): Promise<void> {
    await this.write(completeMark, async () => {});
    for (const name of this.#names) await this.#target.commit(name);
  }

  /** Gives up what is not visible. */
  async abort(): Promise<void> {
    for (const name of this.#names) await this.#target.abort(name).catch(() => {});
  }

  async #clear(): Promise<void> {
    await this.#target.abandon(owner);
    for (const name of this.#names) await this.#target.abort(name);
    const visible = new Set((await this.#target.list('')).map(({ path }) => path));
    for (const name of this.#names) if (visible.has(name)) await this.#target.remove(name);
  }
}
