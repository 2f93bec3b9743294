import type { MetricCollector, MetricSpec } from '../../../src/observability/metric-collector.ts';
import type { ImportReport } from './import-park.ts';
import type { LastImport } from './park-target.ts';

/** Metrics of scheduled imports. */
export const importMetricSpecs: readonly MetricSpec[] = [
  {
    name: 'grid_park_import_last_success_timestamp_seconds',
    type: 'gauge',
    help: 'When the park was last imported, seconds since the epoch; 0: never',
    labels: [],
  },
  {
    name: 'grid_park_import_last_attempt_timestamp_seconds',
    type: 'gauge',
    help: 'When an import last began, seconds since the epoch',
    labels: [],
  },
  {
    name: 'grid_park_import_last_duration_seconds',
    type: 'gauge',
    help: 'How long the last import took',
    labels: [],
  },
  { name: 'grid_park_import_attempts_total', type: 'counter', help: 'Imports that ended', labels: ['outcome'] },
  {
    name: 'grid_park_import_rows',
    type: 'gauge',
    help: 'Rows of each table in the last import that succeeded',
    labels: ['table'],
  },
  {
    name: 'grid_park_import_equipments',
    type: 'gauge',
    help: 'Equipments by what had become of them in the last import that succeeded',
    labels: ['change'],
  },
  {
    name: 'grid_park_import_quarantined_rows',
    type: 'gauge',
    help: 'Rows that the last import left out as faulty',
    labels: [],
  },
];

/** How scheduled imports went: what `/metrics` says of them. */
export class ImportStatus implements MetricCollector {
  readonly metrics: readonly MetricSpec[] = importMetricSpecs;
  readonly #outcomes = { success: 0, failure: 0 };
  #lastSuccessMs = 0;
  #lastAttemptMs: number | undefined;
  #report: ImportReport | undefined;
  #rows: Readonly<Record<string, number>> = {};

  /** What is remembered of imports before this process. */
  remember(last: LastImport | undefined): void {
    if (last === undefined) return;
    this.#lastSuccessMs = Date.parse(last.at);
    this.#rows = last.rows;
  }

  began(): void {
    this.#lastAttemptMs = Date.now();
  }

  succeeded(report: ImportReport): void {
    this.#lastSuccessMs = Date.now();
    this.#report = report;
    this.#rows = report.rows;
    this.#outcomes.success++;
  }

  failed(): void {
    this.#outcomes.failure++;
  }

  collect(set: (name: string, labels: Readonly<Record<string, string>>, value: number) => void): void {
    set('grid_park_import_last_success_timestamp_seconds', {}, this.#lastSuccessMs / 1000);
    if (this.#lastAttemptMs !== undefined)
      set('grid_park_import_last_attempt_timestamp_seconds', {}, this.#lastAttemptMs / 1000);
    for (const [outcome, count] of Object.entries(this.#outcomes))
      set('grid_park_import_attempts_total', { outcome }, count);
    for (const [table, rows] of Object.entries(this.#rows)) set('grid_park_import_rows', { table }, rows);
    if (this.#report === undefined) return;
    const { seconds, difference, quarantined } = this.#report;
    set('grid_park_import_last_duration_seconds', {}, seconds);
    for (const [change, count] of Object.entries(difference)) set('grid_park_import_equipments', { change }, count);
    set('grid_park_import_quarantined_rows', {}, quarantined);
  }
}
