import { setTimeout as delay } from 'node:timers/promises';
import type {
  Broker,
  CommittedOffset,
  Fetcher,
  GroupMember,
  JoinedMember,
  MemberAssignment,
  TopicPartition,
} from '../clients/broker.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { FilesSetup } from './partition-files.ts';
import { PartitionSink, type RollPolicy } from './partition-sink.ts';
import { sharePartitions } from './share-partitions.ts';
import { WrittenRanges } from './written-ranges.ts';

/** What a {@link TopicSink} does. */
export interface TopicSinkOptions {
  readonly broker: Broker;
  readonly topic: string;
  /** The consumer group that keeps the positions; instances with the same one share the partitions. */
  readonly groupId: string;
  readonly setup: FilesSetup;
  readonly roll: RollPolicy;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** @defaultValue that of the member of a group */
  readonly heartbeatIntervalMs?: number;
  readonly logger: Logger;
}

/** Counts of this instance since its start. */
export interface TopicSinkStats {
  readonly rows: number;
  readonly dead: number;
  readonly files: number;
  readonly bytes: number;
  /** Positions of the partitions that this instance writes. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly position: number;
    readonly committed: number;
    /** Undefined until it is known. */
    readonly end: number | undefined;
    /** When files of it last became visible. */
    readonly lastCommitMs: number | undefined;
  }[];
}

const growthIntervalMs = 30_000;
const caughtUpIntervalMs = 100;

/**
 * Writes the records of a topic into files, each exactly once, by the civil date of what they tell. Instances with one group share the partitions.
 *
 * @throws StreamsError from `failed`: `STREAMS_SINK`, `STREAMS_INPUT_REFUSED` for a position before the end of what the target has or behind that of the topic, `STREAMS_BROKER`, `STREAMS_BATCH_CORRUPT` and `STREAMS_BATCH_UNSUPPORTED` for a batch that cannot be read.
 */
export class TopicSink {
  readonly #options: TopicSinkOptions;
  readonly #partitions: Map<number, PartitionSink> = new Map();
  readonly #fetcher: Fetcher;
  readonly #member: GroupMember;
  readonly #failure: PromiseWithResolversOf<never>;
  #rows = 0;
  #dead = 0;
  #files = 0;
  #bytes = 0;
  #growth: NodeJS.Timeout | undefined;
  #known = 0;
  /** As of the start: what has come since lies before the positions. */
  #written: WrittenRanges | undefined;
  #flushEnds: readonly number[] | undefined;
  #ended = false;
  /** How often the membership was lost. */
  #losses = 0;

  constructor(options: TopicSinkOptions) {
    this.#options = options;
    this.#failure = withResolvers();
    // Whoever waits for it is told; nobody need.
    this.#failure.promise.catch(() => {});
    const { broker, topic, groupId, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    this.#fetcher = broker.fetcher({
      receive: (records) => this.#partitions.get(records.partition)?.receive(records),
      failed: ({ partition, offset }, kind, error) => this.#fail(this.#readError(partition, offset, kind, error)),
    });
    this.#member = broker.member({
      groupId,
      topics: [topic],
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      ...(heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs }),
      userData: () => Buffer.from(JSON.stringify([...this.#partitions.keys()])),
      assign: (members) => this.#assign(members),
      rebalancing: () => {},
      assigned: ({ partitions }) => this.#assigned(partitions).catch((error) => this.#fail(error)),
      lost: () => {
        this.#losses++;
        void this.#drop([...this.#partitions.keys()]);
      },
      failed: (error) => this.#fail(error),
    });
  }

  /** Never resolves; rejects with what ended the sink. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  stats(): TopicSinkStats {
    const partitions = [...this.#partitions].map(([partition, { position, committed, end, publishedMs }]) => ({
      partition,
      position,
      committed,
      end,
      lastCommitMs: publishedMs,
    }));
    return { rows: this.#rows, dead: this.#dead, files: this.#files, bytes: this.#bytes, partitions };
  }

  /** Looks how far the target's files go, joins the group and begins to write. @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_SINK` */
  async start(): Promise<void> {
    this.#known = await this.#partitionCount();
    const { target, names } = this.#options.setup;
    this.#written = await WrittenRanges.of(target, names);
    this.#member.start();
    this.#growth = setInterval(() => void this.#lookForGrowth(), growthIntervalMs).unref();
  }

  /** Resolves when all that was in the topic at the time of the call is visible, whichever instance writes it. */
  async untilCaughtUp(signal: AbortSignal): Promise<void> {
    const { broker, groupId } = this.#options;
    const partitions = this.#all(await this.#partitionCount());
    await this.#refuseBeyondEnd(partitions);
    this.#flushEnds = await broker.admin.offsets(partitions, 'stable');
    for (const [partition, sink] of this.#partitions) sink.flushAt(this.#flushEnds[partition]!);
    while (!signal.aborted && !this.#ended) {
      const committed = await broker.admin.committed(groupId, partitions);
      const begins = await broker.admin.offsets(partitions, 'earliest');
      const reached = (position: CommittedOffset | undefined, i: number): boolean =>
        position === undefined
          ? begins[i]! >= this.#flushEnds![i]!
          : position.offset >= this.#flushEnds![i]! && position.metadata === '';
      if (committed.every(reached)) return;
      await delay(caughtUpIntervalMs);
    }
  }

  /** Makes visible what was written, leaves the group and closes. What is not visible by the deadline is given up: nothing of it is lost. */
  async close(timeoutMs: number = 5000): Promise<void> {
    this.#ended = true;
    clearInterval(this.#growth);
    const sinks = [...this.#partitions.values()];
    const timer = new AbortController();
    try {
      const closed = Promise.all(sinks.map(closedWhole)).then((each) => each.every(Boolean));
      closed.catch(() => {});
      const late = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
      if (!(await Promise.race([closed, late])))
        this.#options.logger.warn(
          { timeoutMs },
          'closed before all that was read was visible; the next start reads it again',
        );
    } finally {
      timer.abort();
      this.#partitions.clear();
      await this.#fetcher.close();
      await this.#member.leave();
    }
  }

  /** Gives up at once what is not visible, and closes. */
  async abort(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#growth);
    await this.#drop([...this.#partitions.keys()]);
    await this.#fetcher.close();
    await this.#member.leave();
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#failure.reject(error);
  }

  async #partitionCount(): Promise<number> {
    const { broker, topic } = this.#options;
    const count = (await broker.admin.partitionCounts([topic])).get(topic);
    if (count === undefined)
      throw new StreamsError(
        'STREAMS_MISSING_SOURCE_TOPIC',
        `topic ${topic} does not exist on the broker. Name another with --topic.`,
        { topic },
      );
    return count;
  }

  #all(count: number): readonly TopicPartition[] {
    return Array.from({ length: count }, (_, partition) => ({ topic: this.#options.topic, partition }));
  }

  async #assign(members: readonly JoinedMember[]): Promise<ReadonlyMap<string, MemberAssignment>> {
    const { topic } = this.#options;
    this.#known = await this.#partitionCount();
    const owners = members.map(({ memberId, userData }) => ({ memberId, owned: ownedOf(userData) }));
    const shares = sharePartitions(this.#known, owners);
    return new Map(
      members.map(({ memberId }) => [
        memberId,
        {
          partitions: (shares.get(memberId) ?? []).map((partition) => ({ topic, partition })),
          userData: new Uint8Array(0),
        },
      ]),
    );
  }

  async #assigned(given: readonly TopicPartition[]): Promise<void> {
    const { broker, groupId, topic, logger } = this.#options;
    const losses = this.#losses;
    const mine = new Set(given.map(({ partition }) => partition));
    // While it closes, too: what it still commits would be in the name of the new generation.
    await this.#drop([...this.#partitions.keys()].filter((partition) => !mine.has(partition)));
    if (this.#ended) return;
    const fresh = given.filter(({ partition }) => !this.#partitions.has(partition));
    if (fresh.length === 0) return;
    const committed = await broker.admin.committed(groupId, fresh);
    const begins = await broker.admin.offsets(fresh, 'earliest');
    for (let i = 0; i < fresh.length; i++) {
      // What comes of a membership that is lost is another's.
      if (this.#ended || this.#losses !== losses) return;
      const id = fresh[i]!;
      const sink = new PartitionSink(this.#host(), id);
      this.#partitions.set(id.partition, sink);
      try {
        this.#written?.refuseBefore(id, committed[i], groupId);
        await sink.takeOver(committed[i] ?? { offset: begins[i]!, metadata: '' });
      } catch (error) {
        this.#stopped(id.partition, sink, error);
        return;
      }
      if (this.#losses !== losses) return sink.drop();
      if (this.#flushEnds !== undefined) sink.flushAt(this.#flushEnds[id.partition] ?? 0);
      logger.info({ topic, partition: id.partition, offset: sink.position }, 'writing');
      sink.run().catch((error) => this.#stopped(id.partition, sink, error));
    }
  }

  #host(): ConstructorParameters<typeof PartitionSink>[0] {
    const { topic, setup, roll, logger } = this.#options;
    return {
      setup,
      roll,
      logger,
      fetcher: this.#fetcher,
      commit: (partition, position) => this.#member.commit([{ topic, partition, ...position }]),
      published: ({ rows, dead, files, bytes }) => {
        this.#rows += rows;
        this.#dead += dead;
        this.#files += files;
        this.#bytes += bytes;
      },
    };
  }

  /** A partition that another owns now is dropped: the group's next assignment says who goes on with it. */
  #stopped(partition: number, sink: PartitionSink, error: unknown): void {
    if (sink.isDropped) return;
    if (isMigrated(error)) void this.#drop([partition]).then(() => this.#member.rejoin());
    else this.#fail(error);
  }

  async #drop(partitions: readonly number[]): Promise<void> {
    const sinks = partitions.map((partition) => this.#partitions.get(partition));
    for (const partition of partitions) this.#partitions.delete(partition);
    await Promise.all(sinks.map((sink) => sink?.drop()));
  }

  async #lookForGrowth(): Promise<void> {
    try {
      const count = await this.#partitionCount();
      if (count === this.#known) return;
      // Once: who does not lead is not told what the leader knows.
      this.#known = count;
      this.#member.rejoin();
    } catch (error) {
      this.#options.logger.warn(
        { topic: this.#options.topic },
        `the topic's partitions cannot be asked for: ${messageOf(error)}`,
      );
    }
  }

  /** A position behind the end is not at the end: what comes up to it was never written. */
  async #refuseBeyondEnd(partitions: readonly TopicPartition[]): Promise<void> {
    const { admin } = this.#options.broker;
    const committed = await admin.committed(this.#options.groupId, partitions);
    const ends = await admin.offsets(partitions, 'latest');
    for (const [i, position] of committed.entries())
      if (position !== undefined && position.offset > ends[i]!) throw this.#outOfRange(i, position.offset, undefined);
  }

  #readError(partition: number, offset: number, kind: 'out-of-range' | 'failed', error: Error): unknown {
    return kind === 'failed' ? error : this.#outOfRange(partition, offset, error);
  }

  #outOfRange(partition: number, offset: number, cause: unknown): StreamsError {
    const { topic, groupId } = this.#options;
    const message = `${topic}-${partition} has no record ${offset}, the next one to write: its retention is shorter than the sink was away, or the topic was made anew or cut. To go on with what is there, set the position of group ${groupId} to the topic's beginning (kafka-consumer-groups --reset-offsets --to-earliest); if it was made anew, into another folder.`;
    return new StreamsError('STREAMS_INPUT_REFUSED', message, { topic, partition, offset, cause });
  }
}

/** False where the partition is another's by then, who writes what is not visible. */
async function closedWhole(sink: PartitionSink): Promise<boolean> {
  try {
    await sink.close();
    return true;
  } catch (error) {
    if (sink.isDropped || isMigrated(error)) return false;
    throw error;
  }
}

function isMigrated(error: unknown): boolean {
  return StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED';
}

function ownedOf(userData: Uint8Array): readonly number[] {
  try {
    const owned: unknown = JSON.parse(Buffer.from(userData).toString());
    return Array.isArray(owned) ? owned.filter((each) => Number.isInteger(each)) : [];
  } catch {
    return [];
  }
}

interface PromiseWithResolversOf<T> {
  readonly promise: Promise<T>;
  readonly reject: (error: unknown) => void;
}

function withResolvers(): PromiseWithResolversOf<never> {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  return { promise, reject };
}
