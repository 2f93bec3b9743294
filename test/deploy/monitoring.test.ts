import test from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { fileOf } from './compose-file.ts';
import { withMetrics } from './metrics-markdown.ts';

const page = fileOf('docs/monitoring.md');

test('docs/monitoring.md lists every metric as the code has it', (t) => {
  t.is(page, withMetrics(page), 'run: node --import tsx test/deploy/write-monitoring.ts');
});

test('docs/monitoring.md has the rows of each dashboard, in their order', (t) => {
  const section = page.split('## The dashboards\n')[1]!.split(/^## /m)[0]!;
  const tables = section.split(/^\*\*(?=weir: )/m).slice(1);
  t.is(tables.length, Object.keys(dashboards).length);
  for (const { panels, title } of Object.values(dashboards)) {
    const table = tables.find((each) => each.startsWith(`${title}**`))!;
    const rows = [...table.matchAll(/^\| ([A-Z][^|]*?) +\|/gm)].map(([, row]) => row);
    t.deepEqual(
      rows,
      panels.filter(({ type }) => type === 'row').map((row) => row.title),
    );
  }
});
