import { readdirSync } from 'node:fs';
import test from 'ava';
import { dashboards, dashboardText } from '../../grafana/dashboards.ts';
import { rowsOf } from '../../grafana/layout.ts';
import type { Dashboard, Panel, Row } from '../../grafana/model.ts';
import { engineMetrics, kafkaMetrics, serverMetricSpecs } from '../../src/observability/metric-names.ts';
import { exposedNames } from '../observability/fake-stats.ts';
import { fileOf, root } from './compose-file.ts';
import { addedLabels, knownMetrics } from './known-metrics.ts';
import { askedBy } from './promql.ts';

const folder = 'grafana/dashboards';
const files = readdirSync(new URL(`${folder}/`, root));
const read = files.map((file) => [file, JSON.parse(fileOf(`${folder}/${file}`)) as Dashboard] as const);
const panels = read.flatMap(([, dashboard]) => dashboard.panels.filter(isPanel));
const targets = panels.flatMap((panel) => panel.targets.map((target) => ({ ...target, panel })));
const marks = read.flatMap(([, dashboard]) => dashboard.annotations.list);

function isPanel(panel: Row | Panel): panel is Panel {
  return panel.type !== 'row';
}

test('the files of the dashboards are what the code beside them makes: node --import tsx grafana/write-dashboards.ts', (t) => {
  t.deepEqual(files.sort(), Object.keys(dashboards).sort());
  for (const [file, dashboard] of Object.entries(dashboards)) {
    t.is(fileOf(`${folder}/${file}`), dashboardText(dashboard), file);
  }
});

test('a dashboard has a name of its own for ever, is not edited in place, and starts with recent data', (t) => {
  const uids = read.map(([, { uid }]) => uid);
  t.is(new Set(uids).size, uids.length);
  t.deepEqual(uids.toSorted(), ['weir-engine', 'weir-grid']);
  for (const [, dashboard] of read) {
    t.false(dashboard.editable);
    t.is(dashboard.time.to, 'now');
    t.deepEqual(
      dashboard.templating.list.map(({ name }) => name),
      ['DS', 'application', 'job', 'instance'],
    );
  }
});

test('panels have ids of their own, do not overlap and fit into the 24 columns', (t) => {
  for (const [, dashboard] of read) {
    const ids = dashboard.panels.map(({ id }) => id);
    t.is(new Set(ids).size, ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      t.true(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          t.false(taken.has(`${x} ${y}`), title);
          taken.add(`${x} ${y}`);
        }
      }
    }
  }
});

const units = new Set(['short', 's', 'bytes', 'Bps', 'recps', 'eps', 'ops', 'reqps', 'percentunit', 'dateTimeAsIso']);

test('every panel has a title of its own, says what it shows, and has a unit that Grafana knows', (t) => {
  for (const [, dashboard] of read) {
    const titles = dashboard.panels.filter(isPanel).map(({ title }) => title);
    t.is(new Set(titles).size, titles.length);
  }
  for (const { title, description, fieldConfig } of panels) {
    t.regex(description, /^[\w].*\.$/, title);
    t.true(units.has(fieldConfig.defaults.unit), `${title}: ${fieldConfig.defaults.unit}`);
  }
});

test('every panel asks the chosen data source, and names its series', (t) => {
  for (const { panel, datasource, legendFormat, refId } of targets) {
    t.deepEqual(datasource, { type: 'prometheus', uid: `$\{DS}` }, panel.title);
    t.deepEqual(panel.datasource, datasource, panel.title);
    t.not(legendFormat, '', panel.title);
    t.is(panel.targets.filter((other) => other.refId === refId).length, 1, panel.title);
  }
});

test('every metric and every label of the dashboards exists', async (t) => {
  const known = await knownMetrics();
  for (const { panel, expr, legendFormat } of targets) {
    const { selectors, groupLabels } = askedBy(expr);
    t.true(selectors.length > 0, expr);
    const labels = new Set(addedLabels);
    for (const selector of selectors) {
      const metric = known.get(selector.metric);
      t.truthy(metric, `${panel.title}: ${selector.metric}`);
      const own = [...(metric?.labels ?? []), ...addedLabels];
      for (const label of selector.labels)
        t.true(own.includes(label), `${panel.title}: ${selector.metric} has no ${label}`);
      for (const label of own) labels.add(label);
    }
    for (const label of groupLabels) t.true(labels.has(label), `${panel.title}: nothing has ${label}`);
    // What is grouped has only the labels of the groups left to be named.
    const left = groupLabels.length > 0 ? new Set(groupLabels) : labels;
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      t.true(left.has(label!), `${panel.title}: ${legendFormat}`);
  }
});

test('every selector is of the chosen job and instances', (t) => {
  const asked = [
    ...targets.map(({ expr, panel }) => [panel.title, expr]),
    ...marks.map(({ name, expr }) => [name, expr]),
  ];
  for (const [title, expr] of asked as [string, string][]) {
    for (const { metric, labels } of askedBy(expr).selectors) {
      if (metric === 'ALERTS') continue;
      t.deepEqual(labels.slice(0, 2), ['job', 'instance'], `${title}: ${metric}`);
    }
    t.false(expr.includes('job="weir"'), title);
  }
});

test('counters are looked at by their growth, over a range that follows the scrapes; gauges are not', async (t) => {
  const known = await knownMetrics();
  for (const { panel, expr } of targets) {
    for (const { metric, range, within } of askedBy(expr).selectors) {
      const where = `${panel.title}: ${metric}`;
      const grows = within === 'rate' || within === 'increase';
      if (known.get(metric)?.type !== 'counter') t.false(grows, where);
      // What is counted since the state began is worth seeing as it is.
      else if (!metric.startsWith('grid_')) t.true(grows, where);
      if (range !== undefined) t.true(range === '$__rate_interval' || range === '1h', where);
    }
  }
});

test('the job and the instances to choose from are those of the chosen application', (t) => {
  for (const [, { templating }] of read) {
    const [, application, job, instance] = templating.list;
    t.is(application!['definition'], 'label_values(streams_client_info, application_id)');
    t.is(job!['definition'], 'label_values(streams_client_info{application_id="$application"}, job)');
    t.is(
      instance!['definition'],
      'label_values(streams_client_info{application_id="$application",job="$job"}, instance)',
    );
    t.is(instance!['allValue'], undefined, 'all are those that were found');
  }
});

test('panels that only Kafka, or only files, have data for say so, and are in rows of their own', (t) => {
  const ofKafka = new Set(kafkaMetrics.flatMap(exposedNames));
  const only = (panel: Panel, matches: (metric: string) => boolean): boolean =>
    panel.targets.some(({ expr }) =>
      expr.split(' or ').every((alternative) => {
        const { selectors } = askedBy(alternative);
        return selectors.length === 0 || selectors.some(({ metric }) => matches(metric));
      }),
    );
  let kafka = 0;
  for (const [, dashboard] of read) {
    for (const [{ title: row }, below] of rowsOf(dashboard)) {
      for (const panel of below) {
        const onKafka = only(panel, (metric) => ofKafka.has(metric));
        t.is(panel.title.startsWith('Kafka: '), onKafka, panel.title);
        t.is(row.startsWith('Kafka: '), onKafka, `${row}: ${panel.title}`);
        const overFiles = only(panel, (metric) => /^streams_(feed|bytes_consumed)_/.test(metric));
        t.is(panel.title.startsWith('Files: '), overFiles, panel.title);
        t.is(row === 'Files', overFiles, `${row}: ${panel.title}`);
        if (onKafka) kafka++;
      }
    }
  }
  t.true(kafka > 10);
});

test('what the engine tells is on its dashboard, which knows nothing of what is computed', (t) => {
  const engine = dashboards['engine.json']!.panels.filter(isPanel).flatMap((panel) => panel.targets);
  const shown = new Set(engine.flatMap(({ expr }) => askedBy(expr).selectors.map(({ metric }) => metric)));
  for (const name of shown) t.false(name.startsWith('grid_'), name);
  // Labels and an end: for those who look for an instance, not for a graph.
  const told = new Set(['streams_client_info', 'streams_client_final']);
  for (const spec of [...engineMetrics, ...serverMetricSpecs]) {
    const { name } = spec;
    t.true(exposedNames(spec).some((each) => shown.has(each)) || told.has(name), name);
  }
});

test('what the runtime on Kafka tells is on a dashboard or in an alert', (t) => {
  const shown = new Set(targets.flatMap(({ expr }) => askedBy(expr).selectors.map(({ metric }) => metric)));
  const rules = fileOf('grafana/prometheus/rules.yml');
  for (const spec of kafkaMetrics) {
    const { name } = spec;
    // The labels of the client are for those who look for an instance, not for a graph.
    if (name !== 'streams_kafka_client_info')
      t.true(exposedNames(spec).some((each) => shown.has(each)) || rules.includes(name), name);
  }
});
