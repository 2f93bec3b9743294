import test from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { fileOf } from './compose-file.ts';
import { withMetrics } from './metrics-markdown.ts';

const page = fileOf('docs/monitoring.md');

test('docs/monitoring.md lists every metric as the code has it', (t) => {
  t.is(page, withMetrics(page), 'run: node --import tsx test/deploy/write-monitoring.ts');
});

test('docs/monitoring.md has the rows of the dashboard, in their order', (t) => {
  const section = page.split('## The dashboard\n')[1]!.split(/^## /m)[0]!;
  const rows = [...section.matchAll(/^\| ([A-Z][^|]*?) +\|/gm)].map(([, title]) => title);
  const { panels, title } = dashboards['grid.json']!;
  t.deepEqual(
    rows,
    panels.filter(({ type }) => type === 'row').map((row) => row.title),
  );
  t.true(section.includes(`**${title}**`));
});

test('panels that the documentation names are on the dashboard', (t) => {
  const titles = new Set(Object.values(dashboards).flatMap(({ panels }) => panels.map(({ title }) => title)));
  const legends = new Set(
    Object.values(dashboards).flatMap(({ panels }) =>
      panels.flatMap((panel) => (panel.type === 'row' ? [] : panel.targets.map(({ legendFormat }) => legendFormat))),
    ),
  );
  const alerts = page.split('## Alerts\n')[1]!.split(/^## /m)[0]!;
  const named = [...alerts.matchAll(/(?<!\*)\*([A-Za-z][a-z ]+)\*(?!\*)/g)].map(([, title]) => title!);
  t.true(named.length > 10);
  for (const title of named) {
    if (title !== 'Critical' && title !== 'warning') t.true(titles.has(title) || legends.has(title), title);
  }
});
