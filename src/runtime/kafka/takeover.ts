import { isDeepStrictEqual } from 'node:util';
import type { BrokerProducer, GroupMember, OffsetToCommit } from '../../clients/broker.ts';
import { exitCodeOf, StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Topology } from '../../topology/topology.ts';
import { toldIfPassedOver } from '../record-failure.ts';
import { StreamTask } from '../stream-task.ts';
import { type TaskId, taskIdText } from '../task.ts';
import { TopologyEngine } from '../topology-engine.ts';
import { type TopicsNow, topicsFrom } from './application-topics.ts';
import type { BegunAnew } from './begun-anew.ts';
import { changeSerde } from './change-serde.ts';
import { changelogWriter } from './changelog.ts';
import { ChangelogFollower, type ChangelogReader } from './changelog-follower.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import { type CommittedTask, committedTasks, hadStore, hasCommitted, namesOf } from './committed-tasks.ts';
import { prepareCopy } from './copy-check.ts';
import { emptyStore } from './empty-store.ts';
import { catchUpWithGlobals } from './global-joins.ts';
import type { GlobalTables } from './global-tables.ts';
import { changesOfGroup, refuseOtherStores } from './group-program.ts';
import { InputBuffer } from './input-buffer.ts';
import { changelogTopic, transactionalId } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { type LetterTopics, LetterWriter } from './letter-topics.ts';
import { checkTask, refuseOrAccept } from './loss-check.ts';
import { positionsError, type TopicRole } from './loss-errors.ts';
import type { OutputCounts } from './output-counts.ts';
import { BrokerSinkNode } from './sink-nodes.ts';
import type { SavedCommit, TaskFolder } from './task-folder.ts';
import { TaskInputs } from './task-inputs.ts';
import { decodeTaskMetadata, hasClocksOf, type TaskMetadata, type TaskNames } from './task-metadata.ts';
import { programOf } from './task-program.ts';
import { marksOf } from './topic-marks.ts';
import { type TaskInput, topicOnBroker } from './topics-plan.ts';
import { type KafkaTask, TransactionLog } from './transaction-log.ts';

/** What taking a task over needs of its client. */
export interface TakeoverContext {
  readonly topology: Topology;
  readonly options: FilledOptions;
  readonly member: GroupMember;
  readonly changelogs: ChangelogReader;
  readonly globals: GlobalTables;
  readonly letters: LetterTopics;
  readonly outputs: OutputCounts;
  /** Partitions of every topic that is written to, by its name on the broker. */
  readonly partitionsOf: ReadonlyMap<string, number>;
  /** ms after which a copy may have missed deletions. */
  readonly deleteRetentionMs: number;
  readonly cacheIsFull: () => boolean;
  readonly watch: ClusterWatch;
  readonly roles: ReadonlyMap<string, TopicRole>;
  /** Whether the application had committed or written anything before this client began. */
  readonly hasRun: boolean;
  /** {@link begunAnew}, those that this client has not begun yet. */
  readonly begunAnew: Map<string, BegunAnew>;
  /** Partitions that came to a topic since then, by topic the first of them. */
  readonly newFrom: ReadonlyMap<string, number>;
}

/** Told how a takeover goes. */
export interface TakeoverSteps {
  /** Throws when the task is wanted no more. */
  check(): void;
  restoring(follower: ChangelogFollower): void;
}

/** A changelog record of nobody's: under at_least_once it makes the broker refuse what an earlier owner still sends. */
const fenceKey = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.from('weir-fence'), Buffer.alloc(12)]);

/**
 * Takes a task over: fences its earlier owner, reads what is committed, restores the stores up to there, and gives the task ready to go on from there.
 *
 * The order is what makes it exact: after the fence nothing of the earlier owner can be committed any more, so positions and ends read after it are final.
 */
export async function takeOver(
  id: TaskId,
  folder: TaskFolder,
  context: TakeoverContext,
  steps: TakeoverSteps,
): Promise<KafkaTask> {
  const { options, member, topology } = context;
  const taskId = taskIdText(id);
  const part = topology.subTopology(id.subTopology);
  const place = { admin: options.broker.admin, applicationId: options.applicationId };
  // A process that was stopped between the assignment and here must not fence the present owner.
  if (!(await member.confirm())) throw migrated(taskId);
  steps.check();
  const refusals: StreamsError[] = [];
  const producer = newProducer(folder, context, refusals);
  try {
    await producer.init();
    steps.check();
    if (options.guarantee === 'at_least_once') await fenceChangelogs(producer, folder);
    const [committed] = (await committedTasks(topology, [id], place)) as [CommittedTask];
    const { applicationId } = options;
    refuseOtherStores(changesOfGroup(topology, [committed], applicationId), topology, applicationId);
    const anew = context.begunAnew.get(taskId);
    // Another instance that started with this one may have begun it meanwhile: then it goes on.
    const begins = isDeepStrictEqual(anew?.committed, committed.committed) ? anew?.begins : undefined;
    const inputs = await beginnings(committed, context, begins);
    steps.check();
    const now = await context.watch.look();
    const accepted = await checkTask(committed, { ...context, now }, options);
    steps.check();
    await restore(folder, committed, now, context, steps);
    steps.check();
    const lost = begins === undefined && (await checkRows(committed, folder, options));
    let emptied = false;
    for (const spec of folder.specs)
      if (begins !== undefined || (hasCommitted(committed) && !hadStore(committed, spec.name, options.applicationId)))
        emptied = (await emptyStore(folder, spec, producer, options)) || emptied;
    steps.check();
    const returns = begins !== undefined && (emptied || hasCommitted(committed));
    const task = await makeTask(
      id,
      folder,
      { producer, refusals, topics: marksOf(topicsFrom(topology, options.applicationId, part), now.ids) },
      { inputs, committed, accepted: accepted || lost || returns || emptied },
      context,
    );
    try {
      steps.check();
      await catchUpWithGlobals(task, context);
      steps.check();
      // Where rows may be written before the position is: without one, rows would be those of positions that were lost.
      if (options.guarantee === 'at_least_once' && !hasCommitted(committed) && folder.specs.length > 0)
        await task.commit();
      steps.check();
      const operatorTimeMs = Math.min(Number.POSITIVE_INFINITY, ...Object.values(task.committedOperatorTimes));
      await folder.markComplete(operatorTimeMs, savedCommit(committed) ?? folder.commit);
      if (returns) await task.commit();
      context.begunAnew.delete(taskId);
      return task;
    } catch (error) {
      await task.close();
      throw error;
    }
  } catch (error) {
    await producer.close();
    // What looks like a loss to a former owner may be the work of the present one, which commits and deletes what it has read.
    if (StreamsError.is(error) && exitCodeOf(error) === 3 && !(await member.confirm())) throw migrated(taskId);
    throw error;
  }
}

/** What the copy stands for once it is restored; undefined where nothing is committed. */
function savedCommit({ committed, metadata }: CommittedTask): SavedCommit | undefined {
  const positions = committed.flatMap((each) => each?.offset ?? []);
  return positions.length < committed.length ? undefined : { positions, metadata };
}

/** The error of a task that is another instance's by now. */
export function migrated(taskId: string): StreamsError {
  return new StreamsError(
    'STREAMS_TASK_MIGRATED',
    `task ${taskId} was given to another instance. Nothing is lost: it goes on there from the last commit.`,
    { taskId },
  );
}

/** @param refusals - gets the error for a record that the broker refuses, where that is to be the end */
function newProducer(
  { taskId, positions }: TaskFolder,
  { options }: TakeoverContext,
  refusals: StreamsError[],
): BrokerProducer {
  const { applicationId, guarantee, transactionTimeoutMs, compression } = options;
  return options.broker.producer({
    transactionalId: transactionalId(applicationId, taskId),
    transactional: guarantee === 'exactly_once',
    transactionTimeoutMs,
    compression,
    refused: ({ topic, partition, reason }) => {
      // A row that a changelog lacks is there until the store is restored, and then it never was: nobody may pass that over.
      const isChangelog = positions.has(topic);
      const others = isChangelog ? '' : ', or let production.exception.handler continue';
      const error = new StreamsError(
        'STREAMS_PRODUCTION',
        `the broker refuses a record for ${topic} (partition ${partition}): ${reason}. Change the topic's limits${others}.`,
        { topic, partition, taskId },
      );
      const answer = isChangelog ? 'fail' : options.productionHandler(error);
      if (answer === 'fail') refusals.push(error);
      return answer;
    },
  });
}

async function fenceChangelogs(producer: BrokerProducer, folder: TaskFolder): Promise<void> {
  for (const topic of folder.positions.keys())
    producer.append(topic, folder.partition, Date.now(), fenceKey, undefined);
  await producer.commit();
}

/** An input of a task, and where it begins. */
interface BegunInput extends TaskInput {
  readonly offset: number;
  /** It begins where its topic ended just now: asked again, that is elsewhere. */
  readonly atEnd: boolean;
}

/**
 * Where the inputs of a task begin.
 *
 * @param begins - Where those begin of a task that the application did without until now, if that is not where it was.
 */
async function beginnings(
  { id: { partition }, inputs: names, committed }: CommittedTask,
  { options, newFrom }: TakeoverContext,
  begins: ReadonlyMap<string, number> | undefined,
): Promise<readonly BegunInput[]> {
  const { broker } = options;
  const inputs: BegunInput[] = [];
  for (const [i, input] of names.entries()) {
    const before = committed[i];
    const offset = begins?.get(input.topic) ?? before?.offset ?? (await firstOffset(input, partition));
    inputs.push({ ...input, offset, atEnd: before === undefined && resetOf(input) === 'latest' });
  }
  return inputs;

  function resetOf({ topic, internal }: TaskInput): typeof options.autoOffsetReset {
    // Nothing was in a partition that has just come to its topic: all that it holds came since.
    const isNew = partition >= (newFrom.get(topic) ?? Number.POSITIVE_INFINITY);
    return internal || isNew ? 'earliest' : options.autoOffsetReset;
  }

  async function firstOffset(input: TaskInput, of: number): Promise<number> {
    const { topic } = input;
    const reset = resetOf(input);
    if (reset === 'none')
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${topic} (partition ${of}) has no committed position, and auto.offset.reset is none. Set it to earliest or latest, or commit a position.`,
        { topic, partition: of },
      );
    const [offset] = await broker.admin.offsets([{ topic, partition: of }], reset === 'latest' ? 'stable' : 'earliest');
    return offset!;
  }
}

async function restore(
  folder: TaskFolder,
  task: CommittedTask,
  { ids }: TopicsNow,
  context: TakeoverContext,
  steps: TakeoverSteps,
): Promise<void> {
  const { options, changelogs } = context;
  if (folder.positions.size === 0) return;
  const listener = options.restoreListener;
  const restoreOnce = async (): Promise<void> => {
    const { starts, ends } = await prepareCopy(folder, { ids, task }, context, 'stable');
    steps.check();
    if ([...ends].some(([topic, end]) => folder.positions.get(topic)! < end)) await folder.markIncomplete();
    const follower = new ChangelogFollower(changelogs, folder, options.applicationId, starts, (progress, records) =>
      listener.onBatchRestored?.(progress, records),
    );
    steps.restoring(follower);
    for (const progress of follower.progress) {
      progress.endOffset = ends.get(progress.topic) ?? 0;
      listener.onRestoreStart?.(progress);
    }
    await follower.restoreTo(ends);
    for (const progress of follower.progress) listener.onRestoreEnd?.(progress);
  };
  try {
    await restoreOnce();
  } catch (error) {
    if (!StreamsError.is(error) || error.code !== 'STREAMS_STATE_STORE_CORRUPT') throw error;
    options.logger.warn({ taskId: folder.taskId, error }, 'the copy of the state is rebuilt');
    await folder.wipe();
    await restoreOnce();
  }
}

/** Rows without a position: what they were counted from would be counted into them again. */
async function checkRows(task: CommittedTask, folder: TaskFolder, options: FilledOptions): Promise<boolean> {
  if (folder.specs.length === 0 || hasCommitted(task) || !(await folder.hasRows())) return false;
  const { id, inputs } = task;
  const place = { topic: inputs[0]!.topic, partition: id.partition, taskId: taskIdText(id) };
  refuseOrAccept(positionsError(place, 'the group has no position of it any more'), options);
  return true;
}

async function makeTask(
  id: TaskId,
  folder: TaskFolder,
  {
    producer,
    refusals,
    topics,
  }: { readonly producer: BrokerProducer; readonly refusals: readonly StreamsError[]; readonly topics: string },
  {
    inputs: begun,
    committed,
    accepted,
  }: { readonly inputs: readonly BegunInput[]; readonly committed: CommittedTask; readonly accepted: boolean },
  context: TakeoverContext,
): Promise<KafkaTask> {
  const { topology, options, globals, member } = context;
  const { applicationId, guarantee } = options;
  let task: KafkaTask | undefined;
  const engine = new TopologyEngine(topology, {
    applicationId,
    database: folder.database,
    prefixOf: (store) => folder.prefixOf(store),
    tasks: [id],
    makeSink: (spec) => {
      const topic = topicOnBroker(topology, applicationId, spec.topic);
      const changes = topology.repartitions.get(spec.topic)?.changes === true;
      const valueSerde = changes ? (changeSerde(spec.valueSerde) as Serde<unknown>) : spec.valueSerde;
      return new BrokerSinkNode(
        spec,
        { topic, partitions: context.partitionsOf.get(topic)!, valueSerde },
        producer,
        context.outputs.of(topic),
      );
    },
    globalTables: globals.stores,
    changelog: (spec: StoreSpec) =>
      changelogWriter(
        spec,
        { topic: changelogTopic(applicationId, spec.name), partition: folder.partition },
        producer,
        context.outputs.of(changelogTopic(applicationId, spec.name)),
      ),
    caching: true,
    maxFutureMs: options.maxFutureMs,
    cacheMaxBytes: options.statestoreCacheMaxBytes,
    dropped: (_task, drop) => task?.dropped(drop),
    refused: (failure) => {
      if (task === undefined) throw failure;
      task.refused(failure);
    },
    failedLater: toldIfPassedOver(options.processingHandler, options.logger, { taskId: folder.taskId }),
    wallClockMs: () => Date.now(),
  });
  let metadata: TaskMetadata | undefined;
  const part = topology.subTopology(id.subTopology);
  await engine.open(() => {
    const text = committed.metadata;
    const names = { ...namesOf(topology, applicationId, part), ...engine.tasks[0]!.clockNames() };
    if (!hasClocksOf(text, names)) throw otherClocks(folder.taskId, names);
    metadata = decodeTaskMetadata(text, names);
    return metadata?.task;
  });
  const own = engine.tasks[0]!;
  const letters = new LetterWriter(context.letters, producer, context.outputs);
  const queues = begun.map(({ name, topic, offset, source }) => {
    const changes = topology.repartitions.get(name)?.changes === true;
    const reader = {
      task: own,
      source: own.sources.get(name)!,
      valueSerde: changes ? (changeSerde(source.valueSerde) as Serde<unknown>) : source.valueSerde,
      letters,
      handlers: { deserialization: options.deserializationHandler, processing: options.processingHandler },
      maxFutureMs: options.maxFutureMs,
      mostBuffered: options.bufferedRecordsPerPartition,
    };
    return new InputBuffer(reader, { topic, partition: id.partition, offset });
  });
  const fresh = !hasCommitted(committed);
  const program = programOf(topology, part);
  const isOther = !fresh && metadata !== undefined && !isDeepStrictEqual(metadata.program, program);
  const inputs = new TaskInputs(queues, options.maxTaskIdleMs, (partitions) =>
    options.broker.admin.offsets(partitions, 'stable'),
  );
  const log = new TransactionLog({
    task: own,
    inputs,
    folder,
    producer,
    letters,
    commit: async (offsets: readonly OffsetToCommit[]) => {
      try {
        if (guarantee === 'exactly_once') return await producer.commit(applicationId, offsets);
        const written = await producer.commit();
        await member.commit(offsets);
        return written;
      } catch (error) {
        // What the broker refuses once it refuses again: that is no reason to take the task anew.
        throw refusals[0] ?? error;
      }
    },
    commitIntervalMs: options.commitIntervalMs,
    transactionTimeoutMs: options.transactionTimeoutMs,
    // A task that never ran has nothing to join again.
    globalPositions: fresh ? globals.positions : (metadata?.globalPositions ?? {}),
    fresh,
    topics,
    program,
    syncWrites: options.syncWrites,
  });
  task = new StreamTask({
    taskId: folder.taskId,
    engine,
    source: inputs,
    log,
    cacheIsFull: context.cacheIsFull,
    // What the next owner is told of this program it is told before anything else.
    commitsAtOnce: accepted || isOther || begun.some(({ atEnd }) => atEnd) || (fresh && guarantee === 'at_least_once'),
  });
  return task;
}

function otherClocks(taskId: string, { operators, inputs }: TaskNames): StreamsError {
  const shown = (names: readonly string[]): string => (names.length === 0 ? 'none' : [...names].sort().join(', '));
  return new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `what the group has committed for task ${taskId} is of a program with other windowed or suppressed stores, or other topics, than this one's (${shown(operators)}; ${shown(inputs)}), and it has no names: a version before 1.0 committed it, or there was no room for them. ` +
      'Let this version run the program that committed it once, and then this one; or run this one under another application id, or after weir reset.',
    { taskId },
  );
}
