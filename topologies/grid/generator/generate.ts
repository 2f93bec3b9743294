import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { StreamsError } from '../../../src/common/errors.ts';
import { csvField } from '../events/csv-field.ts';
import { CivilWalk } from './civil-walk.ts';
import { Delivery, tooLateFiles } from './delivery.ts';
import { EventFiles, eventFileName } from './event-files.ts';
import { type GenerateOptions, type GeneratePlan, type GenerateProgress, planOf } from './generate-plan.ts';
import { knownCountry } from './known-country.ts';
import { type KnownPark, knownPark } from './known-park.ts';
import { EventMaker } from './made-events.ts';
import { makePark } from './made-park.ts';
import { type FaultRow, faultRows } from './park-faults.ts';
import { makeCountry } from './places.ts';
import { Random } from './random.ts';
import { ReplacedSenders } from './senders.ts';
import { Truth } from './truth.ts';
import { writePark } from './write-park.ts';

/**
 * Makes a data set in the shape of the real one: `events/event_YYYYMMDD.csv`, the nine files of `park`, and `truth`: the 24 `statistics` that
 * the events must give, counted beside them, `damaged.csv`, and as far as they are asked for `late.csv` and `park-faults.csv`.
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
  const { park, meters, concentrators } = await parkOf(options, plan);
  const stream = (name: string): Random => new Random(seed, name);
  const maker = new EventMaker(plan, meters, concentrators, {
    ...{ events: stream('events'), damage: stream('damaged') },
    ...{ tooLate: stream('too late'), duplicates: stream('duplicates') },
  });
  const truth = new Truth(park, join(options.out, 'truth', 'statistics'));
  const files = new EventFiles(options.out, plan, park);
  const delivery = new Delivery(plan, dates.length, { late: stream('late'), extra: stream('extra') });
  let progress: GenerateProgress = { daysDone: 0, days, rows: 0, damaged: 0, bytes: 0 };
  const write = (file: number): void => {
    const date = dates[file]!;
    files.write(date, delivery.deliver(file));
    const { rows, damaged, bytes } = files;
    progress = { daysDone: date.day - firstDay + 1, days, rows, damaged, bytes };
    options.onProgress?.(progress);
  };
  for (const [file, date] of dates.entries()) {
    const events = maker.make(date, file + tooLateFiles < dates.length);
    truth.count(date, events);
    delivery.add(file, events);
    // A row of today may stand in yesterday's file.
    if (file > 0) write(file - 1);
    await setImmediate();
  }
  if (dates.length > 0) write(dates.length - 1);
  truth.close();
  files.close();
  return progress;
}

/** The park that is there, or one that is made and written. */
async function parkOf(options: GenerateOptions, plan: GeneratePlan): Promise<KnownPark> {
  const { seed, firstDay, days, installedDay } = plan;
  if (options.park !== undefined) return knownPark(options.park, firstDay, days);
  const country =
    options.communes === undefined
      ? await makeCountry(seed, new Random(seed, 'country'))
      : await knownCountry(options.communes);
  const park = makePark(plan, country, new Random(seed, 'park'));
  const faults = faultRows(options.faults ?? [], park, installedDay);
  writePark(park, join(options.out, 'park'), new Random(seed, 'manufacturers'), faults);
  if (options.faults !== undefined) writeFaults(faults, join(options.out, 'truth'));
  return { park, meters: new ReplacedSenders(park.meters), concentrators: new ReplacedSenders(park.concentrators) };
}

/** What an import must say of the park, as its own list says it. */
function writeFaults(rows: readonly FaultRow[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  const lines = rows.flatMap(({ table, fault }) =>
    fault === undefined ? [] : [[table, csvField(fault.key), csvField(fault.what)].join(',')],
  );
  writeFileSync(join(folder, 'park-faults.csv'), `${['table,key,what', ...lines].join('\n')}\n`);
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
