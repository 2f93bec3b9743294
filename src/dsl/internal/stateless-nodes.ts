import { promiseOf } from '../../common/promise-of.ts';
import { shown } from '../../common/shown.ts';
import { failureOf, type NodeContext, ProcessorNode } from '../../processor/node.ts';

/** Functions over key and value, untyped: the DSL checks them where they are given. */
export type Fn<R> = (a: unknown, b: unknown) => R;

/** What a function of the user's gave for a record. @throws TypeError if it is no pair of key and value */
export function pairOf(mapped: unknown): readonly [unknown, unknown] {
  if (!Array.isArray(mapped) || mapped.length !== 2)
    throw new TypeError(
      `its function gave ${shown(mapped)} instead of [key, value]. To drop a record use filter or flatMap`,
    );
  return mapped as [unknown, unknown];
}

function iterableOf<T>(mapped: Iterable<T>): Iterable<T> {
  if (typeof (mapped as Partial<Iterable<T>> | null)?.[Symbol.iterator] !== 'function')
    throw new TypeError(`its function gave ${shown(mapped)} instead of an array of records. For none give []`);
  return mapped;
}

/** Passes records on as they are. */
export class PassThroughNode extends ProcessorNode {
  override process(key: unknown, value: unknown, timestamp: number): void {
    this.forward(key, value, timestamp);
  }
}

/** Keeps records for which the predicate is `keep`. */
export class FilterNode extends ProcessorNode {
  readonly #predicate: Fn<boolean>;
  readonly #keep: boolean;

  constructor(name: string, predicate: Fn<boolean>, keep: boolean) {
    super(name);
    this.#predicate = predicate;
    this.#keep = keep;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (!!this.#predicate(key, value) === this.#keep) this.forward(key, value, timestamp);
  }
}

/** Changes key and value. */
export class MapNode extends ProcessorNode {
  readonly #mapper: Fn<readonly [unknown, unknown]>;

  constructor(name: string, mapper: Fn<readonly [unknown, unknown]>) {
    super(name);
    this.#mapper = mapper;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const mapped = pairOf(this.#mapper(key, value));
    this.forward(mapped[0], mapped[1], timestamp);
  }
}

/** Changes the value. The mapper gets value, then key. */
export class MapValuesNode extends ProcessorNode {
  readonly #mapper: Fn<unknown>;

  constructor(name: string, mapper: Fn<unknown>) {
    super(name);
    this.#mapper = mapper;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    this.forward(key, this.#mapper(value, key), timestamp);
  }
}

/** Changes the key. */
export class SelectKeyNode extends ProcessorNode {
  readonly #selector: Fn<unknown>;

  constructor(name: string, selector: Fn<unknown>) {
    super(name);
    this.#selector = selector;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    this.forward(this.#selector(key, value), value, timestamp);
  }
}

/** Gives any number of records for one. */
export class FlatMapNode extends ProcessorNode {
  readonly #mapper: Fn<Iterable<readonly [unknown, unknown]>>;

  constructor(name: string, mapper: Fn<Iterable<readonly [unknown, unknown]>>) {
    super(name);
    this.#mapper = mapper;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    for (const mapped of iterableOf(this.#mapper(key, value))) {
      const pair = pairOf(mapped);
      this.forward(pair[0], pair[1], timestamp);
    }
  }
}

/** Gives any number of values for one. The mapper gets value, then key. */
export class FlatMapValuesNode extends ProcessorNode {
  readonly #mapper: Fn<Iterable<unknown>>;

  constructor(name: string, mapper: Fn<Iterable<unknown>>) {
    super(name);
    this.#mapper = mapper;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    for (const newValue of iterableOf(this.#mapper(value, key))) this.forward(key, newValue, timestamp);
  }
}

/** Looks at each record and passes it on. The next one waits for what its function promises. */
export class PeekNode extends ProcessorNode {
  readonly #action: Fn<unknown>;
  #context!: NodeContext;

  constructor(name: string, action: Fn<unknown>) {
    super(name);
    this.#action = action;
  }

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const work = promiseOf(this.#action(key, value));
    if (work !== undefined) this.#context.waitFor(work.catch((error) => this.refused(failureOf(this, error))));
    this.forward(key, value, timestamp);
  }
}

/** Sends each record to the first child whose predicate holds; its children stand in the predicates' order. */
export class BranchNode extends ProcessorNode {
  readonly #predicates: readonly Fn<boolean>[];

  constructor(name: string, predicates: readonly Fn<boolean>[]) {
    super(name);
    this.#predicates = predicates;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const predicates = this.#predicates;
    for (let i = 0; i < predicates.length; i++) {
      if (predicates[i]!(key, value)) {
        this.forwardTo(this.children[i]!, key, value, timestamp);
        return;
      }
    }
  }
}
