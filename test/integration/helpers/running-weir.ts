import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The built program at work: a command that goes on until it is told to stop. */
export class RunningWeir {
  readonly #child: ChildProcess;
  readonly #words: readonly string[];
  #printed = '';
  #complained = '';

  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#words = words;
    this.#child = spawn(process.execPath, ['dist/topologies/grid/main.js', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complained += text;
    });
  }

  /** The address that it serves at, once it is ready: a minute at the most. */
  async ready(): Promise<string> {
    for (const end = Date.now() + 60_000; Date.now() < end; await delay(50)) {
      const url = /^serving (http:\S+)/m.exec(this.#printed)?.[1];
      if (url !== undefined && (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200) return url;
      if (this.#child.exitCode !== null) break;
    }
    await this.stop();
    throw new Error(`weir ${this.#words.join(' ')} is not ready: ${this.#complained}`);
  }

  /** Tells it to stop, waits for its end and gives its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    return this.#child.exitCode;
  }
}
