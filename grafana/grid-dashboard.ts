import { placed } from './layout.ts';
import type { Dashboard } from './model.ts';
import { flow } from './sections/flow.ts';
import { lateness } from './sections/lateness.ts';
import { overview } from './sections/overview.ts';
import { processes } from './sections/process.ts';
import { state } from './sections/state.ts';
import { statistics } from './sections/statistics.ts';
import { tasks } from './sections/tasks.ts';
import { variables } from './variables.ts';

/** "weir: the grid": the statistics, and how the engine that makes them fares. */
export const gridDashboard: Dashboard = {
  uid: 'weir-grid',
  title: 'weir: the grid',
  description: "Statistics of a power grid's smart meters, and the streams application that makes them.",
  tags: ['weir'],
  schemaVersion: 39,
  editable: false,
  graphTooltip: 1,
  refresh: '10s',
  time: { from: 'now-30m', to: 'now' },
  timezone: 'browser',
  templating: { list: variables },
  annotations: { list: [] },
  panels: placed([overview, statistics, flow, lateness, tasks, state, processes]),
};
