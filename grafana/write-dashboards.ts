// Writes grafana/dashboards/*.json and grafana/dynamic/*.json from the code beside it: node --import tsx grafana/write-dashboards.ts
import { writeFileSync } from 'node:fs';
import { dashboards, dashboardText, dynamicDashboards } from './dashboards.ts';

for (const [folder, files] of Object.entries({ dashboards, dynamic: dynamicDashboards })) {
  for (const [file, dashboard] of Object.entries(files))
    writeFileSync(new URL(`${folder}/${file}`, import.meta.url), dashboardText(dashboard));
}
