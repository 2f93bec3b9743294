import type { Header } from '../../processor/record.ts';
import { type BrokerProducer, type OffsetToCommit, type ProducerOptions, partitionKey } from '../broker.ts';
import { asStreamsError, BrokerFault } from './broker-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Link } from './link.ts';
import { type ProduceBatch, ProduceBuffer } from './produce-buffer.ts';
import { keyAt, pick, type RecordColumns, valueAt } from './record-columns.ts';
import type { Refusal } from './topic-catalogue.ts';
import type { ProducerIdentity } from './transaction-coordinator.ts';

/** A producer of the cluster in memory. A call that has lost its connection is not repeated. */
export class MemoryProducer implements BrokerProducer {
  readonly #state: ClusterState;
  readonly #link: Link;
  readonly #options: ProducerOptions;
  readonly #buffer: ProduceBuffer;
  #identity: ProducerIdentity | undefined;
  // Calls are carried out one after the other.
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #positions = new Map<string, number>();
  #begun = false;
  #sending = 0;
  #hasAppended = false;
  #closed = false;

  constructor(state: ClusterState, link: Link, options: ProducerOptions) {
    if (options.transactional && options.transactionalId === undefined) {
      throw new TypeError('a transactional producer needs a transactionalId');
    }
    this.#state = state;
    this.#link = link;
    this.#options = options;
    this.#buffer = new ProduceBuffer(options.maxBatchBytes ?? 1_000_000);
  }

  get bufferedBytes(): number {
    return this.#buffer.byteLength + this.#sending;
  }

  get hasAppended(): boolean {
    return this.#hasAppended;
  }

  init(): Promise<void> {
    const { transactionalId, transactionTimeoutMs = 60_000 } = this.#options;
    return this.#inTurn(async () => {
      if (this.#identity !== undefined) throw new TypeError('init is called once');
      this.#identity = await this.#link.call('InitProducerId', () =>
        this.#state.transactions.init(transactionalId, transactionTimeoutMs),
      );
    });
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers?: readonly Header[],
  ): void {
    if (!Number.isInteger(timestamp)) throw new RangeError(`the timestamp ${timestamp} is not an integer`);
    this.#hasAppended = true;
    this.#buffer.append(topic, partition, timestamp, key, value, headers);
  }

  flush(): Promise<void> {
    const rounds = this.#takeAll();
    return this.#inTurn(() => this.#send(rounds));
  }

  async commit(groupId?: string, offsets: readonly OffsetToCommit[] = []): Promise<ReadonlyMap<string, number>> {
    if (offsets.length > 0) {
      if (!this.#options.transactional) throw new TypeError('offsets are committed by transactional producers only');
      if (groupId === undefined) throw new TypeError('offsets need the id of their group');
    }
    const rounds = this.#takeAll();
    this.#hasAppended = false;
    return this.#inTurn(async () => {
      await this.#send(rounds);
      if (offsets.length > 0) {
        this.#begun = true;
        await this.#link.call('AddOffsetsToTxn', () => this.#state.addOffsets(this.#owner, groupId!, offsets));
      }
      await this.#end('committed');
      const positions = this.#positions;
      this.#positions = new Map();
      return positions;
    });
  }

  abort(): Promise<void> {
    this.#sent(this.#takeAll());
    this.#hasAppended = false;
    return this.#inTurn(async () => {
      await this.#end('aborted');
      this.#positions = new Map();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#buffer.take();
  }

  get #owner(): ProducerIdentity {
    if (this.#identity === undefined) throw new TypeError('init comes before all else');
    return this.#identity;
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        if (this.#closed) throw new BrokerFault('NETWORK_EXCEPTION', 'the producer is closed');
        return await call();
      } catch (error) {
        throw this.#failed(error);
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** After a failure the producer is of no more use: every later call fails alike. */
  #failed(error: unknown): unknown {
    if (error instanceof TypeError) return error;
    const details = BrokerFault.is(error) ? {} : undefined;
    this.#failure = asStreamsError(error, true, details);
    return this.#failure;
  }

  #takeAll(): readonly (readonly ProduceBatch[])[] {
    this.#sending += this.#buffer.byteLength;
    return this.#buffer.take();
  }

  #sent(rounds: readonly (readonly ProduceBatch[])[]): void {
    for (const round of rounds) for (const { byteLength } of round) this.#sending -= byteLength;
  }

  async #send(rounds: readonly (readonly ProduceBatch[])[]): Promise<void> {
    for (const round of rounds) {
      const refused = await this.#produce(round);
      const again = [...refused].map(([batch, refusals]) => this.#without(batch, refusals));
      if (again.length > 0) await this.#produce(again.filter(({ columns }) => columns.length > 0));
      this.#sent([round]);
    }
  }

  async #produce(batches: readonly ProduceBatch[]): Promise<ReadonlyMap<ProduceBatch, readonly Refusal[]>> {
    if (batches.length === 0) return new Map();
    const owner = this.#owner;
    const { transactional } = this.#options;
    if (transactional) this.#begun = true;
    const answer = await this.#link.call('Produce', async () => {
      const transaction = transactional ? await this.#state.transactions.begin(owner) : undefined;
      return this.#state.write(owner, transaction, batches);
    });
    for (const [batch, position] of answer.positions) {
      this.#positions.set(partitionKey(batch.topic, batch.partition), position);
    }
    return answer.refused;
  }

  #without(batch: ProduceBatch, refusals: readonly Refusal[]): ProduceBatch {
    for (const refusal of refusals) this.#ask(batch, refusal);
    const out = new Set(refusals.map(({ index }) => index));
    const kept = Array.from({ length: batch.columns.length }, (_, i) => i).filter((i) => !out.has(i));
    return { ...batch, columns: pick(batch.columns, kept) };
  }

  #ask({ topic, partition, columns }: ProduceBatch, { index, reason }: Refusal): void {
    const key = copyOf(keyAt(columns, index));
    const value = copyOf(valueAt(columns, index));
    const timestamp = columns.timestamps[index]!;
    const answer = this.#options.refused?.({ topic, partition, key, value, timestamp, reason }) ?? 'fail';
    if (answer === 'continue') return;
    throw asStreamsError(
      new BrokerFault(
        reason,
        `${partitionKey(topic, partition)} does not take a record of ${sizeOf(columns, index)} bytes`,
      ),
      true,
      { topic, partition },
    );
  }

  async #end(outcome: 'committed' | 'aborted'): Promise<void> {
    if (!this.#begun) return;
    await this.#link.call('EndTxn', () => this.#state.transactions.end(this.#owner, outcome));
    this.#begun = false;
  }
}

const copyOf = (bytes: Buffer | undefined): Uint8Array | undefined => bytes && new Uint8Array(bytes);

const sizeOf = (columns: RecordColumns, i: number): number =>
  (keyAt(columns, i)?.length ?? 0) + (valueAt(columns, i)?.length ?? 0);
