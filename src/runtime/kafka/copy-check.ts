import { acceptLossOption } from '../../common/remedies.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { CommittedTask } from './committed-tasks.ts';
import { changelogTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { anewError, goneError, lossError } from './loss-errors.ts';
import type { SavedCommit, TaskFolder } from './task-folder.ts';
import { type CommitBasis, leastOperatorTimeOf, sameClocks } from './task-metadata.ts';
import { TopicMarks } from './topic-marks.ts';
import { expires } from './topics-plan.ts';

/** Where a task's changelogs begin and end, by topic. */
export interface ChangelogBounds {
  readonly starts: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, number>;
}

/** What the broker says of a task: the ids of its topics, and what the group has committed. */
export interface TaskOnBroker {
  readonly ids: ReadonlyMap<string, string>;
  readonly task: CommittedTask;
}

/** What a copy is judged with. */
interface CopyContext {
  readonly options: FilledOptions;
  /** ms after which a copy may have missed deletions. */
  readonly deleteRetentionMs: number;
}

/** A changelog, and how far the copy has read it. */
interface CopiedChangelog {
  readonly spec: StoreSpec;
  readonly topic: string;
  readonly partition: number;
  readonly id: string | undefined;
  /** The id of the topic that the copy has read; undefined where it does not know. */
  readonly copiedId: string | undefined;
  readonly position: number;
  readonly start: number;
  readonly end: number;
  /** Where it ended at least when the group committed last. */
  readonly reached: number;
}

/** A broker deletes rows of windows a day after their retention. */
const day = 86_400_000;

/**
 * Asks where the changelogs begin and end, and throws a copy away that they cannot bring up to date. Where the group vouches for the changelogs, a copy that does not go with them is of another
 * life of the application. Where it does not, the copy may be all that there is left, and nothing is thrown away.
 *
 * @param end - Which end. The stable one needs a fence before: until the markers of the last commit are written it lies before what was committed.
 * @throws StreamsError `STREAMS_INTERNAL_TOPIC` where a changelog is gone, another one than before, or has lost rows that the copy has not.
 */
export async function prepareCopy(
  folder: TaskFolder,
  { ids, task }: TaskOnBroker,
  { options, deleteRetentionMs }: CopyContext,
  end: 'stable' | 'latest',
): Promise<ChangelogBounds> {
  const { admin } = options.broker;
  const basis = task.said?.basis;
  const topics = [...folder.positions.keys()];
  const missing = topics.find((topic) => !ids.has(topic));
  if (missing !== undefined) throw goneError('changelog', missing);
  const partitions = topics.map((topic) => ({ topic, partition: folder.partition }));
  const [ends, starts] = await Promise.all([admin.offsets(partitions, end), admin.offsets(partitions, 'earliest')]);
  const specs = new Map(folder.specs.map((spec) => [changelogTopic(options.applicationId, spec.name), spec]));
  const changelogs = topics.map(
    (topic, i): CopiedChangelog => ({
      spec: specs.get(topic)!,
      topic,
      partition: folder.partition,
      id: ids.get(topic),
      copiedId: folder.topicIds.get(topic),
      position: folder.positions.get(topic)!,
      start: starts[i]!,
      end: ends[i]!,
      reached: basis?.reached[specs.get(topic)!.name] ?? 0,
    }),
  );
  const operatorTimeMs = leastOperatorTimeOf(task.metadata);
  const whole = isWhole(folder.commit, task);
  const reason =
    changelogs.map((each) => uselessFor(each, basis, whole)).find((text) => text !== undefined) ??
    tooOld(folder, changelogs, deleteRetentionMs);
  const wiped = reason !== undefined && folder.savedAtMs !== undefined;
  // One that stands for the group's commit lacks nothing: behind its rows the changelogs have markers at the most.
  if (wiped || !whole)
    for (const each of changelogs) checkStartOf(wiped ? { ...each, position: 0 } : each, operatorTimeMs, options);
  if (wiped) {
    options.logger.warn({ taskId: folder.taskId, reason }, 'the copy of the state is rebuilt');
    await folder.wipe();
  }
  folder.topicIds = new Map(topics.map((topic) => [topic, ids.get(topic)!]));
  return {
    starts: new Map(topics.map((topic, i) => [topic, starts[i]!])),
    ends: new Map(topics.map((topic, i) => [topic, ends[i]!])),
  };
}

/** Whether a copy has all rows that the group's commit stands for. */
export function isWhole(commit: SavedCommit | undefined, { committed, metadata }: CommittedTask): boolean {
  if (commit === undefined) return false;
  // Another program may have committed it, whose inputs have another order.
  if (metadata !== '' && metadata === commit.metadata) return true;
  return sameClocks(metadata, commit.metadata) && committed.every((each, i) => each?.offset === commit.positions[i]);
}

/** Why the copy is of no use for a changelog that is as the group knows it. @throws StreamsError for one that is not. */
function uselessFor(changelog: CopiedChangelog, basis: CommitBasis | undefined, whole: boolean): string | undefined {
  const { spec, topic, partition, id, copiedId, position, start, end, reached } = changelog;
  const marks = new TopicMarks(basis?.topics ?? '');
  if (marks.differs(topic, id!)) throw anewError('changelog', topic);
  if (end < reached)
    throw lossError(
      'changelog',
      { topic, partition },
      `ends at ${end}, and the application has written up to ${reached}`,
    );
  // Of two that do not go together the one is right that goes with the group's commit.
  const vouched = marks.has(topic) && !whole;
  if (copiedId !== undefined && copiedId !== id && position > 0) {
    if (!vouched) throw anewError('changelog', topic);
    return 'its changelog was recreated';
  }
  if (position > end) {
    if (!vouched)
      throw lossError(
        'changelog',
        { topic, partition },
        `ends at ${end}, and a copy of the state has read up to ${position}`,
      );
    return 'it reaches further than its changelog';
  }
  if (position > 0 && position < start && expires(spec) && !whole) return 'its changelog begins later';
  return undefined;
}

function tooOld(
  { savedAtMs }: TaskFolder,
  changelogs: readonly CopiedChangelog[],
  deleteRetentionMs: number,
): string | undefined {
  if (savedAtMs === undefined || Date.now() - savedAtMs <= deleteRetentionMs) return undefined;
  return changelogs.some(({ position, end }) => position < end)
    ? 'it is so old that it may have missed deletions'
    : undefined;
}

/**
 * Compaction leaves a changelog's start where it is: what begins later has lost rows. By age only rows go whose windows are over, unless the task lives in the past.
 */
function checkStartOf(
  { spec, topic, partition, position, start }: CopiedChangelog,
  operatorTimeMs: number,
  options: FilledOptions,
): void {
  if (position >= start) return;
  const what = `begins at ${start}, and the copy of the state has read up to ${position}: the rows between are gone`;
  if (!expires(spec)) throw lossError('changelog', { topic, partition }, what);
  if (operatorTimeMs >= Date.now() - day) return;
  const error = lossError(
    'changelog',
    { topic, partition },
    `${what}, and the task stands ${operatorTimeMs < 0 ? 'at no time yet' : `at ${new Date(operatorTimeMs).toISOString()}`}: the broker, which goes by its own clock, may have deleted windows that are not over. Go on as it is with ${acceptLossOption}`,
  );
  if (!options.acceptLoss) throw error;
  options.logger.warn({ error }, `accepted: ${error.message}`);
}
