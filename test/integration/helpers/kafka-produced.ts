import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WeirProcess } from './kafka-process.ts';
import type { Recount } from './recount-statistics.ts';

/** `weir produce --follow` beside a test: files are handed to it one by one, and counted as the truth. */
export class ProducedFiles {
  readonly #words: readonly string[];
  readonly #inbox: string;
  /** Where files go whose rows are all committed. */
  readonly done: string;
  readonly #truth: Recount;
  process: WeirProcess;

  private constructor(words: readonly string[], folder: string, truth: Recount) {
    this.#inbox = join(folder, 'inbox');
    this.done = join(folder, 'done');
    this.#truth = truth;
    this.#words = [
      ...['produce', '--events', this.#inbox, '--follow', '--move-done', this.done],
      ...['--dead', join(folder, 'dead.jsonl'), ...words],
    ];
    this.process = new WeirProcess(this.#words);
  }

  /** @param words - further words of `produce`: brokers, topic, speed */
  static async start(words: readonly string[], folder: string, truth: Recount): Promise<ProducedFiles> {
    await mkdir(join(folder, 'inbox'), { recursive: true });
    await mkdir(join(folder, 'done'), { recursive: true });
    return new ProducedFiles(words, folder, truth);
  }

  /** Hands a file over, and counts it. */
  async hand(path: string): Promise<string> {
    const name = basename(path);
    await copyFile(path, join(this.#inbox, `.${name}`));
    await rename(join(this.#inbox, `.${name}`), join(this.#inbox, name));
    this.#truth.addFile(await readFile(path, 'utf8'));
    return name;
  }

  /** Waits until a file's rows are all committed. */
  async committed(name: string): Promise<void> {
    for (const end = Date.now() + 90_000; !existsSync(join(this.done, name)); await delay(20)) {
      if (Date.now() < end && this.process.running) continue;
      throw new Error(`${name} was not sent to its end: ${this.process.stderr.slice(-3000)}`);
    }
  }

  /** kill -9, and a new process that goes on. */
  async restart(): Promise<void> {
    await this.process.signal('SIGKILL');
    this.process = new WeirProcess(this.#words);
  }
}
