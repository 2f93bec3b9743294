/** A record that was not processed, to look at: the whole of it is in the letters. */
export interface LetterSample {
  readonly kind: 'dead' | 'late';
  readonly reason: string;
  readonly message: string;
  readonly topic: string;
  /** Where it came from: a place in a file, or in a partition. */
  readonly file?: string;
  readonly line?: number;
  readonly partition?: number;
  readonly offset: number;
  /** The record's key as text, where it is known. */
  readonly key?: string;
  /** Its row or value as text, cut off where it is long; null where it has none. */
  readonly text: string | null;
  /** When it was met, ms since the epoch. */
  readonly atMs: number;
}

/** Samples of each kind that are kept. */
const kept = 25;

/** Bytes of a row or value that are shown. */
const shownBytes = 1000;

/** How far samples are apart once there are enough, ms: a flood of letters must cost nothing here. */
const apartMs = 100;

/** Letters that this process has written, the first and some of the latest of each kind. A rerun after a failed commit may meet one twice. */
export class LetterSamples {
  readonly #dead: LetterSample[] = [];
  readonly #late: LetterSample[] = [];

  add(sample: Omit<LetterSample, 'atMs' | 'text'>, bytes: Uint8Array | undefined): void {
    const samples = sample.kind === 'late' ? this.#late : this.#dead;
    const atMs = Date.now();
    if (samples.length === kept && atMs - samples.at(-1)!.atMs < apartMs) return;
    samples.push({ ...sample, text: bytes === undefined ? null : shownText(bytes), atMs });
    // The first one stays: what is wrong with it is wrong with many that follow.
    if (samples.length > kept) samples.splice(1, 1);
  }

  all(): readonly LetterSample[] {
    return [...this.#dead, ...this.#late];
  }
}

/** Bytes as text. What is not UTF-8 shows as U+FFFD. */
export function shownText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, shownBytes));
  return bytes.length > shownBytes ? `${text}… (${bytes.length} bytes)` : text;
}
