import { eventsBy, named, of, statisticBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { bars, graph, stat } from '../panels.ts';

/** What is counted: the statistics that fit into metrics. Those of single meters are at /statistics. */
export const statistics: Section = {
  title: 'Statistics of the grid',
  panels: [
    stat(
      { title: 'Events counted', description: 'Events in the statistics, since the state began.', unit: 'short' },
      [[statisticBy('type_evt', 'grid_events'), '{{type_evt}}']],
      { width: 8 },
    ),
    stat(
      {
        title: 'Park',
        description: 'Equipment installed now by the wall clock: meters (C) and concentrators (K).',
        unit: 'short',
      },
      [[statisticBy('equipment', 'grid_park_size'), '{{equipment}}']],
    ),
    stat(
      {
        title: 'Events without a place',
        description: 'Events of equipment that the park does not have on that day. Falls when the park catches up.',
        unit: 'short',
      },
      [[statisticBy('', 'grid_unattached_events'), 'events']],
    ),
    stat(
      {
        title: 'Newest windows',
        description: 'Start of the newest day, week, month and year that have events, in the time zone of the browser.',
        unit: 'dateTimeAsIso',
      },
      [[`${statisticBy('period', 'grid_window_start_timestamp_seconds')} * 1000`, '{{period}}']],
      { width: 8 },
    ),
    graph(
      { title: 'Events by type', description: 'Events counted in a second of the wall clock.', unit: 'eps' },
      [[`clamp_min(max by (type_evt) (deriv(${of('grid_events')}[$__rate_interval])), 0)`, '{{type_evt}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Events of each day',
        description: 'Events of the newest closed day: a step for each day that closes.',
        unit: 'short',
      },
      [[statisticBy('type_evt', 'grid_window_events', 'period="day",state="closed"'), '{{type_evt}}']],
      { stacked: true, steps: true },
    ),
    graph(
      {
        title: 'Events of the open windows',
        description: 'Events of the newest day, week, month and year, which still take events.',
        unit: 'short',
      },
      [[eventsBy('period', 'grid_window_events', 'state="open"'), '{{period}}']],
    ),
    bars(
      { title: 'Regions', description: 'Events of each region on the newest closed day.', unit: 'short' },
      [[`sort_desc(${named('region', eventsBy('region', 'grid_region_events', 'period="day"'))})`, '{{name}}']],
      { width: 12 },
    ),
    bars(
      {
        title: 'Departements',
        description: 'The ten departements with most events on the newest closed day.',
        unit: 'short',
      },
      [
        [
          named('departement', `topk(10, ${eventsBy('departement', 'grid_departement_events', 'period="day"')})`),
          '{{name}}',
        ],
      ],
      { width: 12 },
    ),
  ],
};
