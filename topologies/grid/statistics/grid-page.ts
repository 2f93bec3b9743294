import type { PageSpec } from '../../../src/http/page/page-spec.ts';

/** The application's part of the page: one chart of any of the 24 statistics. */
export function gridPage(zone: string): PageSpec {
  return {
    title: 'Grid statistics',
    zone,
    charts: [
      {
        title: 'Events per window',
        dataUrl: '/statistics/{period}/{grouping}',
        csvQuery: 'format=csv',
        unit: 'events',
        series: {
          field: 'type_evt',
          values: [
            { value: 'ev_C', label: 'ev_C' },
            { value: 'ev_K', label: 'ev_K' },
            { value: 'ev_N', label: 'ev_N' },
          ],
        },
        selects: [
          {
            name: 'period',
            label: 'Period',
            choices: [
              { value: 'day', label: 'Day' },
              { value: 'week', label: 'ISO week' },
              { value: 'month', label: 'Month' },
              { value: 'year', label: 'Year' },
            ],
          },
          {
            name: 'grouping',
            label: 'Grouping',
            choices: [
              { value: 'type', label: 'All events' },
              { value: 'region', label: 'Region' },
              { value: 'departement', label: 'Departement' },
              { value: 'commune', label: 'Commune' },
              { value: 'pdk', label: 'Substation (pdk)' },
              { value: 'equipment', label: 'Equipment' },
            ],
          },
          {
            name: 'type',
            label: 'Type of event',
            choices: [
              { value: '', label: 'All types' },
              { value: 'ev_C', label: 'ev_C' },
              { value: 'ev_K', label: 'ev_K' },
              { value: 'ev_N', label: 'ev_N' },
            ],
          },
        ],
        key: {
          name: 'key',
          label: 'Key',
          placeholder: 'C:8, or a plain id',
          suggestionsUrl: '/statistics/{period}/{grouping}/keys',
          notFor: { select: 'grouping', value: 'type' },
        },
      },
    ],
  };
}
