import { type FSWatcher, watch } from 'node:fs';

/** Wakes a sleeper when something in a folder may have changed. Only a hint: some file systems never tell, so look now and then in any case. */
export class FolderWatch {
  readonly #watcher: FSWatcher | undefined;
  #hinted = false;
  #closed = false;
  #wakeOnHint: (() => void) | undefined;
  #wakeOnClose: (() => void) | undefined;

  constructor(directory: string) {
    try {
      const watcher = watch(directory, { persistent: false });
      watcher.on('change', () => this.#hint());
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // No watches left, or a file system without them: the time-out remains.
    }
  }

  /** Resolves at a hint, one given since the last call included, but not before `earliestMs` have passed; at the latest after `timeoutMs`. */
  async wait(earliestMs: number, timeoutMs: number): Promise<void> {
    const earliest = Math.min(Math.max(0, earliestMs), timeoutMs);
    if (earliest > 0) await this.#sleep(earliest, false);
    if (!this.#hinted && timeoutMs > earliest) await this.#sleep(timeoutMs - earliest, true);
    this.#hinted = false;
  }

  /** Ends the watch, and a wait. */
  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#wakeOnClose?.();
  }

  #hint(): void {
    this.#hinted = true;
    this.#wakeOnHint?.();
  }

  #sleep(ms: number, untilHint: boolean): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#wakeOnClose = wake;
      this.#wakeOnHint = untilHint ? wake : undefined;
    });
  }
}
