import type { EngineStats } from '../runtime/engine-stats.ts';
import { progressByTopic } from '../runtime/feed.ts';
import type { ProgressSnapshot } from './progress-text.ts';

/** How far an engine is with its feeds, since its state began. */
export interface ReplayProgress extends ProgressSnapshot {
  /** Rows outside `--from` and `--to`. */
  readonly skipped: number;
}

/** One look at an engine. */
export function progressOf({ feeds, tasks }: EngineStats): ReplayProgress {
  const sums = { filesDone: 0, filesTotal: 0, rows: 0, bytes: 0, bytesTotal: 0, late: 0, dead: 0, skipped: 0 };
  for (const topic of progressByTopic(feeds))
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += topic[name];
  const eventTimeMs = tasks.reduce((latest, { streamTimeMs }) => Math.max(latest, streamTimeMs), -1);
  return { ...sums, eventTimeMs };
}

/** What one run took, for machines. */
export interface ReplaySummary {
  /** Rows read, bad and skipped ones included. */
  readonly rows: number;
  readonly dead: number;
  readonly late: number;
  readonly skipped: number;
  /** Files read to their end. */
  readonly files: number;
  /** From the start of the command to the last commit. */
  readonly seconds: number;
}

/** What was done between two looks. */
export function summaryOf(before: ReplayProgress, after: ReplayProgress, elapsedMs: number): ReplaySummary {
  return {
    rows: after.rows - before.rows,
    dead: after.dead - before.dead,
    late: after.late - before.late,
    skipped: after.skipped - before.skipped,
    files: after.filesDone - before.filesDone,
    seconds: Math.round(elapsedMs) / 1000,
  };
}
