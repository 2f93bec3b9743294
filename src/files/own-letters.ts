import type { RecordOrigin } from '../runtime/feed.ts';
import { type LetterSink, Letters } from './letters.ts';

/** Letters of a feed that was given none: in a file beside the state, which is opened with it. Without a state folder they are counted, and kept nowhere. */
export class OwnLetters implements LetterSink {
  /** Where they are, once they were opened. */
  path?: string;
  #letters: Letters | undefined;

  /** @param stateDir - The state folder whose commits take them. */
  async open(path: string, stateDir: string): Promise<void> {
    this.#letters = await Letters.open(path, { state: stateDir });
    this.path = path;
  }

  get length(): number {
    return this.#letters?.length ?? 0;
  }

  async cutTo(length: number): Promise<void> {
    await this.#letters?.cutTo(length);
  }

  async start(): Promise<void> {
    await this.#letters?.start();
  }

  append(origin: RecordOrigin, reason: string, message: string): void {
    this.#letters?.append(origin, reason, message);
  }

  async sync(): Promise<void> {
    await this.#letters?.sync();
  }

  async close(): Promise<void> {
    await this.#letters?.close();
    this.#letters = undefined;
  }
}
