import { StreamsError } from '../common/errors.ts';
import type { NodeContext } from './node.ts';
import type { Cancellable, ProcessorContext, PunctuationType, Punctuator, RecordMetadata } from './processor.ts';
import type { Record } from './record.ts';
import type { KeyValueStore, VersionedKeyValueStore, WindowStore } from './state-store.ts';
import { keyValueStoreOf, versionedStoreOf, windowStoreOf } from './store-views.ts';

/** The public context of one processor in one task. */
export class NodeProcessorContext implements ProcessorContext<unknown, unknown> {
  readonly forward: (record: Record<unknown, unknown>, childName?: string) => void;
  readonly #name: string;
  readonly #context: NodeContext;
  readonly #stores: readonly string[];
  readonly #punctuate: (punctuator: Punctuator, timestampMs: number) => void;

  constructor(
    name: string,
    context: NodeContext,
    stores: readonly string[],
    calls: {
      readonly forward: (record: Record<unknown, unknown>, childName?: string) => void;
      readonly punctuate: (punctuator: Punctuator, timestampMs: number) => void;
    },
  ) {
    this.#name = name;
    this.#context = context;
    this.#stores = stores;
    this.forward = calls.forward;
    this.#punctuate = calls.punctuate;
  }

  get taskId(): string {
    return this.#context.taskId;
  }

  get applicationId(): string {
    return this.#context.applicationId;
  }

  get streamTimeMs(): number {
    return this.#context.streamTimeMs;
  }

  get recordMetadata(): RecordMetadata | undefined {
    const { topic, partition, offset, headers, punctuating } = this.#context;
    return punctuating ? undefined : { topic, partition, offset, headers };
  }

  keyValueStore<K, V>(name: string): KeyValueStore<K, V> {
    return keyValueStoreOf<K, V>(this.#context, this.#connected(name));
  }

  windowStore<K, V>(name: string): WindowStore<K, V> {
    return windowStoreOf<K, V>(this.#context, this.#connected(name), this.#name);
  }

  versionedStore<K, V>(name: string): VersionedKeyValueStore<K, V> {
    return versionedStoreOf<K, V>(this.#context, this.#connected(name));
  }

  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable {
    if (!(Number.isSafeInteger(intervalMs) && intervalMs >= 1))
      throw new RangeError(`a punctuation interval is a whole number of ms, at least 1, not ${intervalMs}`);
    return this.#context.schedule(this.#name, intervalMs, type, (timestampMs) =>
      this.#punctuate(punctuator, timestampMs),
    );
  }

  commit(): void {
    this.#context.requestCommit();
  }

  #connected(store: string): string {
    if (!this.#stores.includes(store))
      throw new StreamsError(
        'STREAMS_STATE_STORE_UNKNOWN',
        `processor ${this.#name} asks for store ${store}, which is not connected to it. Name it in the processor's stores.`,
        { nodeName: this.#name, taskId: this.taskId },
      );
    return store;
  }
}
