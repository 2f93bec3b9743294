import { type Processor, type ProcessorContext, Record, type VersionedKeyValueStore } from '../../../src/index.ts';
import type { RandomNode } from './description.ts';
import { type Key, text, type Value } from './functions.ts';

/** A processor that puts each value as a version of its key, and says which one is valid at some time before it, and which is the latest. */
export class Dating implements Processor<Key, Value, Key, Value> {
  readonly #node: RandomNode;
  #context!: ProcessorContext<Key, Value>;
  #store!: VersionedKeyValueStore<string, string>;

  constructor(node: RandomNode) {
    this.#node = node;
  }

  init(context: ProcessorContext<Key, Value>): void {
    this.#context = context;
    this.#store = context.versionedStore(`n${this.#node.id}`);
  }

  process({ key, value, timestamp }: Record<Key, Value>): void {
    const of = text(key) ?? 'none';
    const last = this.#store.history(of).at(-1);
    const again = value === undefined && last?.value !== undefined && last.validFromMs === timestamp;
    // Kafka Streams forgets a deletion that replaces a version of the same time.
    if (again && this.#node.not !== true) return;
    this.#store.put(of, text(value), timestamp);
    const before = this.#store.get(of, Math.max(0, timestamp + (this.#node.shift ?? 0)));
    this.#context.forward(
      new Record<Key, Value>(of, `${before ?? 'null'}|${this.#store.get(of) ?? 'null'}`, timestamp),
    );
  }
}
