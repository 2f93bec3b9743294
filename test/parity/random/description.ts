/** A predicate: the hash of key or value leaves the rest `r` when divided by `m`. */
export interface Predicate {
  readonly on: 'key' | 'value';
  readonly m: number;
  readonly r: number;
}

/** A function that makes a text; none where the value's hash leaves the rest `r` when divided by `m`. */
export interface TextFunction {
  readonly kind: string;
  readonly tag?: string;
  readonly n?: number;
  readonly m?: number;
  readonly r?: number;
}

/** Windows of a fixed size, all in ms. */
export interface WindowsOf {
  readonly size: number;
  readonly advance: number;
  readonly grace: number;
  readonly retention: number;
}

/** One node: what it does, and to which earlier nodes (of a stream: the node that writes its topic, if one does). Its name, that of its store and of its internal topic is `n<id>`. */
export interface RandomNode {
  readonly id: number;
  readonly op: string;
  readonly of: readonly number[];
  readonly topics?: readonly string[];
  readonly f?: Predicate | TextFunction;
  readonly key?: TextFunction;
  readonly preds?: readonly Predicate[];
  readonly index?: number;
  readonly windows?: WindowsOf;
  /** A filter that keeps what does not pass; a processor of versions that also puts deletions in the place of versions of the same time. */
  readonly not?: boolean;
  /** A split with a default branch. */
  readonly rest?: boolean;
  readonly left?: boolean;
  readonly stored?: boolean;
  readonly cached?: boolean;
  /** Of a processor: ms between ticks; ms by which it moves records; whether it forwards a second record. */
  readonly every?: number;
  readonly shift?: number;
  readonly twice?: boolean;
}

/** `[topic, key, value, timestamp]` */
export type Row = readonly [topic: string, key: string | null, value: string | null, timestamp: number];

/** A topology and its input: what both sides are given. */
export interface RandomCase {
  readonly seed: string;
  readonly nodes: readonly RandomNode[];
  readonly input: readonly Row[];
}

/** What came of a case: records sent in order, rows of each store by key, the number of drops. */
export interface Outcome {
  readonly output: readonly Row[];
  readonly stores: Readonly<Record<string, readonly (readonly [key: string, value: string, timestamp?: number])[]>>;
  readonly dropped: number;
  /** What was thrown instead. */
  readonly failed?: string;
}

/** Both ways to run: each update told at once, or once after each record where a store has a cache. */
export type Mode = 'uncached' | 'cached';
export const modes: readonly Mode[] = ['uncached', 'cached'];
