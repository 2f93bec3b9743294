import type { KafkaInstanceStats, RestoreStats } from '../runtime/kafka/kafka-stats.ts';
import { jsonResponse } from './json.ts';
import type { InstanceAnswer, OtherInstances, TasksAnswer } from './other-instances.ts';
import type { Route } from './route.ts';

/** How long what the instances have said serves others who ask, ms. */
const keptMs = 1000;

/** An instance of the application: what it has, and how it is. */
interface InstanceFigures extends KafkaInstanceStats {
  /** Its state; null where it does not answer. */
  readonly state: string | null;
  /** Why it does not answer. */
  readonly problem?: string;
  /** Records before the ends of what it reads; null where that is not known of all. */
  readonly behind: number | null;
  /** Letters that it has sent since it began. */
  readonly deadLetters: number | null;
  readonly lateLetters: number | null;
}

/** A task of the application, wherever it is. What is not known now is null. */
interface TaskFigures {
  readonly taskId: string;
  /** Of the instance that has it. */
  readonly endpoint: string;
  /** `moving`: its instance has been given it, and is not at work on it yet; `unknown`: that instance does not answer. */
  readonly status: string;
  readonly restore?: RestoreStats;
  readonly topics: readonly string[];
  readonly partition: number;
  readonly processed: number | null;
  readonly streamTimeMs: number | null;
  readonly dropped: Readonly<Record<string, number>> | null;
  readonly behind: number | null;
}

/**
 * `/application`: all instances and tasks of an application on Kafka, as the assignment of this instance has them and as each tells of its own.
 *
 * An instance that does not answer within 2 s is there with the reason, and its tasks with nothing but their names.
 */
export function applicationRoute(own: () => TasksAnswer, others: OtherInstances): Route {
  let kept: { readonly atMs: number; readonly view: Promise<object> } | undefined;
  return {
    path: '/application',
    summary: 'All instances, tasks and positions of the application on Kafka',
    query: {},
    async handle() {
      const atMs = performance.now();
      if (kept === undefined || atMs - kept.atMs >= keptMs) kept = { atMs, view: applicationView(own(), others) };
      return jsonResponse(await kept.view);
    },
  };
}

async function applicationView(own: TasksAnswer, others: OtherInstances): Promise<object> {
  const instances = [...own.kafka.instances].sort(
    (a, b) => Number(b.own) - Number(a.own) || (a.endpoint < b.endpoint ? -1 : 1),
  );
  const answers = await Promise.all(
    instances.map((each): InstanceAnswer<TasksAnswer> | Promise<InstanceAnswer<TasksAnswer>> =>
      each.own ? { answer: own } : others.figures(each.endpoint),
    ),
  );
  const tasks = instances.flatMap((instance, i) => tasksOf(instance, answers[i]!));
  return {
    instances: instances.map((instance, i) => figuresOf(instance, answers[i]!, tasks)),
    tasks: tasks.sort(byTask),
    inputs: instances
      .flatMap(({ active }, i) => inputsOf(answers[i]!).filter(({ taskId }) => active.includes(taskId)))
      .sort(byTask),
  };
}

function byTask(a: { readonly taskId: string }, b: { readonly taskId: string }): number {
  return a.taskId.localeCompare(b.taskId, 'en', { numeric: true });
}

function inputsOf(found: InstanceAnswer<TasksAnswer>): TasksAnswer['kafka']['inputs'] {
  return 'answer' in found ? found.answer.kafka.inputs : [];
}

function tasksOf({ endpoint, active }: KafkaInstanceStats, found: InstanceAnswer<TasksAnswer>): TaskFigures[] {
  return active.map((taskId) => {
    const nothing = { topics: [], partition: Number(taskId.split('_')[1]), processed: null };
    const unknown = { taskId, endpoint, ...nothing, streamTimeMs: null, dropped: null, behind: null };
    if ('problem' in found) return { ...unknown, status: 'unknown' };
    const { tasks, kafka } = found.answer;
    const task = tasks.find((each) => each.taskId === taskId);
    const known = kafka.tasks?.find((each) => each.taskId === taskId && each.kind === 'active');
    const status = known?.status ?? (task === undefined ? 'moving' : 'running');
    const how = { status, ...(known?.restore && { restore: known.restore }) };
    if (task === undefined) return { ...unknown, ...how };
    const { topics, partition, processed, streamTimeMs, dropped } = task;
    const lags = kafka.inputs.filter((input) => input.taskId === taskId).map(({ lag }) => lag);
    return { taskId, endpoint, ...how, topics, partition, processed, streamTimeMs, dropped, behind: sumOf(lags) };
  });
}

function figuresOf(
  instance: KafkaInstanceStats,
  found: InstanceAnswer<TasksAnswer>,
  tasks: readonly TaskFigures[],
): InstanceFigures {
  if ('problem' in found) {
    const { problem } = found;
    return { ...instance, state: null, problem, behind: null, deadLetters: null, lateLetters: null };
  }
  const { state, kafka } = found.answer;
  const own = tasks.filter(({ taskId }) => instance.active.includes(taskId));
  return {
    ...instance,
    state,
    // Who has no task is behind nobody.
    behind: own.length === 0 ? 0 : sumOf(own.map(({ behind }) => behind)),
    deadLetters: Object.values(kafka.deadLetters).reduce((sum, count) => sum + count, 0),
    lateLetters: kafka.lateLetters,
  };
}

/** Null where one is not known, or there is none. */
function sumOf(counts: readonly (number | null)[]): number | null {
  if (counts.length === 0) return null;
  return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
}
