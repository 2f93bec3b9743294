import type { DropReason } from '../../processor/drop-reason.ts';
import { LetterSamples } from '../letter-sample.ts';

/** What was written to a topic since the process began, aborted transactions included. */
export interface OutputCount {
  readonly topic: string;
  records: number;
  /** Bytes of keys and values. */
  bytes: number;
}

/** What an instance's tasks have written, by topic, and the records of which they have committed letters, since the process began. */
export class OutputCounts {
  /** Records in the dead letters, by reason. */
  readonly deadLetters: Record<string, number> = {};
  lateLetters = 0;
  /** Some of the letters, committed or not. */
  readonly samples: LetterSamples = new LetterSamples();
  readonly #counts = new Map<string, OutputCount>();

  of(topic: string): OutputCount {
    let count = this.#counts.get(topic);
    if (count === undefined) {
      count = { topic, records: 0, bytes: 0 };
      this.#counts.set(topic, count);
    }
    return count;
  }

  /** So many letters of a reason are committed. */
  addLetters(reason: DropReason, letters: number): void {
    if (reason === 'late') this.lateLetters += letters;
    else this.deadLetters[reason] = (this.deadLetters[reason] ?? 0) + letters;
  }

  all(): readonly OutputCount[] {
    return [...this.#counts.values()];
  }
}
