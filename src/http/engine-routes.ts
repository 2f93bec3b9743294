import type { MetricsSource } from '../observability/metric-collector.ts';
import type { EngineStats, TaskStats } from '../runtime/engine-stats.ts';
import type { KafkaStats } from '../runtime/kafka/kafka-stats.ts';
import { applicationRoute } from './application-route.ts';
import { jsonResponse } from './json.ts';
import { newestFirst, type OtherInstances, type TasksAnswer } from './other-instances.ts';
import { HttpProblem } from './problem.ts';
import type { Route } from './route.ts';
import { type ServedEngine, type TopologyFormat, topologyFormats } from './served-engine.ts';

/** What an engine says of itself: its metrics, health, topology and tasks. */
export function engineRoutes(engine: ServedEngine, metrics: MetricsSource, others: OtherInstances): readonly Route[] {
  return [
    metricsRoute(metrics),
    ...healthRoutes(engine),
    {
      path: '/topology',
      summary: 'The topology as text, Mermaid diagram or JSON',
      query: { format: { description: 'How it is written.', values: topologyFormats } },
      handle({ query }) {
        const format = (query.format ?? 'text') as TopologyFormat;
        const contentType = format === 'json' ? 'application/json' : 'text/plain; charset=utf-8';
        return new Response(engine.describeTopology(format), { headers: { 'content-type': contentType } });
      },
    },
    {
      path: '/tasks',
      summary: 'Tasks, inputs, positions and commits',
      query: {},
      handle: () => jsonResponse(engineFigures(engine)),
    },
    {
      path: '/letters',
      summary: 'Some dead and late records that this process has met lately, newest first',
      query: {
        kind: { description: 'Those of one kind only.', values: ['dead', 'late'] },
        of: { description: 'application: those that the other instances have met too.', values: ['application'] },
      },
      async handle({ query }) {
        const all = [...(engine.letters?.() ?? []), ...(engine.kafka?.().letters ?? [])];
        const { applicationId } = engine.stats();
        const own = all.filter(({ kind }) => query.kind === undefined || kind === query.kind);
        if (query.of === undefined) return jsonResponse({ applicationId, letters: newestFirst(own) });
        const { letters, problems } = await others.letters(query.kind);
        return jsonResponse({ applicationId, letters: newestFirst([...own, ...letters]), problems });
      },
    },
    ...(engine.kafka === undefined ? [] : [applicationRoute(() => engineFigures(engine) as TasksAnswer, others)]),
  ];
}

/** The answer of `/tasks`. */
export function engineFigures(engine: ServedEngine): object {
  return { ...tasksView(engine.stats()), ...kafkaView(engine.kafka?.()) };
}

/** `/metrics`. */
export function metricsRoute(metrics: MetricsSource): Route {
  return {
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    query: {},
    async handle() {
      const { body, contentType } = await metrics.text();
      return new Response(body, { headers: { 'content-type': contentType } });
    },
  };
}

function healthRoutes(engine: ServedEngine): readonly Route[] {
  return [
    {
      path: '/healthz',
      summary: 'Whether the engine is alive: 503 in state ERROR',
      query: {},
      handle() {
        const { state } = engine.stats();
        if (state !== 'ERROR') return jsonResponse({ state });
        throw new HttpProblem('HTTP_NOT_READY', 'The engine has failed; its log says why.', { state });
      },
    },
    {
      path: '/readyz',
      summary: 'Whether results are served and up to date: 200 in state RUNNING only',
      query: {},
      handle() {
        const { state, tasks } = engine.stats();
        const body = { state, tasks: tasks.map(readiness) };
        if (state === 'RUNNING') return jsonResponse(body);
        throw new HttpProblem('HTTP_NOT_READY', `The engine is in state ${state}, not RUNNING.`, body);
      },
    },
  ];
}

function readiness({ taskId, topics, partition, streamTimeMs, bufferedRecords }: TaskStats): object {
  return { taskId, topics, partition, streamTime: isoTime(streamTimeMs), bufferedRecords };
}

/** The answer of `/tasks`. Times are ms with an ISO twin for those who read it; what has not happened yet is null. */
function tasksView(stats: EngineStats): object {
  const { applicationId, state, final, commits, commitDurations, committedRows, errors } = stats;
  return {
    applicationId,
    state,
    final,
    nowMs: Date.now(),
    commits: {
      count: commits,
      seconds: commitDurations.sum,
      rows: committedRows,
      lastAtMs: stats.lastCommitAtMs ?? null,
      lastAt: isoTime(stats.lastCommitAtMs),
    },
    errors,
    tasks: stats.tasks.map((task) => ({
      taskId: task.taskId,
      topics: task.topics,
      partition: task.partition,
      processed: task.processed,
      dropped: task.dropped,
      streamTimeMs: task.streamTimeMs < 0 ? null : task.streamTimeMs,
      streamTime: isoTime(task.streamTimeMs),
      operatorTimeMs: task.operatorTimeMs,
      bufferedRecords: task.bufferedRecords,
      punctuations: task.punctuations,
    })),
    feeds: stats.feeds,
  };
}

/** What `/tasks` says more of an application on Kafka. Counters are of this process since it began; `read` leaves out what it reads of internal topics. */
function kafkaView(stats: KafkaStats | undefined): object {
  if (stats === undefined) return {};
  const { globals, instances, threads, unread, deadLetters, lateLetters, consumed, outputs, tasks } = stats;
  const atWork = tasks.map(({ taskId, kind, thread, status, restore }) => ({
    taskId,
    kind,
    thread,
    status,
    ...(restore && { restore }),
  }));
  const isInternal = (topicPartition: string): boolean => /-repartition-\d+$/.test(topicPartition);
  const read = Object.entries(consumed).reduce((sum, [of, records]) => (isInternal(of) ? sum : sum + records), 0);
  const inputs = tasks.flatMap(({ taskId, inputs: all }) =>
    all.map(({ topic, partition, position, stableEnd, lag }) => ({
      taskId,
      topic,
      partition,
      position,
      end: stableEnd < 0 ? null : stableEnd,
      lag: stableEnd < 0 ? null : lag,
    })),
  );
  const figures = {
    read,
    deadLetters,
    lateLetters,
    instances,
    threads,
    tasks: atWork,
    inputs,
    unread,
    consumed,
    outputs,
  };
  return { globals, kafka: figures };
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined || ms < 0 ? null : new Date(ms).toISOString();
}
