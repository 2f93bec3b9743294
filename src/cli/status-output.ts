import type { CliStream } from './output.ts';
import { Output } from './output.ts';
import type { ProgressOptions, ProgressReporter, RunningProgress } from './progress.ts';
import { startProgress } from './progress.ts';
import type { ProgressSnapshot } from './progress-text.ts';

/** Standard error: lines above, and a progress below them while one runs. */
export class StatusOutput implements ProgressReporter {
  readonly #output: Output;
  #running: RunningProgress | undefined;

  constructor(stream: CliStream) {
    this.#output = new Output(stream);
  }

  get stream(): CliStream {
    return this.#output.stream;
  }

  get isTTY(): boolean {
    return this.#output.isTTY;
  }

  /** Writes above the progress: wipes its line first, and it draws itself anew. */
  write(text: string): void {
    const wipe = this.#running !== undefined && this.isTTY ? '\r\u001B[2K' : '';
    this.#output.write(wipe + text);
  }

  start(read: () => ProgressSnapshot, options?: ProgressOptions): RunningProgress {
    this.stopProgress();
    const surface = { stream: this.stream, write: (text: string) => this.#output.write(text) };
    const running = startProgress(surface, read, options);
    const own: RunningProgress = {
      tick: running.tick,
      stop: () => {
        if (this.#running === own) this.#running = undefined;
        running.stop();
      },
    };
    this.#running = own;
    return own;
  }

  /** Ends a progress that the command left running. */
  stopProgress(): void {
    this.#running?.stop();
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }
}
