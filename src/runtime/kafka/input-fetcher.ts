import { type Fetcher, type PartitionOffset, partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { StreamsError } from '../../common/errors.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { FilledOptions } from './kafka-options.ts';
import { deletedError } from './loss-check.ts';
import { lossError, type TopicRole } from './loss-errors.ts';
import { migrated } from './takeover.ts';
import type { KafkaTask } from './transaction-log.ts';

/** Errors of what is written in a topic: they stay, however often it is read. */
const unreadable: ReadonlySet<string> = new Set(['STREAMS_BATCH_CORRUPT', 'STREAMS_BATCH_UNSUPPORTED']);

/** What fetching needs of its client. */
export interface InputFetcherHost {
  readonly options: FilledOptions;
  readonly watch: ClusterWatch;
  readonly roles: ReadonlyMap<string, TopicRole>;
  /** There are records to take, or none will come. */
  wake(): void;
  failed(task: KafkaTask, error: unknown): void;
  /** Something is wrong that is nobody's failure. */
  count(error: StreamsError): void;
}

/** Fetches what the running tasks of one client read. */
export class InputFetcher {
  readonly #host: InputFetcherHost;
  readonly #fetcher: Fetcher;
  /** By partition of an input where its records go. */
  readonly #readers = new Map<string, { readonly task: KafkaTask; readonly input: InputBuffer }>();
  readonly #asking: NodeJS.Timeout;
  #asked: Promise<void> | undefined;

  constructor(host: InputFetcherHost) {
    this.#host = host;
    this.#fetcher = host.options.broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => this.#received(records),
      failed: (partition, kind, error) => this.#failed(partition, kind, error),
    });
    this.#asking = setInterval(() => {
      this.#asked ??= this.#askEnds().finally(() => {
        this.#asked = undefined;
      });
    }, host.options.heartbeatIntervalMs).unref();
  }

  /** The inputs of a task are read from now on. */
  add(task: KafkaTask): void {
    for (const input of task.source.queues) {
      const { topic, partition, nextOffset: offset } = input;
      this.#readers.set(partitionKey(topic, partition), { task, input });
      input.flow = this.#fetcher;
      this.#fetcher.add({ topic, partition, offset });
    }
  }

  /** They are read no more. */
  remove(task: KafkaTask): void {
    for (const input of task.source.queues) {
      const { topic, partition } = input;
      input.flow = undefined;
      if (this.#readers.get(partitionKey(topic, partition))?.task !== task) continue;
      this.#readers.delete(partitionKey(topic, partition));
      this.#fetcher.remove({ topic, partition });
    }
  }

  close(): Promise<void> {
    clearInterval(this.#asking);
    return this.#fetcher.close();
  }

  /** Asks for the ends of inputs that are not fetched, since enough of them waits: a client that is paused, or a processor that hangs, would else lag behind no more than it had fetched. */
  async #askEnds(): Promise<void> {
    const held = [...this.#readers.values()].map(({ input }) => input).filter(({ isHeldUp }) => isHeldUp);
    if (held.length === 0) return;
    // What is not answered is asked again the next time.
    const ends = await this.#host.options.broker.admin.offsets(held, 'stable').catch(() => []);
    for (const [i, end] of ends.entries()) if (held[i]!.isHeldUp) held[i]!.stableEnd = end;
  }

  #received(records: FetchedRecords): void {
    this.#readers.get(partitionKey(records.topic, records.partition))?.input.push(records);
    this.#host.wake();
  }

  #failed(partition: PartitionOffset, kind: 'out-of-range' | 'failed', error: Error): void {
    const reader = this.#readers.get(partitionKey(partition.topic, partition.partition));
    if (reader === undefined) return;
    const { task, input } = reader;
    if (kind === 'out-of-range') {
      this.#afterOutOfRange(task, input, partition).catch((cause: unknown) => {
        if (!task.closed) this.#host.failed(task, cause);
      });
      return;
    }
    const message = `${partition.topic} cannot be read: ${error.message}. See the broker's log.`;
    const failure = StreamsError.from(error, 'STREAMS_BROKER', message, { ...partition });
    // What lies before it is processed first, so that the committed position is where the reading has ended.
    if (unreadable.has(failure.code)) input.failure = failure;
    else this.#host.failed(task, failure);
    this.#host.wake();
  }

  /** The broker deleted records before they were read, or the topic is another one, or has lost its end. */
  async #afterOutOfRange(task: KafkaTask, input: InputBuffer, partition: PartitionOffset): Promise<void> {
    const { watch, roles, options } = this.#host;
    const { broker, logger, autoOffsetReset, acceptLoss, applicationId } = options;
    await watch.look();
    const [[start], [end], [committed]] = await Promise.all([
      broker.admin.offsets([partition], 'earliest'),
      broker.admin.offsets([partition], 'stable'),
      broker.admin.committed(applicationId, [partition]),
    ]);
    // Nobody reads behind what is committed but a former owner, which has not heard yet of the one that went on and deleted what it had read.
    if (committed !== undefined && committed.offset > partition.offset) throw migrated(task.taskId);
    const role = roles.get(partition.topic) ?? 'input';
    const error =
      partition.offset < start!
        ? deletedError(role, partition, partition.offset, start!)
        : lossError(role, partition, `has no record ${partition.offset} any more: it ends at ${end}`);
    if (!acceptLoss || role !== 'input' || autoOffsetReset === 'none') throw error;
    const offset = autoOffsetReset === 'latest' ? end! : start!;
    // A later task in its place stands elsewhere by now.
    if (task.closed || input.flow === undefined) return;
    this.#host.count(error);
    logger.error(
      { ...partition, goesOnAt: offset },
      'records were deleted from the topic before they were read: reading goes on where it begins now',
    );
    input.nextOffset = offset;
    this.#fetcher.add({ topic: input.topic, partition: input.partition, offset });
  }
}
