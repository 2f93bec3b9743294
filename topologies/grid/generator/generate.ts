import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { StreamsError } from '../../../src/common/errors.ts';
import { CivilWalk } from './civil-walk.ts';
import { EventFiles, eventFileName } from './event-files.ts';
import { type GenerateOptions, type GeneratePlan, type GenerateProgress, planOf } from './generate-plan.ts';
import { EventMaker } from './made-events.ts';
import { makePark } from './made-park.ts';
import { makeCountry } from './places.ts';
import { Random } from './random.ts';
import { Truth } from './truth.ts';
import { writePark } from './write-park.ts';

/**
 * Makes a data set in the shape of the real one: `events/event_YYYYMMDD.csv`, the nine files of `park`, and `truth`: the 24 `statistics` that
 * the events must give, counted beside them, and `damaged.csv`.
 *
 * @returns what was made.
 * @throws {@link StreamsError} `STREAMS_USAGE` for options out of range and for a folder that holds files which would mix with the new ones;
 * `STREAMS_FILE` if the disk refuses.
 */
export async function generate(options: GenerateOptions): Promise<GenerateProgress> {
  const plan = planOf(options);
  const dates = datesOf(plan);
  try {
    refuseOthers(options.out, dates);
    return await write(options, plan, dates);
  } catch (error) {
    // What the disk refuses has a code such as ENOSPC; anything else is a mistake of ours.
    if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') throw error;
    const message = `cannot write the data set in ${options.out}: ${(error as Error).message}. It is not whole: make room or give another --out, and generate it again.`;
    throw new StreamsError('STREAMS_FILE', message, { file: options.out, cause: error });
  }
}

async function write(
  options: GenerateOptions,
  plan: GeneratePlan,
  dates: readonly CivilWalk[],
): Promise<GenerateProgress> {
  const { seed, firstDay, days } = plan;
  const country = await makeCountry(seed, new Random(seed, 'country'));
  const park = makePark(plan, country, new Random(seed, 'park'));
  writePark(park, join(options.out, 'park'), new Random(seed, 'manufacturers'));
  const streams = { events: new Random(seed, 'events'), damage: new Random(seed, 'damaged') };
  const maker = new EventMaker(plan.eventsPerDay, plan.damage, park.meters, park.concentrators, streams);
  const truth = new Truth(park, join(options.out, 'truth', 'statistics'));
  const files = new EventFiles(options.out, plan);
  let progress: GenerateProgress = { daysDone: 0, days, rows: 0, damaged: 0, bytes: 0 };
  for (const date of dates) {
    const events = maker.make(date.day);
    truth.count(date, events);
    files.write(date, events, date === dates.at(-1));
    const { rows, damaged, bytes } = files;
    progress = { daysDone: date.day - firstDay + 1, days, rows, damaged, bytes };
    options.onProgress?.(progress);
    await setImmediate();
  }
  truth.close();
  files.close();
  return progress;
}

function datesOf(plan: GeneratePlan): CivilWalk[] {
  const dates: CivilWalk[] = [];
  for (let day = plan.firstDay; day < plan.firstDay + plan.days; day++) {
    if (plan.zone.exists(day)) dates.push(new CivilWalk(day));
  }
  return dates;
}

/** Files of an older data set would be read together with the new ones. */
function refuseOthers(out: string, dates: readonly CivilWalk[]): void {
  const folder = join(out, 'events');
  mkdirSync(folder, { recursive: true });
  const ours = new Set(dates.map(eventFileName));
  const other = readdirSync(folder).find((name) => !ours.has(name));
  if (other === undefined) return;
  const message = `${folder} holds ${other}, which does not belong to this data set. Give another --out, or empty that folder.`;
  throw new StreamsError('STREAMS_USAGE', message, { file: join(folder, other) });
}
