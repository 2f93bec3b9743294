import test from 'ava';
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

test('docs/monitoring.md says of each alert what it means and what to do, and of no others', (t) => {
  const page = fileOf('docs/monitoring.md');
  const documented = [...page.matchAll(/^### (Weir\w+)$/gm)].map(([, name]) => name!);
  t.deepEqual(
    documented,
    alerts.map(({ alert }) => alert),
  );
  for (const { alert, labels } of alerts) {
    const section = page.split(`### ${alert}\n`)[1]!.split(/^#+ /m)[0]!;
    t.true(section.trim().startsWith(labels['severity'] === 'critical' ? 'Critical.' : 'Warning.'), alert);
    t.regex(section, /\*\*What to do\.\*\* \S/, alert);
  }
});
