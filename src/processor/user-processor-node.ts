import { promiseOf } from '../common/promise-of.ts';
import { shown } from '../common/shown.ts';
import { eventTime } from './event-time.ts';
import { asEnd, failureOf, type NodeContext, ProcessorNode } from './node.ts';
import { NodeProcessorContext } from './node-processor-context.ts';
import type { Processor, ProcessorSupplier, Punctuator } from './processor.ts';
import { Record } from './record.ts';

/**
 * Runs a processor written by hand.
 *
 * While an asynchronous one is busy with a record, further records (from a flatMap above) and punctuations wait in line: it does one thing at a time.
 */
export class UserProcessorNode extends ProcessorNode {
  readonly #processor: Processor<unknown, unknown, unknown, unknown>;
  readonly #stores: readonly string[];
  #context!: NodeContext;
  #busy: Promise<void> | undefined;
  readonly #failed = (error: unknown): void => this.refused(failureOf(this, error));

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
    const given = new NodeProcessorContext(this.name, context, this.#stores, {
      forward: (record, child) => this.#emit(record, child),
      punctuate: (punctuator, timestampMs) => this.#punctuate(punctuator, timestampMs),
    });
    const begun = promiseOf(this.#processor.init?.(given));
    if (begun === undefined) return;
    this.#wait(
      begun.catch((error: unknown) => {
        // No record is at fault: without it there is no processor.
        throw asEnd(failureOf(this, error));
      }),
    );
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const record = new Record(key, value, timestamp, this.#context.headers);
    if (this.#busy !== undefined) {
      this.#wait(this.#busy.then(() => this.#processor.process(record)));
      return;
    }
    const work = promiseOf(this.#processor.process(record));
    if (work !== undefined) this.#wait(work);
  }

  override close(): void {
    this.#processor.close?.();
  }

  #punctuate(punctuator: Punctuator, timestampMs: number): void {
    if (this.#busy !== undefined) {
      this.#wait(this.#busy.then(() => this.#fire(punctuator, timestampMs)));
      return;
    }
    const result = this.#fire(punctuator, timestampMs);
    if (result !== undefined) this.#wait(result);
  }

  #fire(punctuator: Punctuator, timestampMs: number): Promise<void> | undefined {
    const context = this.#context;
    const done = (): void => {
      context.punctuating = false;
    };
    context.punctuating = true;
    let busy: Promise<void> | undefined;
    try {
      busy = promiseOf(punctuator(timestampMs))?.catch(this.#failed).finally(done);
    } catch (error) {
      this.#failed(error);
    } finally {
      if (busy === undefined) done();
    }
    return busy;
  }

  #wait(work: Promise<void>): void {
    const busy: Promise<void> = work.catch(this.#failed).finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    this.#context.waitFor(busy);
  }

  #emit(record: Record<unknown, unknown>, childName: string | undefined): void {
    if (!(record instanceof Record))
      throw new TypeError(`processor ${this.name} forwards something that is not a Record`);
    eventTime(record.timestamp, `the record that processor ${this.name} forwards under key ${shown(record.key)}`);
    const context = this.#context;
    const { headers } = context;
    context.headers = record.headers;
    try {
      this.#forward(record, childName);
    } finally {
      context.headers = headers;
    }
  }

  #forward(record: Record<unknown, unknown>, childName: string | undefined): void {
    if (childName === undefined) {
      this.forward(record.key, record.value, record.timestamp);
      return;
    }
    const child = this.children.find((node) => node.name === childName);
    if (child === undefined) {
      const names = this.children.map((node) => node.name).join(', ');
      throw new RangeError(`processor ${this.name} forwards to ${childName}, which is none of its children: ${names}`);
    }
    this.forwardTo(child, record.key, record.value, record.timestamp);
  }
}
