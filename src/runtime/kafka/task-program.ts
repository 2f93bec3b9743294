import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type DescribedStore, type ReadDescription, readDescription } from '../../topology/read-description.ts';
import type { SubTopology } from '../../topology/sub-topology.ts';
import type { Topology } from '../../topology/topology.ts';
import { descriptionOf } from '../saved-state.ts';

/** What a task's commits say of the program that made them: the next owner, which may run another one, finds everything by these names. */
export interface TaskProgram {
  /** The number of its sub-topology: it stays, whatever order the sources of a program have. */
  readonly part: number;
  /** The topics that all sub-topologies read, by their numbers, as the topology calls them, sorted. */
  readonly parts: PartTopics;
  /** The same of those that earlier programs had. */
  readonly former: PartTopics;
  /** Its stores, the global ones left out. */
  readonly stores: Readonly<Record<string, DescribedStore>>;
  /** Repartition topics that it reads or writes, with the serdes of their records. */
  readonly carried: Readonly<Record<string, string>>;
}

/** Topics by the number of the sub-topology that reads them. */
export type PartTopics = Readonly<Record<number, readonly string[]>>;

/** Names in whose order a task's clocks are written. */
export interface ClockNames {
  /** Operators with a clock, sorted. */
  readonly operators: readonly string[];
  /** Nodes with punctuations by stream time, sorted: one that has several stands there as often. */
  readonly schedules: readonly string[];
}

interface Written {
  readonly n: number;
  readonly i: PartTopics;
  readonly f: PartTopics;
  readonly s: Readonly<Record<string, readonly [text: string, ...topics: string[]]>>;
  readonly r: Readonly<Record<string, string>>;
  readonly o: readonly string[];
  readonly p: readonly string[];
}

const described = new WeakMap<Topology, ReadDescription>();

/** A topology as it is read back from its description. */
export function describedProgram(topology: Topology): ReadDescription {
  let found = described.get(topology);
  if (found === undefined) {
    found = readDescription(descriptionOf(topology));
    described.set(topology, found);
  }
  return found;
}

/** The program of a sub-topology's tasks. */
export function programOf(topology: Topology, part: SubTopology): TaskProgram {
  const { stores } = describedProgram(topology);
  const own = topology.stores.map(({ name }) => name).filter((name) => part.stores.includes(name));
  const topics = topicsOf(part);
  const internal = [...topics, ...part.sinks.map(({ topic }) => topic)].filter((topic) =>
    topology.repartitions.has(topic),
  );
  return {
    part: part.id,
    parts: Object.fromEntries(topology.subTopologies.map((each) => [each.id, topicsOf(each)])),
    former: topology.formerParts,
    stores: Object.fromEntries(own.sort().map((name) => [name, stores.get(name)!])),
    carried: Object.fromEntries(internal.sort().map((topic) => [topic, carriedBy(topology, topic)])),
  };
}

const topicsOf = ({ sources }: SubTopology): readonly string[] => sources.flatMap(({ topics }) => topics).sort();

/** The topics that a task of a program reads. */
export function topicsRead({ part, parts }: TaskProgram): readonly string[] {
  return parts[part] ?? [];
}

/** The serdes of a repartition topic's records. */
function carriedBy(topology: Topology, topic: string): string {
  const reader = topology.nodes.find((node) => node.kind === 'source' && node.topics.includes(topic));
  if (reader?.kind !== 'source') return '';
  const changes = topology.repartitions.get(topic)!.changes ? ', changes' : '';
  return `${reader.keySerde.name} -> ${reader.valueSerde.name}${changes}`;
}

const texts = new WeakMap<TaskProgram, { readonly names: string; readonly text: string }>();

/** The program as a text of few letters. */
export function programText(program: TaskProgram, { operators, schedules }: ClockNames): string {
  const names = JSON.stringify([operators, schedules]);
  const known = texts.get(program);
  if (known?.names === names) return known.text;
  const { part, parts, former, stores, carried } = program;
  const written: Written = {
    n: part,
    i: parts,
    f: former,
    s: Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, [store.text, ...store.topics]])),
    r: carried,
    o: operators,
    p: schedules,
  };
  const text = deflateRawSync(JSON.stringify(written), { level: 9 }).toString('base64');
  texts.set(program, { names, text });
  return text;
}

/** Reads what {@link programText} wrote. */
export function readProgram(text: string): { readonly program: TaskProgram; readonly names: ClockNames } {
  const { n, i, f, s, r, o, p } = JSON.parse(inflateRawSync(Buffer.from(text, 'base64')).toString()) as Written;
  const stores = Object.entries(s).map(([name, [store, ...topics]]) => [name, { text: store, topics }] as const);
  return {
    program: { part: n, parts: i, former: f, stores: Object.fromEntries(stores), carried: r },
    names: { operators: o, schedules: p },
  };
}
