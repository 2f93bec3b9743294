import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** None outlives the tests. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A process of the built program that goes on until it is stopped, killed, or has failed. */
export class WeirProcess {
  readonly words: readonly string[];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  stdout = '';
  stderr = '';

  /** @param limits - `fileBytes`: no file may be longer, as on a disk that is full. */
  constructor(
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
    limits: { readonly fileBytes?: number } = {},
  ) {
    this.words = words;
    // The shell counts in blocks of 512 bytes.
    const limit = limits.fileBytes === undefined ? '' : `ulimit -f ${limits.fileBytes / 512}; `;
    const program = [process.execPath, 'dist/topologies/grid/main.js', ...words];
    this.#child = spawn('sh', ['-c', `${limit}exec "$@"`, 'sh', ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    alive.add(this.#child);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Address that it serves at; undefined before. */
  get url(): string | undefined {
    return /^serving (http:\S+)/m.exec(this.stdout)?.[1];
  }

  /** Sends a signal; for one that ends the process at once its end is waited for. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    if (signal === 'SIGKILL') await this.ended();
  }

  /** Waits for its end: the exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals> {
    await this.#closed;
    alive.delete(this.#child);
    return this.#child.exitCode ?? this.#child.signalCode!;
  }

  /** Asks it to end, and waits for that. */
  async stop(): Promise<number | NodeJS.Signals> {
    if (this.running) this.#child.kill('SIGTERM');
    return this.ended();
  }

  /** Waits until it serves in state RUNNING; a minute at the most. */
  async ready(): Promise<string> {
    let last = 'it did not serve';
    for (const end = Date.now() + 60_000; Date.now() < end && this.running; await delay(100)) {
      if (this.url === undefined) continue;
      const answer = await fetch(`${this.url}/readyz`).catch((error: Error) => error);
      if (answer instanceof Error) last = String(answer);
      else if (answer.status === 200) return this.url;
      else last = await answer.text();
    }
    throw new Error(
      `weir ${this.words.join(' ')} is not ready: ${last}\n${this.stderr
        .split('\n')
        .filter((line) => !line.includes('/readyz'))
        .slice(-30)
        .join('\n')}`,
    );
  }
}
