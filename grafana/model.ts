import type { FieldConfig, VariableOption } from '@grafana/schema/apis/dashboard.grafana.app/v2';

/** Where a panel's data come from. */
export interface DataSource {
  readonly type: 'prometheus';
  readonly uid: string;
}

/** One expression of a panel. */
export interface Target {
  readonly refId: string;
  readonly datasource: DataSource;
  readonly expr: string;
  readonly legendFormat: string;
  readonly editorMode: 'code';
  readonly instant: boolean;
  readonly range: boolean;
}

/** Place and size: the grid has 24 columns. */
export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A heading over the panels below it. */
export interface Row {
  readonly id: number;
  readonly type: 'row';
  readonly title: string;
  readonly collapsed: false;
  readonly gridPos: GridPosition;
  readonly panels: readonly [];
}

/** A panel as Grafana's classic dashboard model has it. */
export interface Panel {
  readonly id: number;
  readonly type: 'bargauge' | 'heatmap' | 'stat' | 'timeseries';
  readonly title: string;
  readonly description: string;
  readonly datasource: DataSource;
  readonly gridPos: GridPosition;
  readonly targets: readonly Target[];
  readonly fieldConfig: {
    readonly defaults: FieldConfig & { readonly unit: string };
    readonly overrides: readonly [];
  };
  readonly options: Readonly<Record<string, unknown>>;
}

/** The values of a label, as Grafana asks Prometheus for them: `label_values(streams_tasks{job="$job"}, kind)`. */
export type LabelValues = `label_values(${string}, ${string})`;

/** A variable of a dashboard: its data source, or the values of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly type: 'datasource' | 'query';
  /** What is chosen at the start. Absent: the first that there is. */
  readonly current?: VariableOption;
  readonly includeAll: boolean;
  readonly multi: boolean;
  /** Absent for a data source. */
  readonly definition?: LabelValues;
  readonly [field: string]: unknown;
}

/** Marks on all graphs, one for each sample of an expression. */
export interface Annotation {
  readonly name: string;
  readonly datasource: DataSource;
  readonly expr: string;
  readonly titleFormat: string;
  readonly enable: true;
  readonly hide: false;
  readonly iconColor: string;
  /** Whether the sample is the time of the mark, in ms, and not the time at which the expression had one. */
  readonly useValueForTime: boolean;
}

/** A way from one dashboard to the others that have its tags. */
export interface Link {
  readonly type: 'dashboards';
  readonly title: string;
  readonly tags: readonly string[];
  readonly asDropdown: false;
  readonly includeVars: true;
  readonly keepTime: true;
}

/** A way out of the dashboards. */
export interface Address {
  readonly type: 'link';
  readonly title: string;
  readonly url: string;
  readonly icon: 'doc';
  readonly targetBlank: true;
}

/** A dashboard as Grafana's classic dashboard model has it. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly editable: false;
  /** 1: the cursor is shown in all graphs. */
  readonly graphTooltip: 0 | 1 | 2;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly timezone: string;
  readonly templating: { readonly list: readonly Variable[] };
  readonly links: readonly (Link | Address)[];
  readonly annotations: { readonly list: readonly Annotation[] };
  readonly panels: readonly (Row | Panel)[];
}
