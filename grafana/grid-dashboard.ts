import { dashboardOf } from './dashboard.ts';
import type { Dashboard } from './model.ts';
import { overview } from './sections/overview.ts';
import { statistics } from './sections/statistics.ts';

/** "weir: the grid": what was counted. How the engine fares is on the other dashboard. */
export const gridDashboard: Dashboard = dashboardOf(
  {
    uid: 'weir-grid',
    title: 'weir: the grid',
    description:
      "Statistics of a power grid's smart meters. How the application that makes them fares: weir: the engine.",
    application: 'grid',
  },
  [overview, statistics],
);
