import type { LabelValues, Variable } from './model.ts';
import { dataSource, dataSourceVariable } from './panels.ts';

/** The uid under which the data source is provisioned. */
export const provisionedDataSource = 'weir-prometheus';

/**
 * What is chosen at the top of a dashboard: the data source, the application, and its job and instances.
 *
 * @param application - Chosen at the start. Absent: the first one there is.
 */
export function variablesOf(application: string | undefined): readonly Variable[] {
  return [
    {
      name: dataSourceVariable,
      label: 'Data source',
      type: 'datasource',
      query: 'prometheus',
      current: { text: 'Prometheus', value: provisionedDataSource },
      hide: 0,
      includeAll: false,
      multi: false,
      options: [],
      refresh: 1,
      regex: '',
    },
    labelValues('application', 'Application', 'label_values(streams_client_info, application_id)', {
      ...(application !== undefined && { current: { text: application, value: application } }),
      includeAll: false,
      multi: false,
    }),
    labelValues('job', 'Job', 'label_values(streams_client_info{application_id="$application"}, job)', {
      current: { text: 'weir', value: 'weir' },
      includeAll: false,
      multi: false,
    }),
    // Without a value of its own "All" is all that were found: other applications may share the job.
    labelValues(
      'instance',
      'Instance',
      'label_values(streams_client_info{application_id="$application",job="$job"}, instance)',
      { current: { text: ['All'], value: ['$__all'] }, includeAll: true, multi: true },
    ),
  ];
}

/** What Grafana keeps of a query for the values of a label. */
export function labelQuery(query: LabelValues): Record<string, unknown> {
  return { qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' };
}

function labelValues(
  name: string,
  label: string,
  query: LabelValues,
  more: Pick<Variable, 'current' | 'includeAll' | 'multi'>,
): Variable {
  return {
    name,
    label,
    type: 'query',
    datasource: dataSource,
    definition: query,
    query: labelQuery(query),
    hide: 0,
    options: [],
    // 2: asked again when the time range changes, so that an instance which is new shows up.
    refresh: 2,
    regex: '',
    sort: 1,
    ...more,
  };
}
