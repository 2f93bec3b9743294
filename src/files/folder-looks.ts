import type { FolderSurvey } from './folder-survey.ts';
import { FolderWatch } from './folder-watch.ts';

/** The folder is looked at no more often than this. */
const lookIntervalMs = 200;
/** And no more than this share of the time goes into looking. */
const lookShare = 1 / 50;
/** But a look that took long, as the first of a slow folder may, delays the next one by no more than this. */
const lookPauseLimitMs = 5000;

/** When a folder is looked at again: often enough to find what is new soon, and seldom enough to leave time for reading. */
export class FolderLooks {
  readonly #survey: FolderSurvey;
  #watch: FolderWatch | undefined;
  #nextMs = 0;

  constructor(survey: FolderSurvey) {
    this.#survey = survey;
  }

  /** The first look is over. @param watched - The folder, where files may come and grow; undefined: what is there is all */
  begin(watched: string | undefined): void {
    this.#looked(performance.now());
    if (watched !== undefined) this.#watch = new FolderWatch(watched);
  }

  /** Looks, if it is time to; false if it is not. */
  async look(): Promise<boolean> {
    const startMs = performance.now();
    if (startMs < this.#nextMs) return false;
    this.#watch?.seen();
    // Whether known files have grown is asked only when there is nothing else to do.
    await this.#survey.look(this.#watch !== undefined && !this.#survey.hasPending);
    this.#looked(startMs);
    return true;
  }

  /** Resolves when it is time for a look and there may be something new, or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    await this.#watch?.wait(this.#nextMs - performance.now(), timeoutMs);
  }

  close(): void {
    this.#watch?.close();
  }

  #looked(startMs: number): void {
    const nowMs = performance.now();
    this.#nextMs = nowMs + lookPauseMs(nowMs - startMs);
  }
}

/** How long to leave a folder alone after a look that took so long, ms. */
export function lookPauseMs(lookMs: number): number {
  return Math.min(Math.max(lookIntervalMs, lookMs / lookShare), lookPauseLimitMs);
}
