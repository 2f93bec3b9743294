import type { WriteBatch } from '../../../state/database.ts';
import { type BrokerProducer, type OffsetToCommit, partitionKey } from '../../clients/broker.ts';
import type { BegunCommit, CommitLog, FlushedTask } from '../commit-log.ts';
import { commitPaceMs, isLargeCommit } from '../commit-pace.ts';
import type { StreamTask } from '../stream-task.ts';
import type { Task } from '../task.ts';
import type { LetterWriter } from './letter-topics.ts';
import type { TaskFolder } from './task-folder.ts';
import type { TaskInputs } from './task-inputs.ts';
import { encodeTaskMetadata, pointerTo, samePositions } from './task-metadata.ts';
import type { TaskProgram } from './task-program.ts';

/** A task at work on Kafka. */
export type KafkaTask = StreamTask<TaskInputs, TransactionLog>;

/** What the commits of a task are made of. */
export interface TransactionLogOptions {
  readonly task: Task;
  readonly inputs: TaskInputs;
  readonly folder: TaskFolder;
  readonly producer: BrokerProducer;
  readonly letters: LetterWriter;
  /** Commits what the producer holds with these positions; gives the positions after what was written, by `topic-partition`. */
  readonly commit: (offsets: readonly OffsetToCommit[]) => Promise<ReadonlyMap<string, number>>;
  readonly commitIntervalMs: number;
  readonly transactionTimeoutMs: number;
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** Nothing was committed for it before. */
  readonly fresh: boolean;
  /** {@link marksOf} the application's topics, the task's own first. */
  readonly topics: string;
  /** What its commits say of this program. */
  readonly program: TaskProgram;
  readonly syncWrites: boolean;
}

/** Bytes that wait for the next commit. */
const mostBufferedBytes = 16 * 1024 * 1024;

/**
 * Commits of one task on Kafka: positions, outputs, changelogs and clocks in one transaction, then the rows into the local copy. Nothing of a task outlives a commit that was not seen to
 * succeed: the client then closes it, and takes it anew.
 */
export class TransactionLog implements CommitLog {
  /** Positions as of the last commit, by `topic-partition`. */
  readonly committedPositions: ReadonlyMap<string, number>;
  readonly #options: TransactionLogOptions;
  readonly #positions = new Map<string, number>();
  #globalPositions: Readonly<Record<string, readonly number[]>>;
  #joined = false;
  /** When the last commit began, and what had been taken by then. */
  #begun: { readonly atMs: number; readonly consumed: number } = { atMs: Date.now(), consumed: 0 };
  /** What the last commit took, ms, without the broker's part. */
  #costMs = 0;
  /** The group has, or is about to get, positions of it. */
  #known: boolean;
  #closed = false;

  constructor(options: TransactionLogOptions) {
    this.#options = options;
    this.#globalPositions = options.globalPositions;
    this.#known = !options.fresh;
    this.committedPositions = this.#positions;
    for (const { topic, partition, nextOffset } of options.inputs.queues)
      this.#positions.set(partitionKey(topic, partition), nextOffset);
  }

  get isFull(): boolean {
    return this.#options.producer.bufferedBytes > mostBufferedBytes;
  }

  get hasNews(): boolean {
    return (
      this.#joined ||
      this.#options.inputs.queues.some(
        ({ topic, partition, position }) => this.#positions.get(partitionKey(topic, partition)) !== position,
      )
    );
  }

  /** How far commits are apart now, ms: further where the task is far behind. */
  get paceMs(): number {
    const { commitIntervalMs, transactionTimeoutMs, inputs } = this.#options;
    return commitPaceMs({ commitIntervalMs, transactionTimeoutMs, lag: inputs.lag, costMs: this.#costMs });
  }

  isDue(nowMs: number): boolean {
    const pace = this.paceMs;
    if (pace === this.#options.commitIntervalMs) return true;
    const { atMs, consumed } = this.#begun;
    return nowMs - atMs >= pace || isLargeCommit(this.#options.inputs.consumed - consumed);
  }

  /** Up to where changes of global tables are joined, as the next commit says it. */
  get globalPositions(): Readonly<Record<string, readonly number[]>> {
    return this.#globalPositions;
  }

  /** All changes of global tables up to these positions are joined. */
  joinedUpTo(positions: Readonly<Record<string, readonly number[]>>): void {
    if (samePositions(positions, this.#globalPositions)) return;
    this.#globalPositions = positions;
    // One that never had a record has nothing to join: that is no work to commit. If it gets one, its first commit tells of this too.
    if (this.#known) this.#joined = true;
  }

  get syncWrites(): boolean {
    return this.#options.syncWrites;
  }

  batch(): WriteBatch {
    return this.#options.folder.database.batch();
  }

  async take({ batch, flushMs }: FlushedTask): Promise<BegunCommit> {
    const { task, inputs, letters } = this.#options;
    this.#known = true;
    this.#joined = false;
    this.#begun = { atMs: Date.now() - flushMs, consumed: inputs.consumed };
    const offsets = this.#offsets();
    const waiting = letters.takeWaiting();
    const operatorTimeMs = Math.min(Number.POSITIVE_INFINITY, ...Object.values(task.operatorTimes()));
    return {
      write: async () => {
        const { commit, folder, syncWrites } = this.#options;
        const written = await commit(offsets);
        letters.committed(waiting);
        if (this.#closed) return false;
        if (folder.specs.length > 0) this.#savePositions(batch, written, operatorTimeMs, offsets);
        const started = performance.now();
        if (batch.length > 0) await batch.write({ sync: syncWrites });
        this.#costMs = flushMs + performance.now() - started;
        for (const { topic, partition, offset } of offsets) this.#positions.set(partitionKey(topic, partition), offset);
        return true;
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#options.producer.close();
  }

  #savePositions(
    batch: WriteBatch,
    written: ReadonlyMap<string, number>,
    operatorTimeMs: number,
    offsets: readonly OffsetToCommit[],
  ): void {
    const { folder } = this.#options;
    const reached = new Map<string, number>();
    for (const topic of folder.positions.keys()) {
      const position = written.get(partitionKey(topic, folder.partition));
      if (position !== undefined) reached.set(topic, position);
    }
    const positions = offsets.map(({ offset }) => offset);
    folder.saveCommitted(batch, reached, operatorTimeMs, { positions, metadata: offsets[0]!.metadata });
  }

  /** The first input carries the task's clocks, and what its commit stands on; the others say where that is. */
  #offsets(): readonly OffsetToCommit[] {
    const { task, inputs, folder, topics, program } = this.#options;
    const { queues } = inputs;
    const positions = Object.fromEntries(queues.map(({ source, position }) => [source.topic, position]));
    const metadata = encodeTaskMetadata({
      task: task.save(),
      globalPositions: this.#globalPositions,
      basis: { positions, reached: folder.reached, topics },
      program,
    });
    const pointer = pointerTo(queues[0]!.topic);
    return queues.map(({ topic, partition, position }, i) => ({
      topic,
      partition,
      offset: position,
      metadata: i === 0 ? metadata : pointer,
    }));
  }
}
