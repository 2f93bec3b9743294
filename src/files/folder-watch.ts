import { type FSWatcher, watch } from 'node:fs';

interface Sleeper {
  readonly untilHint: boolean;
  readonly wake: () => void;
}

/** Wakes sleepers when something in a folder may have changed. Only a hint: some file systems never tell, so look now and then in any case. */
export class FolderWatch {
  readonly #watcher: FSWatcher | undefined;
  readonly #sleepers: Set<Sleeper> = new Set();
  #hinted = false;
  #closed = false;

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

  /** Hints until now are obeyed: somebody looks at the folder. */
  seen(): void {
    this.#hinted = false;
  }

  /** Resolves if there was a hint since the last {@link FolderWatch.seen}, but not before `earliestMs` have passed; at the latest after `timeoutMs`. */
  async wait(earliestMs: number, timeoutMs: number): Promise<void> {
    const earliest = Math.min(Math.max(0, earliestMs), timeoutMs);
    if (earliest > 0) await this.#sleep(earliest, false);
    if (!this.#hinted && timeoutMs > earliest) await this.#sleep(timeoutMs - earliest, true);
  }

  /** Ends the watch, and all waits. */
  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    for (const { wake } of this.#sleepers) wake();
  }

  #hint(): void {
    this.#hinted = true;
    for (const { untilHint, wake } of this.#sleepers) if (untilHint) wake();
  }

  #sleep(ms: number, untilHint: boolean): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(sleeper);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      const sleeper: Sleeper = { untilHint, wake };
      this.#sleepers.add(sleeper);
    });
  }
}
