import { readdirSync } from 'node:fs';
import type {
  ConditionalRenderingGroupKind,
  PanelKind,
  QueryVariableKind,
} from '@grafana/schema/apis/dashboard.grafana.app/v2';
import test from 'ava';
import { dashboards, dashboardText, dynamicDashboards } from '../../grafana/dashboards.ts';
import type { DynamicDashboard } from '../../grafana/dynamic.ts';
import { rowsOf } from '../../grafana/layout.ts';
import type { Panel } from '../../grafana/model.ts';
import { fileOf, root } from './compose-file.ts';
import { addedLabels, knownMetrics } from './known-metrics.ts';
import { askedBy } from './promql.ts';

const folder = 'grafana/dynamic';
const all = Object.entries(dynamicDashboards);

interface RowOfPanels {
  readonly title: string | undefined;
  readonly rule: ConditionalRenderingGroupKind | undefined;
  readonly panels: readonly PanelKind[];
  readonly places: readonly object[];
}

function dynamicRowsOf({ spec }: DynamicDashboard): readonly RowOfPanels[] {
  if (spec.layout.kind !== 'RowsLayout') throw new Error(spec.layout.kind);
  return spec.layout.spec.rows.map(({ spec: { title, conditionalRendering: rule, layout } }) => {
    if (layout.kind !== 'GridLayout') throw new Error(layout.kind);
    const items = layout.spec.items.map((item) => item.spec);
    return {
      title,
      rule,
      panels: items.map(({ element }) => spec.elements[element.name] as PanelKind),
      places: items.map(({ x, y, width: w, height: h }) => ({ x, y, w, h })),
    };
  });
}

function hiddenVariablesOf({ spec }: DynamicDashboard): readonly QueryVariableKind[] {
  return spec.variables.filter(
    (variable): variable is QueryVariableKind =>
      variable.kind === 'QueryVariable' && variable.spec.hide === 'hideVariable',
  );
}

test('the files of the dynamic dashboards are what the code beside them makes: node --import tsx grafana/write-dashboards.ts', (t) => {
  t.deepEqual(readdirSync(new URL(`${folder}/`, root)).sort(), Object.keys(dynamicDashboards).sort());
  for (const [file, dashboard] of all) t.is(fileOf(`${folder}/${file}`), dashboardText(dashboard), file);
});

test('a dynamic dashboard is a resource at the address of the classic one, and says nothing that a server assigns', (t) => {
  for (const [file, { apiVersion, kind, metadata, spec }] of all) {
    const { uid, title, description } = dashboards[file]!;
    t.is(`${apiVersion} ${kind}`, 'dashboard.grafana.app/v2 Dashboard');
    t.deepEqual(metadata, { name: uid });
    t.deepEqual([spec.title, spec.description], [title, description]);
  }
});

/** What a panel shows, of either model. */
function shown({ id, title, description, type, targets, options, fieldConfig }: Panel): unknown {
  const queries = targets.map(({ refId, datasource, ...query }) => ({ refId, source: datasource, query }));
  return { id, title, description, type, queries, options, fieldConfig };
}

function shownDynamic({ spec: { id, title, description, data, vizConfig } }: PanelKind): unknown {
  const queries = data.spec.queries.map(({ spec: { refId, hidden, query } }) => {
    const source = { type: query.group, uid: query.datasource?.name };
    return { refId, source, query: query.spec, ...(hidden && { hidden }) };
  });
  const { options, fieldConfig } = vizConfig.spec;
  return { id, title, description, type: vizConfig.group, queries, options, fieldConfig };
}

test('a dynamic dashboard has the rows, panels and expressions of the classic one in the same places', (t) => {
  for (const [file, dashboard] of all) {
    const classic = rowsOf(dashboards[file]!);
    const rows = dynamicRowsOf(dashboard);
    t.deepEqual(
      rows.map(({ title, panels }) => ({ title, panels: panels.map(shownDynamic) })),
      classic.map(([{ title }, panels]) => ({ title, panels: panels.map(shown) })),
    );
    t.deepEqual(
      rows.map(({ places }) => places),
      classic.map(([{ gridPos }, panels]) =>
        panels.map((panel) => ({ ...panel.gridPos, y: panel.gridPos.y - gridPos.y - 1 })),
      ),
    );
    t.is(Object.keys(dashboard.spec.elements).length, rows.flatMap(({ panels }) => panels).length, 'each once');
  }
});

test('a dynamic dashboard has the variables and marks of the classic one, and hidden variables behind them', (t) => {
  for (const [file, dashboard] of all) {
    const { templating, annotations } = dashboards[file]!;
    const hidden = hiddenVariablesOf(dashboard);
    t.deepEqual(
      dashboard.spec.variables.map(({ spec }) => spec.name),
      [...templating.list.map(({ name }) => name), ...hidden.map(({ spec }) => spec.name)],
    );
    for (const { kind, spec } of dashboard.spec.variables) {
      const classic = templating.list.find(({ name }) => name === spec.name);
      if (kind === 'QueryVariable') {
        t.is(spec.query.spec['query'], spec.definition, spec.name);
        if (classic !== undefined) t.is(spec.definition, classic.definition, spec.name);
      }
      // Grafana 13.2 answers 422 without them.
      if (kind === 'QueryVariable' || kind === 'DatasourceVariable')
        t.deepEqual(spec.current, classic?.current ?? { text: '', value: '' }, spec.name);
    }
    t.deepEqual(
      dashboard.spec.annotations.map(({ spec }) => [spec.name, spec.legacyOptions?.['expr']]),
      annotations.list.map(({ name, expr }) => [name, expr]),
    );
  }
});

test('the hidden variables ask for a metric and labels that exist, of the chosen application and its instances', async (t) => {
  const known = await knownMetrics();
  for (const [, dashboard] of all) {
    const hidden = hiddenVariablesOf(dashboard);
    t.deepEqual(hidden.map(({ spec }) => spec.name).sort(), ['files', 'kafka']);
    for (const { spec } of hidden) {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(spec.definition!)!;
      const { metric, labels } = askedBy(selector!).selectors[0]!;
      const own = [...known.get(metric)!.labels, ...addedLabels];
      t.deepEqual(labels, ['job', 'instance', 'application_id']);
      for (const each of [...labels, label!]) t.true(own.includes(each), `${metric} has no ${each}`);
      // A value in the address of the dashboard would be believed.
      t.true(spec.skipUrlSync, spec.name);
    }
  }
});

/** Whether Grafana shows a row whose rule is this, with these values of variables. */
function isShown(rule: ConditionalRenderingGroupKind | undefined, values: Readonly<Record<string, string>>): boolean {
  if (rule === undefined) return true;
  const { visibility, condition, items } = rule.spec;
  const results = items.map((item) => {
    if (item.kind !== 'ConditionalRenderingVariable') throw new Error(item.kind);
    const { variable, operator, value } = item.spec;
    if (operator !== 'matches' && operator !== 'notMatches') throw new Error(operator);
    return new RegExp(value).test(values[variable]!) === (operator === 'matches');
  });
  const met = results.map((result) => result === (visibility === 'show'));
  return condition === 'and' ? met.every(Boolean) : met.some(Boolean);
}

test('rows that only Kafka, or only files, have data for are hidden where the application runs on the other, and no other row ever', (t) => {
  for (const [, dashboard] of all) {
    for (const { title, rule } of dynamicRowsOf(dashboard)) {
      const ofKafka = title!.startsWith('Kafka: ');
      const ofFiles = title === 'Files';
      t.is(rule !== undefined, ofKafka || ofFiles, title);
      t.is(isShown(rule, { kafka: 'grid', files: '' }), !ofFiles, title);
      t.is(isShown(rule, { kafka: '', files: 'grid' }), !ofKafka, title);
      // Both, one after the other within the time that is shown; and nothing, since Prometheus does not answer.
      t.true(isShown(rule, { kafka: 'grid', files: 'grid' }), title);
      t.true(isShown(rule, { kafka: '', files: '' }), title);
    }
  }
});
