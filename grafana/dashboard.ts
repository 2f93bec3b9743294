import { of } from './expressions.ts';
import { placed, type Section } from './layout.ts';
import type { Address, Annotation, Dashboard } from './model.ts';
import { dataSource } from './panels.ts';
import { variablesOf } from './variables.ts';

/** What makes a dashboard one of its own. */
export interface DashboardText {
  /** Part of its address: never changed. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** The application that is chosen at the start; the first one that Prometheus knows where it has no such. */
  readonly application?: string;
}

const tag = 'weir';

/** What to do about alerts: `weir grafana --runbook` says where that is. */
const runbook: Address = { type: 'link', title: 'Runbook', url: 'docs/runbook.md', icon: 'doc', targetBlank: true };

const mark = { datasource: dataSource, enable: true, hide: false } as const;

/** When something was done to the application from outside: it explains most steps in the graphs. */
const annotations: readonly Annotation[] = [
  {
    ...mark,
    name: 'Starts',
    expr: `${of('process_start_time_seconds')} * 1000`,
    titleFormat: '{{instance}} started',
    iconColor: 'blue',
    useValueForTime: true,
  },
  {
    ...mark,
    name: 'Versions',
    expr: `count by (version) (${of('streams_client_info')}) unless count by (version) (${of('streams_client_info')} offset 2m)`,
    titleFormat: 'version {{version}}',
    iconColor: 'purple',
    useValueForTime: false,
  },
  {
    ...mark,
    name: 'Rebalances (Kafka)',
    expr: `sum by (instance) (increase(${of('streams_rebalances_total')}[$__rate_interval])) > 0`,
    titleFormat: 'tasks assigned to {{instance}}',
    iconColor: 'orange',
    useValueForTime: false,
  },
];

/** A dashboard of sections, one below the other, over the instances of one application. */
export function dashboardOf({ application, ...text }: DashboardText, sections: readonly Section[]): Dashboard {
  return {
    ...text,
    tags: [tag],
    schemaVersion: 39,
    editable: false,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    timezone: 'browser',
    links: [
      { type: 'dashboards', title: 'weir', tags: [tag], asDropdown: false, includeVars: true, keepTime: true },
      runbook,
    ],
    templating: { list: variablesOf(application) },
    annotations: { list: annotations },
    panels: placed(sections),
  };
}
