import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A real part as a child process, which never outlives the tests. Its output is kept. */
export class ChildPart {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #atExit = (): void => {
    this.#child.kill('SIGKILL');
  };
  output = '';

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.#command = command;
    this.#child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    process.once('exit', this.#atExit);
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until something holds; four minutes at the most. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 240_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
      if (await holds()) return;
      if (!this.running) throw new Error(`${this.#command} ended before ${what}:\n${this.output.slice(-3000)}`);
      if (Date.now() > end)
        throw new Error(`${this.#command}: ${what} took more than four minutes:\n${this.output.slice(-3000)}`);
    }
  }

  write(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    process.off('exit', this.#atExit);
    if (!this.running) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
