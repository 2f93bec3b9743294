import { jsonResponse } from '../../../src/http/json.ts';
import { type QueryParameter, type Route, type RouteRequest, staleParameter } from '../../../src/http/route.ts';
import { streamText } from '../../../src/http/text-stream.ts';
import { namedLevel } from './name-lookup.ts';
import { newestKeys, queryStatistics, type StatisticRow, type StatisticSource } from './query-statistics.ts';
import { eventTypes, type Grouping } from './statistic.ts';
import { csvGroupCells, csvHeader } from './statistic-csv.ts';
import { parseGrouping, parsePeriod, parseStatisticQuery, type StatisticQuery } from './statistic-query.ts';

/** Keys that are offered at most. */
const keysOffered = 500;

const namesParameter: QueryParameter = {
  description: 'true: the names of communes, departements and regions beside their ids.',
  values: ['true', 'false'],
};

const parameters: Readonly<Record<string, QueryParameter>> = {
  key: { description: 'One group only: C:8 for equipment, the plain id for places.' },
  type: { description: 'One type of event only.', values: eventTypes },
  from: { description: 'Windows whose first day is this date or later, such as 2018-01-01.' },
  to: { description: 'Windows whose first day is before this date.' },
  format: {
    description: 'json: an array of objects. csv: the columns of the exported files.',
    values: ['json', 'csv'],
  },
  names: namesParameter,
  stale: staleParameter,
};

/** The statistics over HTTP: counts as JSON or CSV, and keys to choose from. */
export function statisticsRoutes(source: StatisticSource): readonly Route[] {
  return [
    {
      path: '/statistics/:period/:grouping',
      summary:
        'Counts of a statistic: period day, week, month or year; grouping type, equipment, commune, departement, pdk or region',
      query: parameters,
      scan: 'client',
      handle: (request) => answer(source, request),
    },
    {
      path: '/statistics/:period/:grouping/keys',
      summary: 'Some keys of the newest window of a statistic',
      scan: 'client',
      query: { names: namesParameter, stale: staleParameter },
      async handle({ params, query }) {
        const period = parsePeriod(params.period!);
        const grouping = parseGrouping(params.grouping!);
        const keys = await newestKeys(asAsked(source, query), { period, grouping }, keysOffered);
        return jsonResponse(query.names === 'true' ? await named(keys, grouping, source) : keys);
      },
    },
  ];
}

/** Keys with the names that they have. */
function named(keys: readonly string[], grouping: Grouping, { names }: StatisticSource): Promise<object[]> {
  const level = namedLevel(grouping);
  const lookup = level === undefined ? undefined : names?.();
  return Promise.all(keys.map(async (key) => ({ key, name: level && lookup ? await lookup.of(level, key) : '' })));
}

/** The source with the rows that are asked for: of a copy that may lag behind, where that is good enough. No row of such a copy is final: what has closed its window may still be missing in it. */
function asAsked(source: StatisticSource, { stale }: RouteRequest['query']): StatisticSource {
  if (stale !== 'ok') return source;
  return {
    ...source,
    stores: (name) => source.stores(name, { stale: true }),
    finalUntilMs: () => Number.NEGATIVE_INFINITY,
  };
}

function answer(source: StatisticSource, { params, query }: RouteRequest): Promise<Response> {
  const { names, ...others } = query;
  const { period, grouping } = params;
  const asked = parseStatisticQuery({ ...others, period: period!, grouping: grouping!, names: names === 'true' });
  const rows = queryStatistics(asAsked(source, query), asked);
  return query.format === 'csv'
    ? streamText(csvLines(rows, asked), 'text/csv; charset=utf-8')
    : streamText(jsonArray(rows), 'application/json');
}

/** One object a line, so that a long array can be read while it comes. */
async function* jsonArray(rows: AsyncIterable<StatisticRow>): AsyncIterable<string> {
  let before = '[\n';
  for await (const row of rows) {
    yield before + JSON.stringify(row);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

async function* csvLines(
  rows: AsyncIterable<StatisticRow>,
  { grouping, names }: StatisticQuery,
): AsyncIterable<string> {
  yield csvHeader(grouping, names);
  for await (const { window_start, key, name, type_evt, n } of rows) {
    yield `${window_start},${csvGroupCells(grouping, key, name)}${type_evt},${n}\n`;
  }
}
