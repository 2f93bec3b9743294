import { engineDashboard } from './engine-dashboard.ts';
import { gridDashboard } from './grid-dashboard.ts';
import type { Dashboard } from './model.ts';

/** All dashboards, by the name of their file in `grafana/dashboards`. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'engine.json': engineDashboard,
  'grid.json': gridDashboard,
};

/** A dashboard as its file holds it. */
export function dashboardText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
