import { type Differences, differencesBetween, type Outcomes } from './compare.ts';
import type { RandomCase, RandomNode } from './description.ts';

/** Peculiarities of Kafka Streams that can be taken out of a topology: the Java half then builds the same thing from other parts. */
export interface Without {
  /** The first value of an aggregate. */
  readonly initials?: boolean;
  /** What a stored join says that its rows were. */
  readonly joins?: boolean;
  /** What suppression says that a row was. */
  readonly suppressed?: boolean;
}

/** Runs a case in Kafka Streams. */
export type KafkaStreamsRun = (given: RandomCase, without?: Without) => Promise<Outcomes>;

/**
 * Places where weir is right and Kafka Streams is not. Each is taken out of what Kafka Streams runs; if the difference goes with it, that was the cause.
 *
 * - **A new row was nothing before.** Without a cache Kafka Streams says of the first value of a `count` or `aggregate` that it replaces the initializer's, which was never
 *   told: a grouping then subtracts what it never added, a filter tells of the deletion of a row that nobody has.
 * - **A stored join knows its rows.** Where one record changes both sides, Kafka Streams makes up the old value of a stored join from the old value of one side and the
 *   new one of the other; without a cache it tells that, though its store has another. A grouping then subtracts what it never added. * - **What is suppressed leaves once.** Kafka Streams says that a row which leaves was what it was before its last update, though that was held back. A grouping then subtracts what
 *   it never added.
 */
const causes: readonly {
  readonly why: string;
  readonly without: Without;
  readonly of: (node: RandomNode) => boolean;
}[] = [
  {
    why: 'a new row of an aggregate was nothing before',
    without: { initials: true },
    of: ({ op }) => op === 'count' || op === 'aggregate',
  },
  {
    why: 'a stored join knows what its rows were',
    without: { joins: true },
    of: ({ op, stored }) => op === 'tableJoin' && stored === true,
  },
  { why: 'what is suppressed leaves once', without: { suppressed: true }, of: ({ op }) => op === 'suppress' },
];

/** Kafka Streams connects a node to a store that it only adds later, where a grouping of a table is aggregated again further down. */
const cannotBuild = /StateStore n\d+ is not added yet/;

/** What is left unexplained of the differences between both, and the causes of the rest. */
export async function unexplained(
  given: RandomCase,
  ours: Outcomes,
  run: KafkaStreamsRun,
): Promise<{ readonly differences: Differences; readonly causes: readonly string[] }> {
  const plain = await run(given);
  if (plain.uncached.failed?.match(cannotBuild))
    return { differences: new Map(), causes: ['Kafka Streams cannot build it'] };
  let differences = differencesBetween(given, ours, plain);
  if (differences.size === 0) return { differences, causes: [] };
  const found: string[] = [];
  const possible = causes.filter(({ of }) => given.nodes.some(of));
  const sets = [...possible.map((cause) => [cause]), possible].filter((set) => set.length > 0);
  for (const set of sets) {
    const theirs = await run(given, Object.assign({}, ...set.map(({ without }) => without)) as Without);
    const rest = differencesBetween(given, ours, theirs);
    const gone = [...differences.keys()].filter((mode) => !rest.has(mode));
    if (gone.length > 0) found.push(...set.map(({ why }) => why));
    differences = new Map([...differences].filter(([mode]) => !gone.includes(mode)));
    if (differences.size === 0) return { differences, causes: found };
  }
  return { differences, causes: found };
}
