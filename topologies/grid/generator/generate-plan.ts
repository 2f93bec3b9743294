import { StreamsError } from '../../../src/common/errors.ts';
import { daysFromCivil, startOfYear } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { Traffic } from './delivery.ts';
import type { EventPlan } from './made-events.ts';
import type { ParkPlan } from './made-park.ts';
import type { FaultName } from './park-faults.ts';

/** What data set is to be made. */
export interface GenerateOptions {
  /** Folder that gets `events`, `park` and `truth`. It is made if it is not there. */
  readonly out: string;
  /** First day, days since 1970-01-01. With `days` it must stay within the years 1901 to 2198. */
  readonly from: number;
  /** Number of days, from 1 on. A day that the zone left out gets no file. */
  readonly days: number;
  /** Folder of a park that is there: events are made for it, and none is written. @defaultValue a park is made */
  readonly park?: string;
  /** Number of meters of a park that is made, ids 1 to `meters`, those included that replace others in the course of time. From 1 on. */
  readonly meters?: number;
  /** As for meters. */
  readonly concentrators?: number;
  /** CSV file of the communes that a park is made in: columns as in the park's. @defaultValue some 400 made-up ones */
  readonly communes?: string;
  /** A park without any faults but these; an empty list: without any. @defaultValue installations that overlap and delivery points that hang on nothing, as parks grow them */
  readonly faults?: readonly FaultName[];
  /** A whole number from 0 on. The same options with the same seed give the same bytes. */
  readonly seed: number;
  /** Above 86,400 several events share a second and an `id_evt`. @defaultValue 8640, one every ten seconds */
  readonly eventsPerDay?: number;
  /** Nine of ten events come within the first minute of an hour. @defaultValue false: all evenly */
  readonly bursty?: boolean;
  /** Days differ by season, weekday and chance; `eventsPerDay` is what they have without. @defaultValue false: all days have the same number */
  readonly uneven?: boolean;
  /** The clock of each equipment is wrong by up to so many seconds; none by more than 55 minutes ahead. From 0 to 43200. @defaultValue 0 */
  readonly skewSeconds?: number;
  /** Share of the events that are delivered twice, within an hour: both count. @defaultValue 0 */
  readonly duplicates?: number;
  /**
   * Share of the events that are delivered in the third file after their day's, where a grace of 24 h is over: they count nowhere, and `truth/late.csv` lists them. With several
   * partitions it depends on what else each has seen. @defaultValue 0
   */
  readonly tooLate?: number;
  /** Rows stand up to 12 h of event time behind their place, also in the next day's file. @defaultValue false */
  readonly late?: boolean;
  /**
   * Share of the rows that are damaged, 0 to 1; they are listed in `truth/damaged.csv` and count nowhere. If it is not 0, some of the good
   * rows have a free text that is hard to read. @defaultValue 0
   */
  readonly damage?: number;
  /** @defaultValue 'Europe/Paris' */
  readonly zone?: string;
  /** Called after each day. */
  readonly onProgress?: (progress: GenerateProgress) => void;
}

/** How far a data set is made. */
export interface GenerateProgress {
  readonly daysDone: number;
  readonly days: number;
  /** Rows written, headers not counted, damaged ones included. */
  readonly rows: number;
  readonly damaged: number;
  /** Bytes of the event files. */
  readonly bytes: number;
}

/** Options with their defaults, checked. */
export interface GeneratePlan extends ParkPlan, EventPlan, Traffic {
  readonly seed: number;
  readonly zone: Zone;
}

/** The events of a day are held in memory. */
const mostEventsPerDay = 100_000_000;
/** By the middle of a day there must be events of it. */
const leastForTooLate = 100;
/** The years from 1900 to 2200 are read; damaged rows need some room before and after the others. */
const firstYear = 1901;
const lastYear = 2198;

/** Checks options. @throws {@link StreamsError} `STREAMS_USAGE` for one that is out of range. */
export function planOf(options: GenerateOptions): GeneratePlan {
  const { from, days, seed, eventsPerDay = 8640, late = false, bursty = false, uneven = false, faults } = options;
  const { damage = 0, duplicates = 0, tooLate = 0, skewSeconds = 0 } = options;
  const { meters, concentrators } = sizeOf(options);
  checkWhole('days', days, 1, 400 * 366);
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('events-per-day', eventsPerDay, 1, mostEventsPerDay);
  checkWhole('skew', skewSeconds, 0, 43_200);
  for (const [name, share] of Object.entries({ damage, duplicates, 'too-late': tooLate }))
    if (!(share >= 0 && share <= 1)) throw usage(name, share, 'a share of the rows from 0 to 1, such as 0.01');
  if (tooLate > 0 && eventsPerDay < leastForTooLate)
    throw usage('events-per-day', eventsPerDay, `at least ${leastForTooLate} with --too-late: time must go on`);
  if (!Number.isInteger(from)) throw new TypeError(`from is ${from}, no day number`);
  if (from < daysFromCivil(firstYear, 1, 1) || from + days - 1 > daysFromCivil(lastYear, 12, 31)) {
    throw new StreamsError(
      'STREAMS_USAGE',
      `--from and --days leave the years ${firstYear} to ${lastYear}: give less.`,
    );
  }
  const zone = Zone.of(options.zone ?? 'Europe/Paris');
  const installedDay = startOfYear(from);
  return {
    ...{ firstDay: from, days, installedDay, meters, concentrators, consistent: faults !== undefined, seed, zone },
    ...{ eventsPerDay, bursty, uneven, damage, duplicates, tooLate, late, skewSeconds },
  };
}

/** Without a park its size must be given, with one it must not. */
function sizeOf(options: GenerateOptions): { readonly meters: number; readonly concentrators: number } {
  const { park, meters, concentrators, communes, faults } = options;
  if (park !== undefined) {
    const given = Object.entries({ meters, concentrators, communes, faults }).find(([, value]) => value !== undefined);
    if (given === undefined) return { meters: 0, concentrators: 0 };
    throw new StreamsError('STREAMS_USAGE', `--park is a park that is there, and --${given[0]} says how to make one.`);
  }
  if (meters === undefined || concentrators === undefined)
    throw new StreamsError('STREAMS_USAGE', 'give --meters and --concentrators to make a park, or --park DIR.');
  checkWhole('meters', meters, faults === undefined ? 1 : 2, 50_000_000);
  checkWhole('concentrators', concentrators, 1, 5_000_000);
  return { meters, concentrators };
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw usage(name, value, `a whole number from ${least} to ${most}`);
}

function usage(name: string, value: number, wanted: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `--${name} is ${value}: give ${wanted}.`);
}
