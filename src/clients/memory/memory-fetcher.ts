import type { Fetcher, FetcherOptions, PartitionOffset, TopicPartition } from '../broker.ts';
import { partitionKey } from '../broker.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import { asStreamsError, BrokerFault } from './broker-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import { type Link, pauseOf } from './link.ts';
import type { PartitionLog } from './partition-log.ts';

/** A partition as it is read since one call of `add`. */
interface Reading {
  readonly topic: string;
  readonly partition: number;
  position: number;
  paused: boolean;
  /** The end last told to the receiver; -1 before. */
  end: number;
  log: PartitionLog | undefined;
}

/** What a fetch brings of one partition. */
type Answer =
  | { readonly reading: Reading; readonly records: FetchedRecords }
  | { readonly reading: Reading; readonly kind: 'out-of-range' | 'failed'; readonly fault: BrokerFault };

/** Reads logs of the cluster in memory as soon as there is something to read. */
export class MemoryFetcher implements Fetcher {
  readonly #state: ClusterState;
  readonly #link: Link;
  readonly #options: FetcherOptions;
  readonly #readings = new Map<string, Reading>();
  #closed = false;
  #running = false;
  #dirty = false;
  #turn = 0;
  readonly #wake = (): void => this.#kick();

  constructor(state: ClusterState, link: Link, options: FetcherOptions) {
    this.#state = state;
    this.#link = link;
    this.#options = options;
  }

  add({ topic, partition, offset }: PartitionOffset): void {
    if (this.#closed) throw new TypeError('the fetcher is closed');
    this.remove({ topic, partition });
    const reading = { topic, partition, position: offset, paused: false, end: -1, log: undefined };
    this.#readings.set(partitionKey(topic, partition), reading);
    this.#kick();
  }

  remove({ topic, partition }: TopicPartition): void {
    const key = partitionKey(topic, partition);
    this.#readings.get(key)?.log?.watchers.delete(this.#wake);
    this.#readings.delete(key);
  }

  pause({ topic, partition }: TopicPartition): void {
    const reading = this.#readings.get(partitionKey(topic, partition));
    if (reading !== undefined) reading.paused = true;
  }

  resume({ topic, partition }: TopicPartition): void {
    const reading = this.#readings.get(partitionKey(topic, partition));
    if (reading === undefined || !reading.paused) return;
    reading.paused = false;
    this.#kick();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const reading of [...this.#readings.values()]) this.remove(reading);
  }

  #kick(): void {
    this.#dirty = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#dirty && !this.#closed && !this.#link.isClosed) {
        this.#dirty = false;
        await this.#fetch();
      }
    } finally {
      this.#running = false;
    }
  }

  async #fetch(): Promise<void> {
    const readings = [...this.#readings.values()].filter(({ paused }) => !paused);
    if (readings.length === 0) return;
    let answers: readonly Answer[];
    try {
      answers = await this.#link.call('Fetch', () => this.#read(readings));
    } catch (error) {
      if (!BrokerFault.is(error)) return; // The client is closed.
      this.#dirty = true;
      await pauseOf(1);
      return;
    }
    for (const answer of answers) this.#giveOut(answer);
  }

  /** In the cluster: what there is for these partitions. */
  #read(readings: readonly Reading[]): readonly Answer[] {
    const { maxBytes = 10_485_760 } = this.#options;
    const answers: Answer[] = [];
    let bytes = 0;
    const first = this.#turn++ % readings.length;
    for (let i = 0; i < readings.length; i++) {
      if (bytes >= maxBytes) {
        this.#dirty = true;
        break;
      }
      const answer = this.#readOne(readings[(first + i) % readings.length]!);
      if (answer === undefined) continue;
      answers.push(answer);
      if ('records' in answer) bytes += answer.records.bytes.length;
    }
    return answers;
  }

  #readOne(reading: Reading): Answer | undefined {
    const { isolation = 'read_committed', maxPartitionBytes = 1_048_576 } = this.#options;
    const log = this.#logOf(reading);
    if (BrokerFault.is(log)) return { reading, kind: 'failed', fault: log };
    const { position, end } = reading;
    const limit = log.limit(isolation);
    if (limit === end && position >= limit && position >= log.start) return undefined;
    const records = log.read(position, isolation, maxPartitionBytes);
    if (records !== undefined) return { reading, records };
    const what = `${partitionKey(log.topic, log.partition)} reaches from ${log.start} to ${log.end}: ${position} is not in it`;
    return { reading, kind: 'out-of-range', fault: new BrokerFault('OFFSET_OUT_OF_RANGE', what) };
  }

  #logOf(reading: Reading): PartitionLog | BrokerFault {
    try {
      const log = this.#state.topics.log(reading);
      if (reading.log !== log && this.#isRead(reading)) {
        reading.log?.watchers.delete(this.#wake);
        reading.log = log;
        log.watchers.add(this.#wake);
      }
      return log;
    } catch (error) {
      return error as BrokerFault;
    }
  }

  #isRead(reading: Reading): boolean {
    return this.#readings.get(partitionKey(reading.topic, reading.partition)) === reading;
  }

  #giveOut(answer: Answer): void {
    const { reading } = answer;
    if (this.#closed || !this.#isRead(reading)) return;
    if (!('records' in answer)) {
      this.#fail(reading, answer.kind, asStreamsError(answer.fault, false, placeOf(reading)));
      return;
    }
    const { nextOffset, stableEnd } = answer.records;
    const before = reading.position;
    reading.position = nextOffset;
    reading.end = stableEnd;
    if (nextOffset < stableEnd) this.#dirty = true;
    try {
      this.#options.receive(answer.records);
    } catch (error) {
      if (!this.#isRead(reading)) return;
      reading.position = before;
      this.#fail(reading, 'failed', error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(reading: Reading, kind: 'out-of-range' | 'failed', error: Error): void {
    this.remove(reading);
    this.#options.failed(placeOf(reading), kind, error);
  }
}

const placeOf = ({ topic, partition, position }: Reading): PartitionOffset => ({ topic, partition, offset: position });
