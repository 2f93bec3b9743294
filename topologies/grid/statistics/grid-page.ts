import type {
  ChartKey,
  ChartSelect,
  Choice,
  ListSpec,
  PageSpec,
  RankingSpec,
} from '../../../src/http/page/page-spec.ts';
import { eventTypes, type Grouping, type Period } from './statistic.ts';

const periodLabels: Readonly<Record<Period, string>> = { day: 'Day', week: 'ISO week', month: 'Month', year: 'Year' };

/** From the whole to the single meter. */
const groupingLabels: Readonly<Record<Grouping, string>> = {
  type: 'All events',
  region: 'Region',
  departement: 'Departement',
  commune: 'Commune',
  pdk: 'Substation (pdk)',
  equipment: 'Equipment',
};

const types: readonly Choice[] = eventTypes.map((type) => ({ value: type, label: type }));

const selects: readonly ChartSelect[] = [
  { name: 'period', label: 'Period', choices: choices(periodLabels) },
  { name: 'grouping', label: 'Grouping', choices: choices(groupingLabels) },
  { name: 'type', label: 'Type of event', choices: [{ value: '', label: 'All types' }, ...types] },
];

const key: ChartKey = {
  name: 'key',
  label: 'Key',
  placeholder: 'C:8, or a plain id',
  suggestionsUrl: '/statistics/{period}/{grouping}/keys?names=true',
  notFor: { select: 'grouping', value: 'type' },
};

function choices(labels: Readonly<Record<string, string>>): readonly Choice[] {
  return Object.entries(labels).map(([value, label]) => ({ value, label }));
}

const places: RankingSpec = {
  name: 'places',
  title: 'Places',
  dataUrl: '/statistics/day/{grouping}?names=true',
  daysUrl: '/statistics/day/type',
  unit: 'events',
  selects: [
    {
      name: 'grouping',
      label: 'Places',
      choices: [
        { value: 'region', label: 'Regions' },
        { value: 'departement', label: 'Departements' },
        { value: 'commune', label: 'Communes' },
        { value: 'pdk', label: 'Substations (pdk)' },
      ],
    },
    { name: 'type', label: 'Type of event', choices: [{ value: '', label: 'All types' }, ...types] },
  ],
};

const silent: ListSpec = {
  name: 'silent',
  title: 'Silent meters',
  dataUrl: '/silent',
  selects: [
    {
      name: 'type',
      label: 'Equipment',
      choices: [
        { value: 'C', label: 'Meters' },
        { value: 'K', label: 'Concentrators' },
      ],
    },
    {
      name: 'days',
      label: 'Without an event for',
      choices: ['1', '2', '7', '30'].map((value) => ({ value, label: value === '1' ? '1 day' : `${value} days` })),
    },
  ],
  columns: [
    { field: 'key', label: 'Equipment' },
    { field: 'last_day', label: 'Last event' },
    { field: 'region_name', label: 'Region' },
    { field: 'departement_name', label: 'Departement' },
    { field: 'commune_name', label: 'Commune' },
    { field: 'pdk', label: 'Substation', numeric: true },
  ],
  empty: 'All equipment of this kind has sent events.',
};

/** The application's part of the page: one chart of any of the 24 statistics, places in the order of their events, and the meters that are silent. */
export function gridPage(zone: string): PageSpec {
  return {
    title: 'Grid statistics',
    zone,
    charts: [
      {
        title: 'Events per window',
        dataUrl: '/statistics/{period}/{grouping}?names=true',
        csvQuery: 'format=csv',
        unit: 'events',
        series: { field: 'type_evt', values: types },
        selects,
        key,
      },
    ],
    rankings: [places],
    lists: [silent],
  };
}
