import { StreamsError } from '../../../src/common/errors.ts';
import { parseCivilDate } from '../../../src/common/time/civil.ts';
import { allKey, type EventType, eventTypes, type Grouping, groupings, type Period, periods } from './statistic.ts';

/** What is asked of the statistics, as text: from a command line or an address. */
export interface StatisticQueryText {
  readonly period: string;
  readonly grouping: string;
  readonly key?: string | undefined;
  readonly type?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly names?: boolean | undefined;
}

/** What is asked of the statistics. */
export interface StatisticQuery {
  readonly period: Period;
  readonly grouping: Grouping;
  /** `C:8` for equipment, the plain id for places. Without it: all. */
  readonly key?: string;
  readonly type?: EventType;
  /** Day number of the first date that a window may start on. */
  readonly fromDay?: number;
  /** Day number of the first date that a window may no longer start on. */
  readonly toDay?: number;
  /** Whether rows have the names of places beside their keys. @defaultValue false */
  readonly names?: boolean;
}

/**
 * A checked query. `from` and `to` are civil dates of the statistics' zone, 'YYYY-MM-DD'; they mean the windows whose first day is in
 * `[from, to)`.
 *
 * @throws {@link StreamsError} `STREAMS_USAGE` - for an unknown period, grouping or type, a date that is none, dates that hold nothing, or a
 * key that the grouping cannot have.
 */
export function parseStatisticQuery(text: StatisticQueryText): StatisticQuery {
  const { key, type, from, to, names } = text;
  const period = parsePeriod(text.period);
  const grouping = parseGrouping(text.grouping);
  if (key !== undefined) checkKey(grouping, key);
  const fromDay = from === undefined ? undefined : parseDate('from', from);
  const toDay = to === undefined ? undefined : parseDate('to', to);
  if (fromDay !== undefined && toDay !== undefined && fromDay >= toDay) {
    throw usage(`from ${from} is not before to ${to}: from is included, to is not`);
  }
  return {
    period,
    grouping,
    ...(key === undefined ? {} : { key }),
    ...(type === undefined ? {} : { type: oneOf('type', type, eventTypes) }),
    ...(fromDay === undefined ? {} : { fromDay }),
    ...(toDay === undefined ? {} : { toDay }),
    ...(names === true ? { names } : {}),
  };
}

/** @throws {@link StreamsError} `STREAMS_USAGE` - naming the periods there are. */
export function parsePeriod(text: string): Period {
  return oneOf('period', text, periods);
}

/** @throws {@link StreamsError} `STREAMS_USAGE` - naming the groupings there are. */
export function parseGrouping(text: string): Grouping {
  return oneOf('grouping', text, groupings);
}

function oneOf<T extends string>(what: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw usage(`${what} must be one of ${allowed.join(', ')}, not ${shown(text)}`);
  return found;
}

function parseDate(what: string, text: string): number {
  const day = parseCivilDate(text);
  if (day === undefined) throw usage(`${what} must be a date such as 2018-01-31, not ${shown(text)}`);
  return day;
}

function checkKey(grouping: Grouping, key: string): void {
  if (grouping === 'equipment' && !/^[^:]+:./.test(key)) {
    throw usage(`a key of equipment is its type and id, such as C:8 or K:1, not ${shown(key)}`);
  }
  if (grouping === 'type' && key !== allKey) {
    throw usage(`the statistics by type have one group, ${allKey}: leave the key out (not ${shown(key)})`);
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', message);
}
