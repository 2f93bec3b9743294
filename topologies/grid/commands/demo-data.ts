import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from '../../../src/cli/command-spec.ts';
import { groupedCount } from '../../../src/cli/progress-text.ts';
import { daysFromCivil, formatCivilDate } from '../../../src/common/time/civil.ts';
import type { FeedProgress } from '../../../src/runtime/feed.ts';
import { generateShown } from './generate-shown.ts';

/** The demonstration's data set: over a turn of the year and a 29 February, with rows out of order and some damaged ones. */
const plan = {
  from: daysFromCivil(2023, 12, 15),
  days: 90,
  meters: 200,
  concentrators: 20,
  seed: 1,
  uneven: true,
  late: true,
  damage: 0.0005,
} as const;

/** Changes when the generator gives other bytes for the same plan. */
const edition = 2;

/** What is to be seen: that events are made up, and damage is on purpose, is said where results are shown. */
export function demoText({ rows, dead, late }: Pick<FeedProgress, 'rows' | 'dead' | 'late'>, state: string): string {
  const { from, days, meters, concentrators } = plan;
  const lost = [
    `${groupedCount(dead)} are damaged on purpose, to show what becomes of such rows: ${join(state, 'dead.jsonl')} has them`,
    ...(late === 0 ? [] : [`${groupedCount(late)} came too late for their day: ${join(state, 'late.jsonl')}`]),
  ];
  return (
    `A demonstration: made-up events of ${meters} meters and ${concentrators} concentrators, ${formatCivilDate(from)} to ${formatCivilDate(from + days - 1)}.\n` +
    `Of ${groupedCount(rows)} rows ${lost.join('; ')}.\n`
  );
}

/** Where the demonstration's data set and state are. */
export interface DemoFolders {
  readonly events: string;
  readonly park: string;
  readonly state: string;
}

/**
 * Makes the demonstration's data set, unless it is there and whole. One that is not whole, or of another edition, is recreated, with its state.
 *
 * The file `complete.json` is written last: with it the data set is whole.
 */
export async function demoData(directory: string, context: CommandContext): Promise<DemoFolders> {
  const folders = { events: join(directory, 'events'), park: join(directory, 'park'), state: join(directory, 'state') };
  const marker = join(directory, 'complete.json');
  const wanted = `${JSON.stringify({ edition, ...plan })}\n`;
  const found = await readFile(marker, 'utf8').catch(() => undefined);
  if (found === wanted) return folders;
  await rm(marker, { force: true });
  for (const folder of [...Object.values(folders), join(directory, 'truth')]) {
    await rm(folder, { recursive: true, force: true });
  }
  await generateShown({ ...plan, out: directory }, context);
  await writeFile(marker, wanted);
  return folders;
}
