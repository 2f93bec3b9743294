import { type KeyValueStore, type Processor, type ProcessorContext, Record } from '../../../src/index.ts';
import type { RandomNode, TextFunction } from './description.ts';
import { add, initial, type Key, text, type Value } from './functions.ts';

/** A processor that adds each value to its key's row, forgets rows now and then, and may tick. */
export class Remembering implements Processor<Key, Value, Key, Value> {
  readonly #node: RandomNode;
  #context!: ProcessorContext<Key, Value>;
  #store!: KeyValueStore<string, string>;

  constructor(node: RandomNode) {
    this.#node = node;
  }

  init(context: ProcessorContext<Key, Value>): void {
    this.#context = context;
    this.#store = context.keyValueStore(`n${this.#node.id}`);
    const { every } = this.#node;
    if (every !== undefined) context.schedule(every, 'stream-time', (time) => this.#tick(time));
  }

  process(record: Record<Key, Value>): void {
    const { shift = 0, twice } = this.#node;
    const f = this.#node.f as TextFunction;
    const key = record.key === undefined ? 'none' : text(record.key)!;
    const before = this.#store.get(key);
    const total = add(f, record.value, before ?? initial(f));
    this.#store.put(key, total);
    this.#context.forward(new Record<Key, Value>(key, total, Math.max(0, record.timestamp + shift)));
    if (twice) this.#context.forward(new Record<Key, Value>(text(record.key), before, record.timestamp));
  }

  #tick(time: number): void {
    const ticks = String(Number(this.#store.get('#') ?? 0) + 1);
    this.#store.put('#', ticks);
    this.#context.forward(new Record<Key, Value>('tick', `${time}:${ticks}`, time));
  }
}
