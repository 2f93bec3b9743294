import { type DynamicDashboard, dynamicOf } from './dynamic.ts';
import { engineDashboard, engineSections } from './engine-dashboard.ts';
import { gridDashboard } from './grid-dashboard.ts';
import type { Dashboard } from './model.ts';

/** All dashboards, by the name of their file in `grafana/dashboards`. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'engine.json': engineDashboard,
  'grid.json': gridDashboard,
};

/** Those that Grafana 13 can show less of, by the name of their file in `grafana/dynamic`: not in a folder below the others, since Grafana reads those too. */
export const dynamicDashboards: Readonly<Record<string, DynamicDashboard>> = {
  'engine.json': dynamicOf(engineDashboard, engineSections),
};

/** A dashboard as its file holds it. */
export function dashboardText(dashboard: Dashboard | DynamicDashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
