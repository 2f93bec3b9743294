import { setTimeout as delay } from 'node:timers/promises';
import { Cron } from 'croner';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';

/** How imports are repeated. */
export interface ScheduleOptions {
  /** When: `minute hour day month weekday`, or with seconds before them. */
  readonly pattern: string;
  /** The zone of its hours. */
  readonly zone: string;
  /** When the park was last imported, ms; undefined: never. An import that was missed since is done at once. */
  readonly lastMs: number | undefined;
  /** Imports once. */
  readonly run: () => Promise<void>;
  readonly logger: Logger;
  /** Aborted: the schedule ends, and so does an import under way. */
  readonly signal: AbortSignal;
  /** Wall clock, ms. @defaultValue Date.now */
  readonly now?: () => number;
  /** Waits. @defaultValue timers */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Longest time between two looks at the clock, which may be set while one waits, ms. */
const lookMs = 60_000;
/** After a failure that may pass, ms; doubled each time. */
const firstRetryMs = 60_000;
const longestRetryMs = 30 * 60_000;

/** The times of a schedule. @throws StreamsError `STREAMS_USAGE` for a pattern that is not one or that never comes. */
export function scheduleOf(pattern: string, zone: string): Cron {
  let cron: Cron;
  try {
    cron = new Cron(pattern, { timezone: zone, paused: true });
  } catch (cause) {
    const message = `--schedule "${pattern}" is not a schedule: ${messageOf(cause)}. Write minute, hour, day, month and weekday: "0 5 * * *" is each day at five.`;
    throw new StreamsError('STREAMS_USAGE', message, { cause });
  }
  if (cron.nextRun() === null)
    throw new StreamsError('STREAMS_USAGE', `--schedule "${pattern}" never comes. Give another.`);
  return cron;
}

/**
 * Imports at the times of a schedule until the signal, one after the other: a time that comes while one is under way is left out. A failure is logged, and what may pass, such as a
 * database that is away, is tried again after a minute, then ever later, until the next time.
 */
export async function runScheduled(options: ScheduleOptions): Promise<void> {
  const { pattern, zone, lastMs, logger, signal, now = Date.now, wait = waited } = options;
  const cron = scheduleOf(pattern, zone);
  let due = nextAfter(cron, lastMs ?? 0);
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    if (due === undefined) return;
    if (due > now()) {
      logger.debug({ at: new Date(due).toISOString() }, 'the next import');
      await wait(Math.min(due - now(), lookMs), signal);
      continue;
    }
    const again = await attempt(options);
    const next = nextAfter(cron, now());
    if (again && next !== undefined && now() + retryMs < next) {
      due = now() + retryMs;
      retryMs = Math.min(2 * retryMs, longestRetryMs);
    } else {
      due = next;
      retryMs = firstRetryMs;
    }
  }
}

function nextAfter(cron: Cron, ms: number): number | undefined {
  return cron.nextRun(new Date(ms))?.getTime();
}

/** Whether the import is to be tried again soon. */
async function attempt({ run, logger, signal }: ScheduleOptions): Promise<boolean> {
  try {
    await run();
    return false;
  } catch (error) {
    if (signal.aborted) return false;
    const known = StreamsError.is(error);
    logger.error(
      { code: known ? error.code : 'INTERNAL', error: messageOf(error) },
      'the import failed: the park that was there stays in force',
    );
    return known && (error.retriable || error.code === 'STREAMS_BROKER' || error.code === 'STREAMS_STATE_STORE_LOCKED');
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error;
  });
}
