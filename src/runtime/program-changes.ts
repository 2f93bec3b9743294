import { type DescribedPart, type ReadDescription, readDescription } from '../topology/read-description.ts';

/** What another program means for a state: two descriptions of topologies, held against each other. */
export interface ProgramChanges {
  /** Stores that both have, alike. */
  readonly kept: readonly string[];
  /** Stores that the state does not have: they start empty. */
  readonly added: readonly string[];
  /** Stores that the program does not have. */
  readonly removed: readonly string[];
  /** Stores that have changed. */
  readonly changed: readonly string[];
  /** Why the state cannot go on, one text for each store that has changed. */
  readonly refused: readonly string[];
  /** For each part of the program, the parts of the state that it goes on from: those with which it shares a store or a topic. */
  readonly origins: readonly (readonly number[])[];
}

/**
 * What changes for a state when another program goes on with it. A state belongs to its stores: nodes without store may come, go, and have other names, and parts another order.
 *
 * A store has changed if its kind, serdes or windows have, or if it is not fed any more by a topic that fed it: then it is grouped in another way.
 *
 * @param before - The description of the topology that is saved with the state, details included.
 * @param now - That of the program.
 */
export function programChanges(before: string, now: string): ProgramChanges {
  return changesBetween(readDescription(before), readDescription(now));
}

/** As {@link programChanges}, of what was read back. */
export function changesBetween(old: ReadDescription, next: ReadDescription): ProgramChanges {
  const names = [...next.stores.keys()];
  const refused = new Map(
    names.flatMap((name): (readonly [string, string])[] => {
      const was = old.stores.get(name);
      const is = next.stores.get(name)!;
      if (was === undefined) return [];
      if (was.text !== is.text) return [[name, `store ${name} was ${was.text}, and is now ${is.text}`]];
      const gone = was.topics.filter((topic) => !is.topics.includes(topic));
      if (gone.length === 0) return [];
      const feeds = `${was.topics.join(', ')}, and is now by ${is.topics.join(', ') || 'nothing'}`;
      return [[name, `store ${name} was fed by ${feeds}`]];
    }),
  );
  const origins = next.parts.map((part) => old.parts.flatMap((other) => (overlaps(part, other) ? [other.id] : [])));
  return {
    kept: names.filter((name) => old.stores.has(name) && !refused.has(name)),
    added: names.filter((name) => !old.stores.has(name)),
    removed: [...old.stores.keys()].filter((name) => !next.stores.has(name)),
    changed: [...refused.keys()],
    refused: [...refused.values()],
    origins,
  };
}

function overlaps(a: DescribedPart, b: DescribedPart): boolean {
  return a.topics.some((topic) => b.topics.includes(topic)) || a.stores.some((store) => b.stores.includes(store));
}
