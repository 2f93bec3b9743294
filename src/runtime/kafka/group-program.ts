import { StreamsError } from '../../common/errors.ts';
import { rebuildOption } from '../../common/remedies.ts';
import { foremost } from '../../topology/behind.ts';
import type { ReadDescription } from '../../topology/read-description.ts';
import type { Topology } from '../../topology/topology.ts';
import { changesBetween, type ProgramChanges } from '../program-changes.ts';
import { type CommittedTask, hadStore, hasCommitted, usedTopic } from './committed-tasks.ts';
import { repartitionTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import { describedProgram, programOf, type TaskProgram } from './task-program.ts';

/** What a program means for what a group has committed, as far as that says what program it is of. */
export interface GroupChanges extends ProgramChanges {
  /** Stores that begin where others have read already: what was read before does not count in them. */
  readonly empty: readonly string[];
  /** Repartition topics whose records are written in another way, as the topology calls them, and how. */
  readonly carried: ReadonlyMap<string, string>;
}

/**
 * Holds a program against what the group has committed of its tasks.
 *
 * @param former - and of sub-topologies that it does not have
 */
export function changesOfGroup(
  topology: Topology,
  tasks: readonly CommittedTask[],
  applicationId: string,
  former: readonly TaskProgram[] = [],
): GroupChanges {
  const programs = [...former, ...tasks.flatMap(({ said }) => said?.program ?? [])];
  const stores = new Map(programs.flatMap((program) => Object.entries(program.stores)));
  const now = describedProgram(topology);
  const changes = changesBetween({ stores, parts: [] }, now);
  const empty = topology.stores
    .map(({ name }) => name)
    .filter((name) => isEmpty(name, topology, tasks.filter(hasCommitted), applicationId));
  const own = topology.subTopologies.map((part) => programOf(topology, part));
  const names = new Set(topology.stores.map(({ name }) => name));
  const added = programs.length === 0 ? [] : changes.added.filter((name) => names.has(name));
  const carried = otherSerdes(programs, own);
  // What reads such a topic has changed with it.
  const fed = topology.stores
    .map(({ name }) => name)
    .filter((name) => now.stores.get(name)!.topics.some((topic) => carried.has(topic)));
  return {
    ...changes,
    kept: changes.kept.filter((name) => !fed.includes(name)),
    added: [...new Set([...added, ...empty])],
    changed: [...new Set([...changes.changed, ...fed])],
    refused: [...changes.refused, ...carried.values()],
    empty,
    carried,
  };
}

/** Whether a task that has committed did without a store, or did not write to a topic that feeds it. */
function isEmpty(store: string, topology: Topology, tasks: readonly CommittedTask[], applicationId: string): boolean {
  const of = (id: number): readonly CommittedTask[] => tasks.filter((task) => task.id.subTopology === id);
  const feeding = describedProgram(topology).stores.get(store)?.topics ?? [];
  return topology.subTopologies.some((part) => {
    if (part.stores.includes(store)) return of(part.id).some((task) => !hadStore(task, store, applicationId));
    const written = part.sinks.map(({ topic }) => topic).filter((topic) => feeding.includes(topic));
    return written
      .filter((name) => topology.repartitions.has(name))
      .some((name) =>
        of(part.id).some((task) => !usedTopic(task, { name, topic: repartitionTopic(applicationId, name) })),
      );
  });
}

/** Repartition topics whose records are written in another way: those on their way would be read wrongly. */
function otherSerdes(before: readonly TaskProgram[], now: readonly TaskProgram[]): ReadonlyMap<string, string> {
  const was = new Map(before.flatMap(({ carried }) => Object.entries(carried)));
  const is = new Map(now.flatMap(({ carried }) => Object.entries(carried)));
  return new Map(
    [...is].flatMap(([topic, serdes]): [string, string][] =>
      (was.get(topic) ?? serdes) === serdes
        ? []
        : [[topic, `repartition topic ${topic} carried ${was.get(topic)}, and carries ${serdes} now`]],
    ),
  );
}

/** Why a program cannot be at work beside another in one group; undefined for no reason. */
export function conflict(other: readonly TaskProgram[], own: readonly TaskProgram[]): string | undefined {
  const storesOf = (programs: readonly TaskProgram[]): ReadDescription => ({
    stores: new Map(programs.flatMap(({ stores }) => Object.entries(stores))),
    parts: [],
  });
  const { kept, added, removed, refused } = changesBetween(storesOf(other), storesOf(own));
  const changed = [...refused, ...otherSerdes(other, own).values()];
  if (changed.length > 0) return changed.join('; ');
  if (kept.length > 0 || added.length === 0 || removed.length === 0) return undefined;
  return `it has none of the stores of the others (${removed.join(', ')})`;
}

/**
 * Refuses a program that cannot go on from what the group has committed of these tasks.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` that names each store that has changed, and how
 */
export function refuseOtherStores({ refused, changed }: GroupChanges, topology: Topology, applicationId: string): void {
  if (refused.length === 0) return;
  const stores = foremost(topology, changed);
  const anew =
    stores.length === 0
      ? ''
      : `Make what changes anew with weir run ${rebuildOption(stores, 'rebuildStoresOnKafka')}; or g`;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `application ${applicationId} has committed with a program of other stores: ${refused.join('; ')}. ${anew === '' ? 'G' : anew}ive a store that changes another name, with its grouping, or run the program under another application id; or let it count everything again from its topics, after weir reset. weir describe --diff --brokers says all that it changes.`,
  );
}

/**
 * Refuses a program that has none of the stores that the group has committed with: it was given the application id by mistake.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE`
 */
export function refuseStranger({ kept, removed }: GroupChanges, applicationId: string): void {
  if (kept.length === 0 && removed.length > 0)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `application ${applicationId} has committed with another program: this one has none of its stores (${removed.join(', ')}). Give each program its own application id.`,
    );
}

/** Says which stores begin empty, and which leave the state. */
export function tellChanges(
  { empty, removed }: GroupChanges,
  { applicationId, logger }: Pick<FilledOptions, 'applicationId' | 'logger'>,
): void {
  for (const store of empty)
    logger.warn(
      { store },
      `store ${store} is new in application ${applicationId} and starts empty: what was read before does not count in it. For a store of all that there is make it anew: ${rebuildOption([store], 'rebuildStoresOnKafka')}`,
    );
  for (const store of removed)
    logger.warn({ store }, `the program has no store ${store} any more: what is read from now on does not count in it`);
}
