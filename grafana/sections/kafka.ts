import { bucketsOf, growthBy, of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph, heatmap } from '../panels.ts';

/** Of an application on Kafka: what it reads from topics and writes to them. */
export const kafkaTopics: Section = {
  title: 'Kafka: topics',
  runsOn: 'kafka',
  panels: [
    graph(
      {
        title: 'Kafka: lag by topic',
        description: 'Records before the end of each topic that are not processed yet, over its partitions.',
        unit: 'short',
      },
      [[totalBy('topic', 'streams_consumer_lag_records'), '{{topic}}']],
    ),
    graph(
      {
        title: 'Kafka: lag of the partition furthest behind',
        description: 'One partition far behind the others has a hot key, or a task that is stuck.',
        unit: 'short',
      },
      [[`max by (topic) (${of('streams_consumer_lag_records')})`, '{{topic}}']],
    ),
    graph(
      {
        title: 'Kafka: lag by task',
        description:
          'Records before the end of the inputs of each task. One that grows alone is stuck, or has a hot key.',
        unit: 'short',
      },
      [[totalBy('task_id', 'streams_task_lag_records'), 'task {{task_id}}']],
    ),
    graph(
      {
        title: 'Kafka: position in each topic',
        description:
          'Sum of the positions over the partitions: flat while nothing is processed, and it falls after a reset.',
        unit: 'short',
      },
      [[totalBy('topic', 'streams_consumer_position_offset'), '{{topic}}']],
    ),
    graph(
      {
        title: 'Kafka: records written',
        description: 'Records written in a second to each changelog, repartition and output topic.',
        unit: 'recps',
      },
      [[rateBy('topic', 'streams_records_produced_total'), '{{topic}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Kafka: bytes written',
        description: 'Bytes written in a second to all topics, before compression.',
        unit: 'Bps',
      },
      [[rateBy('instance', 'streams_bytes_produced_total'), '{{instance}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Kafka: age of the newest committed event',
        description:
          'Wall clock minus the highest committed event time: what a reader of the results has to wait. Large by nature when old events are replayed.',
        unit: 's',
      },
      [[`time() - max(${of('streams_committed_event_timestamp_seconds')})`, 'age']],
    ),
    graph(
      {
        title: 'Kafka: records fetched and waiting',
        description:
          'Records of each topic fetched and not processed yet. Fetching of a partition pauses at buffered.records.per.partition.',
        unit: 'short',
      },
      [[totalBy('topic', 'streams_consumer_buffered_records'), '{{topic}}']],
    ),
  ],
};

/** Of an application on Kafka: who works on what, and commits that the broker did not take. */
export const kafkaGroup: Section = {
  title: 'Kafka: the group',
  runsOn: 'kafka',
  panels: [
    graph(
      {
        title: 'Kafka: tasks by state',
        description: 'Active tasks process; standby ones keep a copy of the state. Restoring tasks do not process yet.',
        unit: 'short',
      },
      [[totalBy('kind, state', 'streams_task_state'), '{{kind}} {{state}}']],
      { stacked: true, steps: true },
    ),
    graph(
      {
        title: 'Kafka: rebalances',
        description: 'Assignments received within one step of the graph.',
        unit: 'short',
      },
      [[growthBy('instance', 'streams_rebalances_total'), '{{instance}}']],
    ),
    graph(
      {
        title: 'Kafka: generation of the group',
        description: 'All instances are in the same one; an instance that stays behind is not a member any more.',
        unit: 'short',
      },
      [[`max by (instance) (${of('streams_group_generation')})`, '{{instance}}']],
      { steps: true, fromZero: false },
    ),
    graph(
      {
        title: 'Kafka: time between commits',
        description:
          'How far the commits of a task are apart at most: further than commit.interval.ms while it is far behind.',
        unit: 's',
      },
      [[`max by (instance) (${of('streams_task_commit_interval_seconds')})`, '{{instance}}']],
    ),
    graph(
      {
        title: 'Kafka: commits that did not happen',
        description:
          'Within one step of the graph: failed commits, transactions given up, tasks that another instance owned already.',
        unit: 'short',
      },
      [
        [growthBy('', 'streams_task_commit_failures_total'), 'failed commits'],
        [growthBy('', 'streams_transactions_aborted_total'), 'aborted transactions'],
        [growthBy('', 'streams_tasks_migrated_total'), 'migrated tasks'],
      ],
    ),
    graph(
      {
        title: 'Kafka: tasks by thread',
        description: 'Active tasks of each stream thread of an instance. A thread that is not alive has no line.',
        unit: 'short',
      },
      [[totalBy('instance, thread', 'streams_thread_tasks', 'kind="active"'), '{{instance}} {{thread}}']],
      { steps: true },
    ),
  ],
};

/** Of an application on Kafka: local copies of the state, how they come about and how large they are. */
export const kafkaCopies: Section = {
  title: 'Kafka: restore and copies of the state',
  runsOn: 'kafka',
  panels: [
    graph(
      {
        title: 'Kafka: left to restore',
        description:
          'Changelog records that restoring tasks have still to read. A restart restores only the missing tail.',
        unit: 'short',
      },
      [[totalBy('instance', 'streams_restore_remaining_records'), '{{instance}}']],
    ),
    graph(
      { title: 'Kafka: records restored', description: 'Changelog records read back in a second.', unit: 'recps' },
      [[rateBy('instance', 'streams_restore_records_total'), '{{instance}}']],
    ),
    heatmap(
      {
        title: 'Kafka: time of restores',
        description: 'How many restores ended, and how long they took. A kept copy takes less than a second.',
        unit: 's',
      },
      bucketsOf('streams_restore_duration_seconds'),
    ),
    graph(
      {
        title: 'Kafka: standbys behind',
        description:
          'Changelog records that standbys have not read yet: what a takeover would have to restore. 0 without standbys.',
        unit: 'short',
      },
      [[`${totalBy('instance', 'streams_standby_lag_records')} or on () vector(0)`, '{{instance}}']],
    ),
    graph(
      {
        title: 'Kafka: global tables behind',
        description:
          'Records of the topics of global tables, such as the park, that the slowest instance has not applied yet. 0 without global tables.',
        unit: 'short',
      },
      [[`max by (topic) (${of('streams_global_lag_records')}) or on () vector(0)`, '{{topic}}']],
    ),
    graph(
      {
        title: 'Kafka: stores on disk',
        description: 'Bytes of each store on disk, over all instances.',
        unit: 'bytes',
      },
      [[totalBy('store', 'streams_store_size_bytes'), '{{store}}']],
      { stacked: true },
    ),
  ],
};
