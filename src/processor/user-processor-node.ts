import { type NodeContext, ProcessorNode } from './node.ts';
import { NodeProcessorContext } from './node-processor-context.ts';
import type { Processor, ProcessorSupplier } from './processor.ts';
import { Record } from './record.ts';

/**
 * Runs a processor written by hand.
 *
 * While an asynchronous one is busy with a record, further records (from a flatMap above) wait in line, so that it sees one at a time.
 */
export class UserProcessorNode extends ProcessorNode {
  readonly #processor: Processor<unknown, unknown, unknown, unknown>;
  readonly #stores: readonly string[];
  #context!: NodeContext;
  #busy: Promise<void> | undefined;

  constructor(
    name: string,
    supplier: ProcessorSupplier<unknown, unknown, unknown, unknown>,
    stores: readonly string[],
  ) {
    super(name);
    this.#processor = supplier();
    this.#stores = stores;
  }

  override init(context: NodeContext): void {
    this.#context = context;
    this.#processor.init?.(
      new NodeProcessorContext(this.name, context, this.#stores, (record, child) => this.#emit(record, child)),
    );
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const record = new Record(key, value, timestamp, this.#context.headers);
    if (this.#busy !== undefined) {
      this.#wait(this.#busy.then(() => this.#processor.process(record)));
      return;
    }
    const result = this.#processor.process(record);
    if (result !== undefined) this.#wait(result);
  }

  override close(): void {
    this.#processor.close?.();
  }

  #wait(work: Promise<void>): void {
    const busy: Promise<void> = work.finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    this.#context.waitFor(busy);
  }

  #emit(record: Record<unknown, unknown>, childName: string | undefined): void {
    if (!(record instanceof Record)) throw new TypeError(`processor ${this.name} forwards something that is no Record`);
    if (childName === undefined) {
      this.forward(record.key, record.value, record.timestamp);
      return;
    }
    const child = this.children.find((node) => node.name === childName);
    if (child === undefined) {
      const names = this.children.map((node) => node.name).join(', ');
      throw new RangeError(`processor ${this.name} forwards to ${childName}, which is none of its children: ${names}`);
    }
    child.process(record.key, record.value, record.timestamp);
  }
}
