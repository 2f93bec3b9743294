import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaApplication } from './kafka-application.ts';

/** Asks the instances of an application again and again, one question at a time, and holds that counts never go back. */
export class RestlessReader {
  /** What was wrong. */
  readonly wrong: string[] = [];
  answered = 0;
  /** Answers that asked for patience. */
  refused = 0;
  readonly #application: KafkaApplication;
  readonly #questions: readonly string[];
  readonly #random: () => number;
  readonly #seen = new Map<string, number>();
  #stopped = false;
  readonly #loop: Promise<void>;

  /** @param questions - paths whose answers are JSON rows with a count `n` */
  constructor(application: KafkaApplication, questions: readonly string[], random: () => number) {
    this.#application = application;
    this.#questions = questions;
    this.#random = random;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    for (; !this.#stopped; await delay(5)) {
      const ready = this.#application.instances.filter((each) => each?.running && each.url !== undefined);
      const instance = ready[Math.floor(this.#random() * ready.length)];
      if (instance === undefined) continue;
      const question = this.#questions[Math.floor(this.#random() * this.#questions.length)]!;
      // Nobody answers at an instance that ends.
      const answer = await fetch(`${instance.url}${question}`).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer !== undefined && text !== undefined) this.#judge(question, answer, text);
    }
  }

  #judge(question: string, answer: Response, text: string): void {
    if (answer.status === 503) {
      this.refused++;
      const { code } = JSON.parse(text) as { code: string };
      // One that is closing will not answer later either.
      if (code !== 'STREAMS_CLOSED' && answer.headers.get('retry-after') === null)
        this.wrong.push(`${question}: 503 without Retry-After: ${text}`);
      return;
    }
    if (answer.status !== 200) {
      this.wrong.push(`${question}: ${answer.status} ${text}`);
      return;
    }
    const sum = (JSON.parse(text) as { n: number }[]).reduce((all, { n }) => all + n, 0);
    const before = this.#seen.get(question) ?? 0;
    if (sum < before) this.wrong.push(`${question}: ${sum} after ${before}`);
    this.#seen.set(question, Math.max(sum, before));
    this.answered++;
  }
}
