import type {
  AnnotationQueryKind,
  ConditionalRenderingGroupKind,
  ConditionalRenderingVariableKind,
  DashboardLink,
  DataQueryKind,
  PanelKind,
  QueryVariableSpec,
  RowsLayoutRowKind,
  Spec,
  VariableKind,
} from '@grafana/schema/apis/dashboard.grafana.app/v2';
import { of } from './expressions.ts';
import { type RunsOn, rowsOf, type Section } from './layout.ts';
import type { Address, Annotation, Dashboard, LabelValues, Link, Panel, Row, Variable } from './model.ts';
import { dataSource } from './panels.ts';
import { labelQuery } from './variables.ts';

/** A dashboard in schema v2, which Grafana reads from 13.0 on: it can hide rows. */
export interface DynamicDashboard {
  readonly apiVersion: 'dashboard.grafana.app/v2';
  readonly kind: 'Dashboard';
  /** The uid of the classic one: either is shown at the same address. */
  readonly metadata: { readonly name: string };
  readonly spec: Spec;
}

/** A metric that an application has there, and nowhere else. */
const signs: Readonly<Record<RunsOn, string>> = { kafka: 'streams_kafka_client_info', files: 'streams_feed_files' };

const cursorSyncs = ['Off', 'Crosshair', 'Tooltip'] as const;

/**
 * The same dashboard without the rows that have no data for what the application runs on.
 *
 * @param sections - Those that the dashboard was made of.
 */
export function dynamicOf(dashboard: Dashboard, sections: readonly Section[]): DynamicDashboard {
  const rows = rowsOf(dashboard);
  const panels = rows.flatMap(([, below]) => below);
  return {
    apiVersion: 'dashboard.grafana.app/v2',
    kind: 'Dashboard',
    metadata: { name: dashboard.uid },
    spec: {
      title: dashboard.title,
      description: dashboard.description,
      tags: [...dashboard.tags],
      editable: dashboard.editable,
      cursorSync: cursorSyncs[dashboard.graphTooltip],
      preload: false,
      timeSettings: {
        ...dashboard.time,
        timezone: dashboard.timezone,
        autoRefresh: dashboard.refresh,
        autoRefreshIntervals: ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h', '2h', '1d'],
        hideTimepicker: false,
        fiscalYearStartMonth: 0,
      },
      links: dashboard.links.map(linkOf),
      annotations: dashboard.annotations.list.map(annotationOf),
      variables: [...dashboard.templating.list.map(variableOf), signOf('kafka'), signOf('files')],
      elements: Object.fromEntries(panels.map((panel) => [elementName(panel), elementOf(panel)])),
      layout: {
        kind: 'RowsLayout',
        spec: { rows: rows.map(([row, below], at) => rowOf(row, below, sections[at]?.runsOn)) },
      },
    },
  };
}

function linkOf(link: Link | Address): DashboardLink {
  const usual = { icon: 'external link', tooltip: '', asDropdown: false, targetBlank: false };
  const tags = link.type === 'dashboards' ? [...link.tags] : [];
  return { ...usual, includeVars: false, keepTime: false, ...link, tags };
}

function query(spec: Record<string, unknown>): DataQueryKind {
  return { kind: 'DataQuery', group: dataSource.type, version: 'v0', datasource: { name: dataSource.uid }, spec };
}

/** What only Prometheus understands of an annotation goes where Grafana puts it when it converts one. */
function annotationOf({
  name,
  enable,
  hide,
  iconColor,
  expr,
  titleFormat,
  useValueForTime,
}: Annotation): AnnotationQueryKind {
  const legacyOptions = { expr, titleFormat, useValueForTime };
  return { kind: 'AnnotationQuery', spec: { name, enable, hide, iconColor, query: query({}), legacyOptions } };
}

/** A variable of which nothing is chosen. `current` is obligatory: Grafana refuses a dashboard without it. */
const blank = {
  current: { text: '', value: '' },
  options: [],
  regex: '',
  includeAll: false,
  multi: false,
  hide: 'dontHide',
  skipUrlSync: false,
  allowCustomValue: true,
} satisfies Partial<QueryVariableSpec>;

function variableOf({ name, label, current = blank.current, includeAll, multi, definition }: Variable): VariableKind {
  const spec = { ...blank, name, label, current, includeAll, multi };
  return definition === undefined
    ? { kind: 'DatasourceVariable', spec: { ...spec, pluginId: dataSource.type, refresh: 'onDashboardLoad' } }
    : { kind: 'QueryVariable', spec: { ...spec, ...asked(definition) } };
}

function asked(definition: LabelValues): Pick<QueryVariableSpec, 'definition' | 'query' | 'refresh' | 'sort'> {
  return { definition, query: query(labelQuery(definition)), refresh: 'onTimeRangeChanged', sort: 'alphabeticalAsc' };
}

/** A hidden variable with the application's name where the application runs on this, and nothing where it does not. */
function signOf(runsOn: RunsOn): VariableKind {
  const spec = { ...blank, name: runsOn, hide: 'hideVariable', skipUrlSync: true, allowCustomValue: false } as const;
  const series = of(signs[runsOn], 'application_id="$application"');
  return { kind: 'QueryVariable', spec: { ...spec, ...asked(`label_values(${series}, application_id)`) } };
}

function elementName({ id }: Panel): string {
  return `panel-${id}`;
}

function elementOf({ id, title, description, type, targets, options, fieldConfig }: Panel): PanelKind {
  const queries = targets.map(({ refId, datasource: _, ...spec }) => {
    return { kind: 'PanelQuery', spec: { refId, hidden: false, query: query(spec) } } as const;
  });
  const { defaults } = fieldConfig;
  return {
    kind: 'Panel',
    spec: {
      id,
      title,
      description,
      links: [],
      data: { kind: 'QueryGroup', spec: { queries, transformations: [], queryOptions: {} } },
      // No version of the panel's plugin, as in the classic model.
      vizConfig: {
        kind: 'VizConfig',
        group: type,
        version: '',
        spec: { options, fieldConfig: { defaults, overrides: [] } },
      },
    },
  };
}

function rowOf({ title, collapsed, gridPos }: Row, panels: readonly Panel[], runsOn?: RunsOn): RowsLayoutRowKind {
  const items = panels.map((panel) => {
    const { x, y, w: width, h: height } = panel.gridPos;
    const element = { kind: 'ElementReference', name: elementName(panel) } as const;
    // The row's own grid begins below its heading.
    return { kind: 'GridLayoutItem', spec: { x, y: y - gridPos.y - gridPos.h, width, height, element } } as const;
  });
  const rule = runsOn === undefined ? {} : { conditionalRendering: shownOn(runsOn) };
  return {
    kind: 'RowsLayoutRow',
    spec: { title, collapse: collapsed, ...rule, layout: { kind: 'GridLayout', spec: { items } } },
  };
}

/** Shown where the application runs on this, and where it is not known to run on the other: rows do not vanish with Prometheus. */
function shownOn(runsOn: RunsOn): ConditionalRenderingGroupKind {
  const other = runsOn === 'kafka' ? 'files' : 'kafka';
  const items = [condition(runsOn, 'matches'), condition(other, 'notMatches')];
  return { kind: 'ConditionalRenderingGroup', spec: { visibility: 'show', condition: 'or', items } };
}

function condition(variable: RunsOn, operator: 'matches' | 'notMatches'): ConditionalRenderingVariableKind {
  return { kind: 'ConditionalRenderingVariable', spec: { variable, operator, value: '.+' } };
}
