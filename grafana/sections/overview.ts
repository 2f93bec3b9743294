import { of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { stat } from '../panels.ts';

/** Whether all is well, in one line. */
export const overview: Section = {
  title: 'Overview',
  panels: [
    stat(
      {
        title: 'Instances by state',
        description:
          'How many instances are in which state. RUNNING is the usual one; REBALANCING while tasks move and are restored.',
        unit: 'short',
      },
      [[`${totalBy('state', 'streams_client_state')} > 0`, '{{state}}']],
    ),
    stat(
      {
        title: 'Alerts firing',
        description:
          'Alerts of grafana/prometheus/rules.yml that fire now. docs/runbook.md says what to do about each.',
        unit: 'short',
      },
      [['count(ALERTS{alertstate="firing",alertname=~"Weir.*"}) or vector(0)', 'alerts']],
      { thresholds: [[1, 'red']] },
    ),
    stat(
      {
        title: 'Throughput',
        description:
          'Records processed, over all sub-topologies: an event that is repartitioned counts in each of them.',
        unit: 'recps',
      },
      [[rateBy('', 'streams_task_records_processed_total'), 'records']],
    ),
    stat(
      {
        title: 'Event time',
        description: 'The highest event time that a task has seen, in the time zone of the browser.',
        unit: 'dateTimeAsIso',
      },
      [[`max(${of('streams_task_stream_timestamp_seconds')}) * 1000`, 'event time']],
    ),
    stat(
      {
        title: 'Since the last commit',
        description: 'Results are as old as the last commit. Nothing is committed while nothing arrives.',
        unit: 's',
      },
      [[`time() - max(${of('streams_task_last_commit_timestamp_seconds')})`, 'age']],
    ),
    stat(
      {
        title: 'Errors',
        description: 'Errors that the instances reported within an hour. The Errors of the last hour have their codes.',
        unit: 'short',
      },
      [[`round(sum(increase(${of('streams_errors_total')}[1h])))`, 'errors']],
      { thresholds: [[1, 'red']] },
    ),
  ],
};
