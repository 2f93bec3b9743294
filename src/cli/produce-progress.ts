import { join } from 'node:path';
import type { FeedProgress } from '../runtime/feed.ts';
import { checkInput } from './input-verdict.ts';
import type { ProgressReporter, RunningProgress } from './progress.ts';
import type { ProgressSnapshot } from './progress-text.ts';

/** What one run sent, for machines. */
export interface ProduceSummary {
  /** Rows read, bad ones included. */
  readonly rows: number;
  /** Rows that are committed in the topics. */
  readonly sent: number;
  readonly dead: number;
  /** Rows that the broker refused, and that were passed over. */
  readonly refused: number;
  /** Files read to their end. */
  readonly files: number;
  /** Files moved by `--move-done`. */
  readonly moved: number;
  /** From the start of the command to the last commit. */
  readonly seconds: number;
}

interface Counts {
  readonly rows: number;
  readonly dead: number;
  readonly filesDone: number;
}

/** Where bad rows of a topic that is sent go. */
export function sentDeadFile({ topic, dead }: { readonly topic: string; readonly dead: string | undefined }): string {
  return dead ?? join('.data', `${topic}-dead.jsonl`);
}

/** How far a run is: over all its topics, and over the sessions in which it began anew. */
export class ProduceProgress {
  refused = 0;
  readonly #letters: string;
  readonly #startMs: number = performance.now();
  #feeds: readonly FeedProgress[] = [];
  #eventTimeMs: () => number = () => -1;
  #moved: (() => number)[] = [];
  #before: Counts | undefined;
  #shown: RunningProgress | undefined;

  /** @param letters - The file of the dead letters. */
  constructor(letters: string) {
    this.#letters = letters;
  }

  /** The feeds of a session are open: they know what was sent before. */
  open(feeds: readonly FeedProgress[], eventTimeMs: () => number, moved: () => number): void {
    this.#feeds = feeds;
    this.#eventTimeMs = eventTimeMs;
    this.#moved.push(moved);
    this.#before ??= sumOf(feeds);
  }

  /** Starts to show it, unless it is shown already. */
  show(reporter: ProgressReporter, zone: string): void {
    this.#shown ??= reporter.start(() => this.#read(), { label: 'produce', zone });
  }

  stop(): void {
    this.#shown?.stop();
  }

  summary(): ProduceSummary {
    const after = sumOf(this.#feeds);
    const before = this.#before ?? after;
    const rows = after.rows - before.rows;
    const dead = after.dead - before.dead;
    const { refused } = this;
    return {
      rows,
      sent: rows - dead - refused,
      dead,
      refused,
      files: after.filesDone - before.filesDone,
      moved: this.#moved.reduce((sum, moved) => sum + moved(), 0),
      seconds: Math.round(performance.now() - this.#startMs) / 1000,
    };
  }

  /** Says whether what was given was input at all: see {@link checkInput}. */
  check(): void {
    checkInput(this.#feeds, { ...this.summary(), skipped: 0 }, this.#letters);
  }

  #read(): ProgressSnapshot {
    let filesTotal = 0;
    let bytes = 0;
    let bytesTotal = 0;
    for (const feed of this.#feeds) {
      filesTotal += feed.filesTotal;
      bytes += feed.bytes;
      bytesTotal += feed.bytesTotal;
    }
    return { ...sumOf(this.#feeds), filesTotal, bytes, bytesTotal, late: 0, eventTimeMs: this.#eventTimeMs() };
  }
}

function sumOf(feeds: readonly FeedProgress[]): Counts {
  let rows = 0;
  let dead = 0;
  let filesDone = 0;
  for (const feed of feeds) {
    rows += feed.rows;
    dead += feed.dead;
    filesDone += feed.filesDone;
  }
  return { rows, dead, filesDone };
}
