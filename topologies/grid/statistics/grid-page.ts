import type { ChartKey, ChartSelect, Choice, PageSpec } from '../../../src/http/page/page-spec.ts';
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

/** The application's part of the page: one chart of any of the 24 statistics. */
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
  };
}
