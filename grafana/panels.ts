import type { FieldConfig, ThresholdsConfig } from '@grafana/schema/apis/dashboard.grafana.app/v2';
import type { DataSource, Panel, Target } from './model.ts';

/** Name of the variable that holds the data source. */
export const dataSourceVariable = 'DS';

/** The data source that is chosen at the top of the dashboard. */
export const dataSource: DataSource = { type: 'prometheus', uid: `$\{${dataSourceVariable}}` };

/** Name and meaning of what a panel shows. */
export interface PanelText {
  readonly title: string;
  /** Says what the numbers mean; shown behind the panel's (i). */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
}

/** An expression and what its series are called, such as `{{topic}}`. */
export type Series = readonly [expr: string, legend: string];

/** A panel that has no place yet. */
export type Unplaced = Omit<Panel, 'id' | 'gridPos'> & { readonly width: number; readonly height: number };

/** From which value on a colour holds. */
export type Thresholds = readonly (readonly [from: number, color: string])[];

/** How a panel differs from the usual one of its type. */
export interface PanelOptions {
  /** Columns, of 24. */
  readonly width?: number;
  readonly thresholds?: Thresholds;
}

/** Numbers as they are now, one for each series. */
export function stat(text: PanelText, series: readonly Series[], options: PanelOptions = {}): Unplaced {
  return {
    ...common('stat', text, series, true),
    width: options.width ?? 4,
    height: 4,
    fieldConfig: fieldConfig(text.unit, { thresholds: thresholds(options.thresholds ?? []) }),
    options: {
      colorMode: options.thresholds === undefined ? 'none' : 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      reduceOptions: lastValue,
      textMode: 'auto',
      wideLayout: true,
    },
  };
}

/** Curves over time. */
export function graph(
  text: PanelText,
  series: readonly Series[],
  options: PanelOptions & { readonly stacked?: boolean; readonly steps?: boolean; readonly fromZero?: boolean } = {},
): Unplaced {
  const { stacked = false, steps = false, fromZero = true } = options;
  const custom = {
    drawStyle: 'line',
    fillOpacity: stacked ? 40 : 10,
    lineInterpolation: steps ? 'stepAfter' : 'linear',
    lineWidth: 1,
    showPoints: 'never',
    stacking: { group: 'A', mode: stacked ? 'normal' : 'none' },
  };
  return {
    ...common('timeseries', text, series, false),
    width: options.width ?? 8,
    height: 8,
    fieldConfig: fieldConfig(text.unit, { ...(fromZero && { min: 0 }), custom, ...pagesOf(series) }),
    options: {
      legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

/** How a histogram's values are spread, over time: the more of them, the stronger the colour. */
export function heatmap(text: PanelText, expr: string, options: PanelOptions = {}): Unplaced {
  return {
    ...common('heatmap', text, [[expr, '{{le}}']], false),
    width: options.width ?? 8,
    height: 8,
    fieldConfig: { defaults: { unit: text.unit }, overrides: [] },
    options: {
      calculate: false,
      cellGap: 1,
      color: { exponent: 0.5, mode: 'scheme', scheme: 'Blues', steps: 64 },
      legend: { show: true },
      rowsFrame: { layout: 'le' },
      tooltip: { mode: 'single', yHistogram: true },
      yAxis: { axisPlacement: 'left', unit: text.unit },
    },
  };
}

/** A bar for each series, as of now, the names at the left. */
export function bars(text: PanelText, series: readonly Series[], options: PanelOptions = {}): Unplaced {
  return {
    ...common('bargauge', text, series, true),
    width: options.width ?? 8,
    height: 8,
    fieldConfig: fieldConfig(text.unit, { min: 0, thresholds: thresholds([]) }),
    options: {
      displayMode: 'basic',
      namePlacement: 'left',
      orientation: 'horizontal',
      reduceOptions: lastValue,
      showUnfilled: true,
      sizing: 'auto',
      valueMode: 'color',
    },
  };
}

/** A click on the curve of an instance leads to its page. */
function pagesOf(series: readonly Series[]): FieldConfig {
  if (!series.some(([, legend]) => legend.includes('{{instance}}'))) return {};
  const instance = `$\{__field.labels.instance}`;
  return { links: [{ title: `Page of ${instance}`, url: `http://${instance}/`, targetBlank: true }] };
}

const lastValue = { calcs: ['lastNotNull'], fields: '', values: false };

function common(
  type: Panel['type'],
  { title, description }: PanelText,
  series: readonly Series[],
  instant: boolean,
): Pick<Panel, 'type' | 'title' | 'description' | 'datasource' | 'targets'> {
  const targets = series.map(([expr, legendFormat], i): Target => {
    const refId = String.fromCharCode('A'.charCodeAt(0) + i);
    return { refId, datasource: dataSource, expr, legendFormat, editorMode: 'code', instant, range: !instant };
  });
  return { type, title, description, datasource: dataSource, targets };
}

function fieldConfig(unit: string, more: FieldConfig): Panel['fieldConfig'] {
  return { defaults: { unit, color: { mode: 'palette-classic' }, ...more }, overrides: [] };
}

function thresholds(steps: Thresholds): ThresholdsConfig {
  const from = steps.map(([value, color]) => ({ color, value }));
  return { mode: 'absolute', steps: [{ color: 'green', value: null }, ...from] };
}
