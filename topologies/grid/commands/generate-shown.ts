import type { CommandContext } from '../../../src/cli/command-spec.ts';
import type { ProgressSnapshot } from '../../../src/cli/progress-text.ts';
import { dayMs } from '../../../src/common/time/civil.ts';
import type { GenerateOptions, GenerateProgress } from '../generator/generate-plan.ts';

/** Makes a data set and shows its progress. The signal ends it after the day under way, with an AbortError. */
export async function generateShown(
  options: Omit<GenerateOptions, 'onProgress'>,
  { progress, signal }: Pick<CommandContext, 'progress' | 'signal'>,
): Promise<GenerateProgress> {
  const { generate } = await import('../generator/generate.ts');
  let at: GenerateProgress = { daysDone: 0, days: options.days, rows: 0, damaged: 0, bytes: 0 };
  const shown = progress.start(() => snapshotOf(at, options.from), { label: 'generate' });
  try {
    return await generate({
      ...options,
      onProgress(now) {
        at = now;
        shown.tick();
        signal.throwIfAborted();
      },
    });
  } finally {
    shown.stop();
  }
}

/** Days as files, damaged rows as dead ones: what they will be to a replay. */
function snapshotOf({ daysDone, days, rows, damaged, bytes }: GenerateProgress, firstDay: number): ProgressSnapshot {
  return {
    filesDone: daysDone,
    filesTotal: days,
    rows,
    bytes,
    bytesTotal: daysDone === 0 ? 0 : (bytes * days) / daysDone,
    eventTimeMs: daysDone === 0 ? undefined : (firstDay + daysDone) * dayMs - 1000,
    late: 0,
    dead: damaged,
  };
}
