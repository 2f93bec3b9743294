import test from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { gridProgram } from '../../topologies/grid/program.ts';
import { fileOf, yamlOf } from './compose-file.ts';
import { addedLabels, knownMetrics } from './known-metrics.ts';
import { askedBy } from './promql.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

const { groups } = yamlOf('grafana/prometheus/rules.yml') as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);

test('alerts have names of their own, a severity, and say in words what is wrong', (t) => {
  const names = alerts.map(({ alert }) => alert);
  t.is(new Set(names).size, names.length);
  for (const { alert, labels, annotations } of alerts) {
    t.regex(alert, /^Weir[A-Z][A-Za-z]+$/);
    t.true(['warning', 'critical'].includes(labels['severity']!), alert);
    t.regex(annotations['summary']!, /^\S.*[^.]$/, alert);
    t.regex(annotations['description']!, /^\S.*\.$/, alert);
  }
});

test('every metric and every label of the alerts exists', async (t) => {
  const known = await knownMetrics();
  for (const { alert, expr, annotations } of alerts) {
    const { selectors, groupLabels } = askedBy(expr);
    t.true(selectors.length > 0, alert);
    const labels = new Set(addedLabels);
    for (const selector of selectors) {
      const metric = known.get(selector.metric);
      t.truthy(metric, `${alert}: ${selector.metric}`);
      for (const label of metric?.labels ?? []) labels.add(label);
      for (const label of selector.labels) t.true(labels.has(label), `${alert}: ${selector.metric} has no ${label}`);
    }
    for (const label of groupLabels) t.true(labels.has(label), `${alert}: nothing has ${label}`);
    for (const text of Object.values(annotations)) {
      for (const [, label] of text.matchAll(/\$labels\.(\w+)/g)) {
        t.true(groupLabels.length === 0 || groupLabels.includes(label!), `${alert}: ${label} is not left`);
      }
    }
  }
});

test('every alert is seen to fire in the tests of the rules', (t) => {
  const { tests } = yamlOf('grafana/prometheus/rules.test.yml') as RuleTests;
  const fired = new Set<string>();
  const silent = new Set<string>();
  for (const { alertname, exp_alerts } of tests.flatMap(({ alert_rule_test }) => alert_rule_test)) {
    (exp_alerts.length > 0 ? fired : silent).add(alertname);
  }
  const names = alerts.map(({ alert }) => alert);
  t.deepEqual([...fired].sort(), names.sort());
  for (const name of silent) t.true(fired.has(name), name);
});

const runbook = fileOf('docs/runbook.md');

/** A section of the runbook: what stands below the heading. */
function sectionOf(alert: string): string {
  return runbook.split(`### ${alert}\n`)[1]!.split(/^#+ /m)[0]!;
}

test('docs/runbook.md has a section for each alert, in their order, and for no others', (t) => {
  const documented = [...runbook.matchAll(/^### (.+)$/gm)].map(([, name]) => name!);
  t.deepEqual(
    documented,
    alerts.map(({ alert }) => alert),
  );
});

test("an alert's runbook_url is the address of its section", (t) => {
  for (const { alert, annotations } of alerts) {
    t.is(annotations['runbook_url'], `docs/runbook.md#${alert.toLowerCase()}`, alert);
  }
});

test('a section says how severe the alert is, what it means, how to look and what to do, and names a metric of its expression', (t) => {
  for (const { alert, expr, labels } of alerts) {
    const section = sectionOf(alert);
    t.true(section.trim().startsWith(labels['severity'] === 'critical' ? 'Critical.' : 'Warning.'), alert);
    const parts = [...section.matchAll(/^\*\*([A-Z][a-z ]+)\.\*\* \S/gm)].map(([, part]) => part);
    t.deepEqual(parts, ['What it means', 'How to look', 'What to do'], alert);
    const metrics = askedBy(expr).selectors.map(({ metric }) => metric);
    t.true(
      metrics.some((metric) => section.includes(`\`${metric}\``)),
      `${alert}: ${metrics.join(', ')}`,
    );
  }
});

test('what the runbook leads to exists: metrics, panels, sections and commands', async (t) => {
  const known = await knownMetrics();
  for (const [, name] of runbook.matchAll(/`((?:streams|grid)_\w+)`/g)) t.true(known.has(name!), name);
  const panels = Object.values(dashboards).flatMap((dashboard) => dashboard.panels);
  const shown = new Set(panels.map(({ title }) => title));
  for (const panel of panels) if (panel.type !== 'row') for (const each of panel.targets) shown.add(each.legendFormat);
  const named = [...runbook.matchAll(/(?<!\*)\*([A-Z][^*\n]+|migrated tasks)\*(?!\*)/g)].map(([, title]) => title!);
  t.true(named.length > 20);
  const words = new Set(['Critical', 'Warning', 'Status > Targets']);
  for (const title of named) t.true(words.has(title) || shown.has(title), title);
  const names = new Set(alerts.map(({ alert }) => alert.toLowerCase()));
  for (const [, anchor] of runbook.matchAll(/\]\(#(\w+)\)/g)) t.true(names.has(anchor!), anchor);
  const commands = gridProgram.commands.map(({ name }) => name);
  for (const [, command] of runbook.matchAll(/`weir ([a-z]+(?: [a-z]+)?)/g))
    t.true(
      commands.some((name) => command === name || command!.startsWith(`${name} `)),
      command,
    );
});
