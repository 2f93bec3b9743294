import { Random } from '../random-input.ts';
import { buildTopology } from './build.ts';
import type { Predicate, RandomCase, RandomNode, Row, TextFunction, WindowsOf } from './description.ts';

type Kind = 'stream' | 'table' | 'global' | 'group' | 'tableGroup' | 'split';

/** What the generator knows of a node: which operators may follow. */
interface Made {
  readonly id: number;
  readonly kind: Kind;
  /** Of its keys' windows; absent for plain keys. */
  readonly windows?: WindowsOf | undefined;
  readonly numbers: boolean;
  /** Of a table: its rows can be read; it knows what they were before. */
  readonly readable: boolean;
  readonly knowing: boolean;
  /** Of a split: how many branches it has. */
  readonly branches?: number;
}

/** A random case: the same seed gives the same one. */
export function randomCase(seed: string): RandomCase {
  const random = new Random(seed);
  const nodes = new Growing(random).grow();
  return { seed, nodes: withTicksInOneTask(nodes), input: inputOf(random, nodes) };
}

/** Grows a topology node by node. */
class Growing {
  readonly #random: Random;
  readonly #nodes: RandomNode[] = [];
  readonly #made: Made[] = [];
  readonly #used = new Set<number>();
  #topics = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  grow(): readonly RandomNode[] {
    const random = this.#random;
    this.#source();
    for (let more = 2 + random.below(9); more > 0; more--) {
      if (random.chance(15)) this.#source();
      else this.#operator(this.#pick());
    }
    // What nothing reads is sent, so that it can be seen. Splits and groupings of which nothing was made stay as they are.
    for (const made of [...this.#made]) if (!this.#used.has(made.id) || random.chance(10)) this.#send(made);
    return this.#nodes.filter(({ op, id }) => op !== 'tableGroup' || this.#used.has(id));
  }

  #pick(): Made {
    const random = this.#random;
    // Young nodes more often, so that topologies grow deep; old ones too, so that nodes are shared.
    const from = random.chance(60) ? Math.max(0, this.#made.length - 2) : 0;
    return random.of(this.#made.slice(from));
  }

  #add(node: Omit<RandomNode, 'id'>, made?: Omit<Made, 'id'>): void {
    const id = this.#nodes.length;
    this.#nodes.push({ id, ...node });
    for (const parent of node.of) this.#used.add(parent);
    if (made !== undefined) this.#made.push({ ...made, id });
  }

  #source(): void {
    const random = this.#random;
    const [topic, second] = [`in${this.#topics++}`, `in${this.#topics}`];
    const plain = { numbers: false, readable: true, knowing: true };
    const sent = this.#made.filter((made) => made.kind === 'stream');
    if (sent.length > 0 && random.chance(15)) {
      this.#loop(random.of(sent));
      return;
    }
    const choice = random.below(10);
    const again = random.of(this.#nodes.filter(({ op, of }) => op === 'stream' && of.length === 0));
    if (again !== undefined && random.chance(15))
      this.#add({ op: 'stream', of: [], topics: again.topics! }, { kind: 'stream', ...plain });
    else if (choice < 4) this.#add({ op: 'stream', of: [], topics: [topic] }, { kind: 'stream', ...plain });
    else if (choice < 5) {
      this.#topics++;
      this.#add({ op: 'stream', of: [], topics: [topic, second] }, { kind: 'stream', ...plain });
    } else if (choice < 9) {
      const stored = random.chance(85);
      const table = { ...plain, readable: stored, knowing: stored };
      this.#add({ op: 'table', of: [], topics: [topic], stored, cached: this.#cached() }, { kind: 'table', ...table });
    } else this.#add({ op: 'global', of: [], topics: [topic] }, { kind: 'global', ...plain });
  }

  /** A stream of what is sent to a topic. */
  #loop(on: Made): void {
    this.#to(on.id);
    const { id, topics } = this.#nodes.at(-1)!;
    this.#add({ op: 'stream', of: [id], topics: topics! }, { ...on, numbers: false });
  }

  #operator(on: Made): void {
    if (on.kind === 'stream') this.#onStream(on);
    else if (on.kind === 'table') this.#onTable(on);
    else if (on.kind === 'group') this.#aggregate(on);
    else if (on.kind === 'tableGroup') this.#aggregateTable(on);
    else if (on.kind === 'split') this.#branch(on);
    else this.#globalJoin(on);
  }

  #onStream(on: Made): void {
    const of = [on.id];
    const texts = { ...on, numbers: false };
    const plain = { ...texts, windows: undefined };
    const random = this.#random;
    const f = this.#value();
    const choices: [weight: number, add: () => void][] = [
      [3, () => this.#add({ op: 'filter', of, f: this.#predicate(), not: random.chance(30) }, on)],
      [2, () => this.#add({ op: 'map', of, key: this.#key(), f }, plain)],
      [2, () => this.#add({ op: 'mapValues', of, f }, texts)],
      [1, () => this.#add({ op: 'flatMap', of, f: this.#key() }, plain)],
      [1, () => this.#add({ op: 'flatMapValues', of, f }, texts)],
      [2, () => this.#add({ op: 'selectKey', of, f: this.#key() }, { ...on, windows: undefined })],
      [1, () => this.#add({ op: 'peek', of }, on)],
      [2, () => this.#merge(on)],
      [2, () => this.#split(on)],
      [2, () => this.#process(on)],
      [4, () => this.#add({ op: 'groupBy', of, f: this.#key() }, { ...on, windows: undefined, kind: 'group' })],
      [3, () => this.#streamJoin(on)],
    ];
    choices.push(
      [5, () => this.#add({ op: 'groupByKey', of }, { ...on, kind: 'group' })],
      [2, () => this.#add({ op: 'repartition', of }, on)],
      [3, () => this.#add({ op: 'toTable', of, cached: this.#cached() }, { ...on, kind: 'table' })],
    );
    this.#weighted(choices);
  }

  #onTable(on: Made): void {
    const of = [on.id];
    const random = this.#random;
    const stored = random.chance(40);
    const table = stored ? { ...on, readable: true, knowing: true } : on;
    const store = stored ? { stored, cached: this.#cached() } : { stored };
    const choices: [weight: number, add: () => void][] = [
      [4, () => this.#add({ op: 'tableFilter', of, f: this.#predicate(), not: random.chance(30), ...store }, table)],
      [4, () => this.#add({ op: 'tableMapValues', of, f: this.#value(), ...store }, { ...table, numbers: false })],
      [3, () => this.#add({ op: 'toStream', of }, { ...on, kind: 'stream' })],
    ];
    if (on.knowing)
      choices.push([
        5,
        () =>
          this.#add(
            { op: 'tableGroup', of, key: this.#key(), f: this.#value() },
            { ...on, kind: 'tableGroup', windows: undefined, numbers: false },
          ),
      ]);
    if (on.windows !== undefined)
      choices.push([4, () => this.#add({ op: 'suppress', of }, { ...on, readable: false, knowing: true })]);
    if (on.readable && on.knowing) choices.push([7, () => this.#tableJoin(on)], [2, () => this.#streamJoin(on)]);
    this.#weighted(choices);
  }

  #aggregate(on: Made): void {
    const random = this.#random;
    const ops = on.numbers ? ['count', 'aggregate'] : ['count', 'reduce', 'aggregate'];
    const op = random.of(ops);
    const windows = on.windows === undefined && random.chance(55) ? this.#windows() : undefined;
    const how = op === 'count' ? {} : { f: this.#total() };
    const made: Omit<Made, 'id'> = {
      kind: 'table',
      windows: windows ?? on.windows,
      numbers: op === 'count',
      readable: true,
      knowing: true,
    };
    this.#add({ op, of: [on.id], ...how, cached: this.#cached(), ...(windows === undefined ? {} : { windows }) }, made);
    this.#forget(on);
  }

  #aggregateTable(on: Made): void {
    const op = this.#random.of(['tableCount', 'tableReduce', 'tableAggregate']);
    const how = op === 'tableCount' ? {} : { f: this.#total() };
    this.#add(
      { op, of: [on.id], ...how, cached: this.#cached() },
      { kind: 'table', numbers: op === 'tableCount', readable: true, knowing: true },
    );
    this.#forget(on);
  }

  /** Most groupings are aggregated once, some several times. */
  #forget(on: Made): void {
    if (this.#random.chance(60)) this.#made.splice(this.#made.indexOf(on), 1);
  }

  #merge(on: Made): void {
    const others = this.#made.filter(
      (other) => other.kind === 'stream' && other.numbers === on.numbers && sameKeys(other, on),
    );
    if (others.length > 0) this.#add({ op: 'merge', of: [on.id, this.#random.of(others).id] }, on);
  }

  #split(on: Made): void {
    const preds = Array.from({ length: 1 + this.#random.below(2) }, () => this.#predicate());
    const rest = this.#random.chance(50);
    const branches = preds.length + (rest ? 1 : 0);
    this.#add({ op: 'split', of: [on.id], preds, rest }, { ...on, kind: 'split', branches });
    this.#branch(this.#made.at(-1)!);
  }

  #branch(on: Made): void {
    this.#add({ op: 'branch', of: [on.id], index: this.#random.below(on.branches!) }, { ...on, kind: 'stream' });
  }

  #process(on: Made): void {
    const random = this.#random;
    const made = { ...on, numbers: false, windows: undefined };
    if (random.chance(25)) {
      this.#add({ op: 'processVersions', of: [on.id], shift: random.of([0, -5, -20]) }, made);
      return;
    }
    const every = random.chance(30) ? { every: random.of([1, 7, 10, 50]) } : {};
    const how = { f: this.#total(), shift: random.of([0, 0, 7, -5]), twice: random.chance(30), ...every };
    this.#add({ op: 'process', of: [on.id], ...how }, made);
  }

  #tableJoin(on: Made): void {
    const random = this.#random;
    const others = this.#made.filter(
      (other) => other.kind === 'table' && other.readable && other.knowing && sameKeys(other, on),
    );
    const pair = [on.id, random.of(others).id];
    if (random.chance(50)) pair.reverse();
    const stored = random.chance(40);
    this.#add(
      { op: 'tableJoin', of: pair, f: this.#joiner(), left: random.chance(50), stored, cached: this.#cached() },
      { ...on, kind: 'table', numbers: false, readable: true, knowing: true },
    );
  }

  /** A stream with a table, whichever of them is given. */
  #streamJoin(on: Made): void {
    const isStream = on.kind === 'stream';
    const others = this.#made.filter((other) =>
      isStream
        ? other.kind === 'table' && other.readable && other.knowing && sameKeys(other, on)
        : other.kind === 'stream' && sameKeys(other, on),
    );
    if (others.length === 0) return;
    const other = this.#random.of(others);
    const [stream, table] = isStream ? [on, other] : [other, on];
    const how = { f: this.#joiner(), left: this.#random.chance(50) };
    this.#add({ op: 'streamJoin', of: [stream.id, table.id], ...how }, { ...stream, numbers: false });
  }

  #globalJoin(on: Made): void {
    const streams = this.#made.filter(({ kind }) => kind === 'stream');
    if (streams.length === 0) return;
    const stream = this.#random.of(streams);
    const how = { key: this.#key(), f: this.#joiner(), left: this.#random.chance(50) };
    this.#add({ op: 'globalJoin', of: [stream.id, on.id], ...how }, { ...stream, numbers: false });
  }

  #send(made: Made): void {
    if (made.kind === 'table') {
      this.#add({ op: 'toStream', of: [made.id] }, { ...made, kind: 'stream' });
      this.#to(this.#made.at(-1)!.id);
    } else if (made.kind === 'stream') this.#to(made.id);
  }

  #to(of: number): void {
    this.#add({ op: 'to', of: [of], topics: [`out${this.#nodes.length}`] });
  }

  #weighted(choices: readonly [weight: number, add: () => void][]): void {
    let at = this.#random.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, add] of choices) {
      at -= weight;
      if (at < 0) {
        add();
        return;
      }
    }
  }

  #cached(): boolean {
    return this.#random.chance(75);
  }

  #windows(): WindowsOf {
    const random = this.#random;
    const size = random.of([10, 10, 16]);
    const grace = random.of([0, 5, 20]);
    const retention = random.chance(50) ? 1_000_000 : size + grace + random.of([0, 1, 7, 30]);
    return { size, advance: random.of([size, size, 5, 7]), grace, retention };
  }

  #predicate(): Predicate {
    const m = this.#random.of([2, 2, 3, 4]);
    return { on: this.#random.chance(70) ? 'value' : 'key', m, r: this.#random.below(m) };
  }

  #value(): TextFunction {
    const random = this.#random;
    const kind = random.of(['tag', 'tag', 'tag', 'key', 'same', 'one', 'cut']);
    return { kind, tag: random.of(['x', 'y', '!']), ...this.#nulls(20) };
  }

  #key(): TextFunction {
    const random = this.#random;
    return {
      kind: random.of(['bucket', 'bucket', 'key', 'cut']),
      n: 1 + random.below(3),
      tag: '~',
      ...this.#nulls(20),
    };
  }

  #joiner(): TextFunction {
    return { kind: 'join', ...this.#nulls(15) };
  }

  #total(): TextFunction {
    return { kind: this.#random.of(['trace', 'trace', 'sum']), ...this.#nulls(25) };
  }

  #nulls(percent: number): { m?: number; r?: number } {
    if (!this.#random.chance(percent)) return {};
    const m = this.#random.of([3, 4, 5]);
    return { m, r: this.#random.below(m) };
  }
}

function sameKeys(a: Made, b: Made): boolean {
  return JSON.stringify(a.windows) === JSON.stringify(b.windows);
}

/**
 * Kafka Streams' test driver runs all sub-topologies as one task, so that a record of one moves the time by which another ticks. On Kafka each
 * task has a time of its own: only where there is one are ticks compared.
 */
function withTicksInOneTask(nodes: readonly RandomNode[]): readonly RandomNode[] {
  if (buildTopology(nodes).topology.subTopologies.length === 1) return nodes;
  return nodes.map(({ every: _, ...node }) => node);
}

const keys = ['a', 'a', 'b', 'b', 'c', 'é', '～', '😀'];
const values = ['0', '1', '2', '3', '4', '5', '7', '12', 'a', 'b', 'ab', 'b7', ''];

function inputOf(random: Random, nodes: readonly RandomNode[]): readonly Row[] {
  const topics = [...new Set(nodes.flatMap((node) => (node.of.length === 0 ? node.topics! : [])))];
  const lateMs = random.of([0, 10, 40]);
  const step = random.of([0, 1, 3, 8]);
  const keyCount = random.of([1, 3, keys.length]);
  const rows: Row[] = [];
  let clock = random.of([0, 3, 1000]);
  for (let more = 3 + random.below(30); more > 0; more--) {
    clock += random.chance(4) ? 100 : random.below(step + 1);
    const late = random.chance(30) && lateMs > 0 ? random.below(lateMs) : 0;
    const key = random.chance(6) ? null : random.of(keys.slice(0, keyCount));
    const value = random.chance(12) ? null : random.of(values);
    rows.push([random.of(topics), key, value, Math.max(0, clock - late)]);
  }
  return rows;
}
