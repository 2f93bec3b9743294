// Writes grafana/dashboards/*.json from the code beside it: node --import tsx grafana/write-dashboards.ts
import { writeFileSync } from 'node:fs';
import { dashboards, dashboardText } from './dashboards.ts';

for (const [file, dashboard] of Object.entries(dashboards)) {
  writeFileSync(new URL(`dashboards/${file}`, import.meta.url), dashboardText(dashboard));
}
