import type { Fetcher, FetcherOptions, TopicPartition } from '../../clients/broker.ts';
import { partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { StreamsError } from '../../common/errors.ts';
import { type ChangelogApplier, changelogApplier } from './changelog.ts';
import { changelogTopic } from './internal-names.ts';
import type { TaskFolder } from './task-folder.ts';

/** What reads changelogs for the followers of one client. */
export class ChangelogReader {
  readonly #followers = new Map<string, ChangelogFollower>();
  readonly #fetcher: Fetcher;

  constructor(makeFetcher: (options: FetcherOptions) => Fetcher) {
    this.#fetcher = makeFetcher({
      isolation: 'read_committed',
      receive: (records) => this.#followers.get(partitionKey(records.topic, records.partition))?.receive(records),
      failed: (partition, kind, error) =>
        this.#followers.get(partitionKey(partition.topic, partition.partition))?.failed(partition, kind, error),
    });
  }

  add(follower: ChangelogFollower, topic: string, partition: number, offset: number): void {
    this.#followers.set(partitionKey(topic, partition), follower);
    this.#fetcher.add({ topic, partition, offset });
  }

  remove(topic: string, partition: number): void {
    this.#followers.delete(partitionKey(topic, partition));
    this.#fetcher.remove({ topic, partition });
  }

  pause(partition: TopicPartition): void {
    this.#fetcher.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.#fetcher.resume(partition);
  }

  close(): Promise<void> {
    return this.#fetcher.close();
  }
}

/** Rows of one write while a copy follows its changelogs. */
const writeRows = 100_000;
/** Rows waiting above which a changelog is not fetched. */
const waitingRows = 200_000;

/** How far a restore has come. */
export interface RestoreProgress {
  readonly taskId: string;
  readonly topic: string;
  restored: number;
  readonly fromOffset: number;
  endOffset: number;
  position: number;
}

/** Reads a task's changelogs into its copy of the stores: to given ends, or for as long as it is a standby. */
export class ChangelogFollower {
  readonly folder: TaskFolder;
  readonly progress: readonly RestoreProgress[];
  readonly #reader: ChangelogReader;
  readonly #appliers = new Map<string, ChangelogApplier>();
  readonly #positions: Map<string, number>;
  readonly #ends = new Map<string, number>();
  readonly #onBatch: ((progress: RestoreProgress, records: number) => void) | undefined;
  #queue: FetchedRecords[] = [];
  #waiting = 0;
  #paused = false;
  #working: Promise<void> | undefined;
  #stopped = false;
  #writeFailed = false;
  #done: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;

  /** @param starts - Where the changelogs begin, by topic: an empty copy is read from there. */
  constructor(
    reader: ChangelogReader,
    folder: TaskFolder,
    applicationId: string,
    starts: ReadonlyMap<string, number>,
    onBatch?: (progress: RestoreProgress, records: number) => void,
  ) {
    this.folder = folder;
    this.#reader = reader;
    this.#onBatch = onBatch;
    this.#positions = new Map(
      [...folder.positions].map(([topic, position]) => [topic, Math.max(position, starts.get(topic) ?? 0)]),
    );
    for (const spec of folder.specs)
      this.#appliers.set(
        changelogTopic(applicationId, spec.name),
        changelogApplier(spec, folder.database, folder.prefixOf(spec.name)),
      );
    this.progress = [...this.#positions].map(([topic, position]) => ({
      taskId: folder.taskId,
      topic,
      restored: 0,
      fromOffset: position,
      endOffset: -1,
      position,
    }));
  }

  /** Follows the changelogs until `stop`. */
  start(): void {
    for (const [topic, position] of this.#positions) this.#reader.add(this, topic, this.folder.partition, position);
  }

  /** Resolves when the copy has reached these ends, by changelog topic, and has written that down. */
  restoreTo(ends: ReadonlyMap<string, number>): Promise<void> {
    for (const [topic, end] of ends) this.#ends.set(topic, end);
    for (const progress of this.progress) progress.endOffset = ends.get(progress.topic) ?? progress.endOffset;
    if (this.#reached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject };
      for (const [topic, position] of this.#positions)
        if (position < (ends.get(topic) ?? 0)) this.#reader.add(this, topic, this.folder.partition, position);
    });
  }

  receive(records: FetchedRecords): void {
    if (this.#stopped) return;
    this.#queue.push(records);
    this.#waiting += records.length;
    if (this.#waiting > waitingRows && !this.#paused) this.#pauseAll(true);
    this.#startWork();
  }

  #startWork(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // What came when the last of it was done already.
      if (this.#queue.length > 0 && !this.#stopped) this.#startWork();
    });
  }

  failed(partition: TopicPartition, kind: 'out-of-range' | 'failed', error: Error): void {
    const { taskId } = this.folder;
    const { topic, partition: number } = partition;
    // Whether a copy that does not go with its changelog any more may be thrown away is for the next attempt to say.
    const message =
      kind === 'out-of-range'
        ? `changelog ${topic} (partition ${number}) has not what comes next in the copy of task ${taskId} any more: it is looked at again.`
        : `changelog ${topic} cannot be read: ${error.message}. See the broker's log.`;
    const cause = kind === 'failed' ? error : new Error(error.message);
    this.#fail(StreamsError.from(cause, 'STREAMS_BROKER', message, { ...partition, taskId }));
  }

  /** Records behind the stable ends, as far as fetches have told; -1 before. */
  get lag(): number {
    let lag = 0;
    for (const { endOffset, position } of this.progress) {
      if (endOffset < 0) return -1;
      lag += Math.max(0, endOffset - position);
    }
    return lag;
  }

  /** A write has failed: what the folder says of its positions may be more than the copy has. */
  get writeFailed(): boolean {
    return this.#writeFailed;
  }

  /** Ends it; what was read is written, the rest is left. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      for (const topic of this.#positions.keys()) this.#reader.remove(topic, this.folder.partition);
    }
    await this.#working?.catch(() => {});
    this.#done?.reject(new StreamsError('STREAMS_TASK_MIGRATED', `task ${this.folder.taskId} is not restored on.`));
    this.#done = undefined;
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !(this.#stopped && this.#done === undefined)) await this.#writeSome();
    } catch (error) {
      this.#writeFailed = true;
      this.#fail(error);
    }
  }

  async #writeSome(): Promise<void> {
    const batch = this.folder.database.batch();
    const touched = new Set<ChangelogApplier>();
    let rows = 0;
    while (this.#queue.length > 0 && rows < writeRows) {
      const records = this.#queue.shift()!;
      this.#waiting -= records.length;
      rows += records.length;
      const applier = this.#appliers.get(records.topic)!;
      applier.apply(batch, records);
      touched.add(applier);
      this.#positions.set(records.topic, records.nextOffset);
      const progress = this.progress.find(({ topic }) => topic === records.topic)!;
      progress.restored += records.length;
      progress.position = records.nextOffset;
      if (!this.#ends.has(records.topic)) progress.endOffset = records.stableEnd;
      if (records.length > 0) this.#onBatch?.(progress, records.length);
    }
    if (rows > 0 || this.#movedEnds()) {
      for (const applier of touched) applier.seal(batch);
      this.folder.savePositions(batch, this.#positions);
      await batch.write({ sync: false });
      for (const applier of touched) applier.written();
    }
    await batch.close();
    if (this.#paused && this.#waiting < waitingRows / 2) this.#pauseAll(false);
    if (this.#done !== undefined && this.#reached()) {
      this.#done.resolve();
      this.#done = undefined;
      for (const topic of this.#positions.keys()) this.#reader.remove(topic, this.folder.partition);
    }
  }

  /** The last record was passed by markers alone: written down where a restore waits for it. */
  #movedEnds(): boolean {
    return this.#done !== undefined && this.#reached();
  }

  #reached(): boolean {
    for (const [topic, end] of this.#ends) if ((this.#positions.get(topic) ?? 0) < end) return false;
    return true;
  }

  #pauseAll(paused: boolean): void {
    this.#paused = paused;
    for (const topic of this.#positions.keys()) {
      if (paused) this.#reader.pause({ topic, partition: this.folder.partition });
      else this.#reader.resume({ topic, partition: this.folder.partition });
    }
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    this.#queue = [];
    for (const topic of this.#positions.keys()) this.#reader.remove(topic, this.folder.partition);
    this.#done?.reject(error);
    this.#done = undefined;
    this.onFailure?.(error);
  }

  /** Told when a follower that nobody waits for has failed. */
  onFailure: ((error: unknown) => void) | undefined;
}
