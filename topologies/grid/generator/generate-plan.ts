import { StreamsError } from '../../../src/common/errors.ts';
import { daysFromCivil, startOfYear } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { ParkPlan } from './made-park.ts';

/** What data set is to be made. */
export interface GenerateOptions {
  /** Folder that gets `events`, `park` and `truth`. It is made if it is not there. */
  readonly out: string;
  /** First day, days since 1970-01-01. With `days` it must stay within the years 1901 to 2198. */
  readonly from: number;
  /** Number of days, from 1 on. A day that the zone left out gets no file. */
  readonly days: number;
  /** Number of meters, ids 1 to `meters`, those included that replace others in the course of time. From 1 on. */
  readonly meters: number;
  /** As for meters. */
  readonly concentrators: number;
  /** A whole number from 0 on. The same options with the same seed give the same bytes. */
  readonly seed: number;
  /** Above 86,400 several events share a second and an `id_evt`. @defaultValue 8640, one every ten seconds */
  readonly eventsPerDay?: number;
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
export interface GeneratePlan extends ParkPlan {
  readonly seed: number;
  readonly eventsPerDay: number;
  readonly late: boolean;
  readonly damage: number;
  readonly zone: Zone;
}

/** The events of a day are held in memory. */
const mostEventsPerDay = 100_000_000;
/** The years from 1900 to 2200 are read; damaged rows need some room before and after the others. */
const firstYear = 1901;
const lastYear = 2198;

/** Checks options. @throws {@link StreamsError} `STREAMS_USAGE` for one that is out of range. */
export function planOf(options: GenerateOptions): GeneratePlan {
  const { from, days, meters, concentrators, seed, eventsPerDay = 8640, late = false, damage = 0 } = options;
  checkWhole('days', days, 1, 400 * 366);
  checkWhole('meters', meters, 1, 50_000_000);
  checkWhole('concentrators', concentrators, 1, 5_000_000);
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('events-per-day', eventsPerDay, 1, mostEventsPerDay);
  if (!(damage >= 0 && damage <= 1)) throw usage('damage', damage, 'a share of the rows from 0 to 1, such as 0.01');
  if (!Number.isInteger(from)) throw new TypeError(`from is ${from}, no day number`);
  if (from < daysFromCivil(firstYear, 1, 1) || from + days - 1 > daysFromCivil(lastYear, 12, 31)) {
    throw new StreamsError(
      'STREAMS_USAGE',
      `--from and --days leave the years ${firstYear} to ${lastYear}: give less.`,
    );
  }
  const zone = Zone.of(options.zone ?? 'Europe/Paris');
  const installedDay = startOfYear(from);
  return { firstDay: from, days, installedDay, meters, concentrators, seed, eventsPerDay, late, damage, zone };
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw usage(name, value, `a whole number from ${least} to ${most}`);
}

function usage(name: string, value: number, wanted: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `--${name} is ${value}: give ${wanted}.`);
}
