import { Zone } from '../../../src/common/time/zone.ts';
import { jsonResponse } from '../../../src/http/json.ts';
import type { Route } from '../../../src/http/route.ts';
import type { ReadOnlyVersionedStore } from '../../../src/runtime/read-only-stores.ts';
import type { Place } from '../park/place.ts';
import { periodWindows } from './period-windows.ts';
import type { StatisticSource } from './query-statistics.ts';
import { silentEquipment } from './silent-equipment.ts';
import { allKey, storeName } from './statistic.ts';
import { allTime } from './statistic-stores.ts';

/** Rows of an answer at most. */
const mostRows = 1000;

/**
 * `/silent`: equipment that was installed on the newest closed day and had no event on it, nor on the days before it that are asked for. With none that is closed the newest day counts.
 *
 * `/silent?type=C&days=2` over days up to 2018-01-31 names the meters without an event on 30 and 31 January.
 */
export function silentRoute(source: StatisticSource, park: () => ReadOnlyVersionedStore<string, unknown>): Route {
  return {
    path: '/silent',
    summary: 'Equipment that was installed and sent no event for some days: the first 1,000 of it',
    query: {
      type: { description: 'C: meters. K: concentrators. Left out: C.', values: ['C', 'K'] },
      days: {
        description: 'Days without an event, from 1 to 31. Left out: 1.',
        parse(text) {
          if (/^([1-9]|[12]\d|3[01])$/.test(text)) return text;
          throw new Error('give a whole number from 1 to 31');
        },
      },
    },
    scan: 'client',
    async handle({ query, signal }) {
      const newestMs = await newestDay(source);
      if (newestMs === undefined) return jsonResponse({ rows: [], note: 'There are no events yet.' });
      const startsMs = daysUpTo(newestMs, Number(query.days ?? 1), source.zone);
      const rows: object[] = [];
      let more = false;
      for await (const { key, place } of silentEquipment(
        park(),
        source.stores(storeName('day', 'equipment')),
        startsMs,
        query.type ?? 'C',
      )) {
        more = rows.length === mostRows;
        if (more || signal.aborted) break;
        rows.push({ key, last_day: await lastDay(source, key), ...(await named(source, place)) });
      }
      return jsonResponse({ rows, note: noteOf(startsMs, source.zone, more) });
    },
  };
}

/** The newest day that takes no more events, or else the newest. */
async function newestDay({ stores, finalUntilMs }: StatisticSource): Promise<number | undefined> {
  let open: number | undefined;
  let closed: number | undefined;
  const untilMs = finalUntilMs();
  const days = stores(storeName('day', 'type')).fetchKey(allKey, allTime.fromMs, allTime.toMs);
  for await (const { windowed } of days) {
    if (windowed.endMs <= untilMs) closed = windowed.startMs;
    else open = windowed.startMs;
  }
  return closed ?? open;
}

function daysUpTo(newestMs: number, count: number, zoneName: string): number[] {
  const zone = Zone.of(zoneName);
  const newest = zone.dayOf(newestMs);
  return Array.from({ length: count }, (_, i) => zone.startOfDay(newest - count + 1 + i));
}

async function lastDay({ stores, zone }: StatisticSource, key: string): Promise<string | null> {
  let last: number | undefined;
  for await (const { windowed } of stores(storeName('day', 'equipment')).fetchKey(key, allTime.fromMs, allTime.toMs))
    last = windowed.startMs;
  return last === undefined ? null : periodWindows('day', zone).formatStart(last);
}

async function named({ names }: StatisticSource, { commune, departement, region, pdk }: Place): Promise<object> {
  const lookup = names?.();
  const name = async (level: 'commune' | 'departement' | 'region', id: string): Promise<string> =>
    (await lookup?.of(level, id)) || id;
  return {
    ...{ commune, departement, region, pdk },
    commune_name: await name('commune', commune),
    departement_name: await name('departement', departement),
    region_name: await name('region', region),
  };
}

function noteOf(startsMs: readonly number[], zone: string, more: boolean): string {
  const windows = periodWindows('day', zone);
  const [first, last] = [windows.formatStart(startsMs[0]!), windows.formatStart(startsMs.at(-1)!)];
  const when = first === last ? `Looked at ${last}.` : `Looked at ${first} to ${last}.`;
  return more ? `${when} There are more.` : when;
}
