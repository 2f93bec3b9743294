import { join } from 'node:path';
import { StreamsError } from '../../common/errors.ts';
import { silentLogger } from '../../common/logger.ts';
import type { Topology } from '../../topology/topology.ts';
import { FolderLog } from '../folder-log.ts';
import { toldIfPassedOver } from '../record-failure.ts';
import { RunLoop } from '../run-loop.ts';
import { StateFolder } from '../state-folder.ts';
import { StreamTask } from '../stream-task.ts';
import { TopologyEngine } from '../topology-engine.ts';
import { GlobalTables } from './global-tables.ts';
import { InputBuffer } from './input-buffer.ts';
import type { FilledOptions } from './kafka-options.ts';
import { LetterWriter } from './letter-topics.ts';
import { OutputCounts } from './output-counts.ts';
import { RebuildInputs } from './rebuild-inputs.ts';
import type { RebuildPlan } from './rebuild-plan.ts';

/** ms between two commits beside the state: nobody goes on from them. */
const commitIntervalMs = 5000;

/** What was made beside the state. */
export interface MadeBeside {
  /** Rows and tasks, closed by whoever gets it. */
  readonly folder: StateFolder;
  /** Up to where the global topics are joined. */
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** Records read again, bad ones included. */
  readonly rows: number;
  /** Of these, those that could not be processed, and those that were too late: their letters were written when they were read first. */
  readonly dead: number;
  readonly late: number;
}

/**
 * Takes what was read once more through those sub-topologies that make the stores, all of them in this process, with queues in the place of the repartition topics. Nothing is written to the broker.
 *
 * @param place - A folder of its own.
 * @returns undefined if the signal came first
 */
export async function readAgain(
  plan: RebuildPlan,
  place: string,
  options: FilledOptions,
  signal: AbortSignal | undefined,
): Promise<MadeBeside | undefined> {
  const { openDatabase } = options;
  const topology = plan.topology.only(plan.behind.parts);
  const globals = await openGlobals(topology, place, options);
  try {
    await globals?.start(async () => {});
    // What changes from now on is joined again by the tasks.
    const globalPositions = globals?.positions ?? {};
    const folder = await StateFolder.open(join(place, 'stores'), { create: true, openDatabase });
    try {
      const sums = await takeAll({ plan, topology, folder, globals, options }, signal);
      if (sums !== undefined) return { folder, globalPositions, ...sums };
    } catch (error) {
      await folder.close();
      throw error;
    }
    await folder.close();
    return undefined;
  } finally {
    await globals?.close();
  }
}

async function openGlobals(
  topology: Topology,
  place: string,
  { broker, applicationId, statestoreCacheMaxBytes, logger, openDatabase }: FilledOptions,
): Promise<GlobalTables | undefined> {
  if (topology.globalTables.length === 0) return undefined;
  return GlobalTables.open(broker, {
    topology,
    applicationId,
    stateDir: place,
    settings: {},
    cacheBytes: statestoreCacheMaxBytes / 5,
    logger: silentLogger,
    joined: {},
    lost: (error) => {
      throw error;
    },
    openDatabase,
    // Told of by those who follow the table.
    unreadable: () => {},
    failed: (error) => logger.warn({ error }, 'a global table cannot be followed while stores are made anew'),
    rebuilt: () => {},
  });
}

interface Reading {
  readonly plan: RebuildPlan;
  readonly topology: Topology;
  readonly folder: StateFolder;
  readonly globals: GlobalTables | undefined;
  readonly options: FilledOptions;
}

async function takeAll(
  reading: Reading,
  signal: AbortSignal | undefined,
): Promise<Pick<MadeBeside, 'rows' | 'dead' | 'late'> | undefined> {
  const { topology, folder, options } = reading;
  const { statestoreCacheMaxBytes: cacheMaxBytes, broker } = options;
  let failure: { readonly error: unknown } | undefined;
  const loop = new RunLoop({
    commitIntervalMs,
    cacheMaxBytes,
    failed: (_task, error) => {
      failure ??= { error };
      loop.stop();
    },
  });
  const log = new FolderLog(folder, topology, {
    applicationId: options.applicationId,
    partitions: 1,
    settings: {},
    create: true,
    syncWrites: false,
    commitIntervalMs,
    idleAtMs: () => Number.NEGATIVE_INFINITY,
    logger: silentLogger,
  });
  const engine = makeEngine(reading, log, () => task);
  await engine.open(await log.open(engine.tasks));
  const source = makeInputs(reading, engine);
  const cacheIsFull = (): boolean => loop.cacheIsFull;
  const task: StreamTask<RebuildInputs, FolderLog> = new StreamTask({
    ...{ taskId: 'rebuild', engine, source, log, cacheIsFull, cacheMaxBytes },
  });
  loop.add(task);
  const stop = (): void => loop.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    source.begin(broker, () => loop.wake());
    if (signal?.aborted !== true && !source.ended) await loop.run();
    if (failure !== undefined) throw failure.error;
    if (signal?.aborted === true) return undefined;
    await task.commit(true);
    const sums = { rows: source.consumed, dead: 0, late: 0 };
    for (const { dropped } of engine.tasks.map((each) => each.work()))
      for (const [reason, count] of Object.entries(dropped)) sums[reason === 'late' ? 'late' : 'dead'] += count;
    return sums;
  } finally {
    signal?.removeEventListener('abort', stop);
    await source.close();
    await task.close();
  }
}

function makeEngine(
  { plan, topology, folder, globals, options }: Reading,
  log: FolderLog,
  task: () => StreamTask,
): TopologyEngine {
  return new TopologyEngine(topology, {
    applicationId: options.applicationId,
    database: folder.database,
    prefixOf: (store, partition) => log.prefixOf(store, partition),
    tasks: plan.topics.tasks.filter(({ subTopology }) => plan.behind.parts.has(subTopology)),
    ...(globals === undefined ? {} : { globalTables: globals.stores }),
    caching: true,
    maxFutureMs: options.maxFutureMs,
    cacheMaxBytes: options.statestoreCacheMaxBytes,
    output: () => {},
    dropped: (_task, drop) => task().dropped(drop),
    refused: (failure) => task().refused(failure),
    failedLater: toldIfPassedOver(options.processingHandler, options.logger),
    wallClockMs: () => Date.now(),
  });
}

function makeInputs({ plan, options }: Reading, engine: TopologyEngine): RebuildInputs {
  // Without topics letters are counted and go nowhere: they were written when the records were read first.
  const producer = options.broker.producer({ transactional: false });
  const letters = new LetterWriter({ dead: undefined, late: undefined }, producer, new OutputCounts());
  const queues = plan.inputs.map((range) => {
    const reader = engine.readersOf(range.topic)[range.partition];
    if (reader === undefined)
      throw new StreamsError(
        'STREAMS_PARTITION_MISMATCH',
        `${range.topic} has no partition ${range.partition} any more.`,
        { topic: range.topic, partition: range.partition },
      );
    const { task, source } = reader;
    return new InputBuffer(
      {
        task,
        source,
        valueSerde: source.spec.valueSerde,
        letters,
        handlers: { deserialization: options.deserializationHandler, processing: options.processingHandler },
        maxFutureMs: options.maxFutureMs,
        mostBuffered: options.bufferedRecordsPerPartition,
      },
      range,
    );
  });
  return new RebuildInputs(queues, plan.inputs);
}
