import { hash } from 'node:crypto';
import { StreamsError } from '../../common/errors.ts';
import { dropReasons } from '../../processor/drop-reason.ts';
import type { SavedTask } from '../task.ts';
import { type ClockNames, programText, readProgram, type TaskProgram, topicsRead } from './task-program.ts';
import { markLength } from './topic-marks.ts';

/** What a task commits beside its positions: clocks, counters, and how far it has joined with each global topic again. */
export interface TaskMetadata {
  readonly task: SavedTask;
  /** Of each partition of each global topic the position up to which changes were joined again. */
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** What the commit stands on; undefined in what versions before 0.2 wrote. */
  readonly basis?: CommitBasis;
  /** The program that made the commit; undefined in what versions before 1.0 wrote, and where there was no room for it. */
  readonly program?: TaskProgram;
  /** Tells the commit with which stores were made anew from one that has the same clocks. */
  readonly anew?: string;
}

/** What a commit stands on: with it the next owner knows whether positions, topics and state still go together. */
export interface CommitBasis {
  /** The positions that were committed, by the topology's names of the inputs. */
  readonly positions: Readonly<Record<string, number>>;
  /** Where the changelogs ended after the commit before, by store; 0 where that is not known. */
  readonly reached: Readonly<Record<string, number>>;
  /** {@link marksOf} the application's topics, the task's own first. */
  readonly topics: string;
}

/** Brokers refuse more. */
const mostBytes = 4096;
/** Versions before 1.0 wrote 1: without names. They read nothing else, and take a position with another number for somebody else's. */
const version = 2;
const versions: readonly unknown[] = [1, version];

/** Runs of equal numbers as pairs [value, count]: most operators of a task have seen the same time. */
function runs(values: readonly number[]): number[] {
  const pairs: number[] = [];
  for (const value of values) {
    if (pairs.length > 0 && pairs[pairs.length - 2] === value) pairs[pairs.length - 1]!++;
    else pairs.push(value, 1);
  }
  return pairs;
}

function unrun(pairs: readonly number[]): number[] {
  const values: number[] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) for (let n = 0; n < pairs[i + 1]!; n++) values.push(pairs[i]!);
  return values;
}

interface Written {
  readonly v: number;
  /** Stream time, then each operator's time less the stream time, in the order of the operators' names. */
  readonly s: number;
  readonly o: readonly number[];
  /** When punctuations are due next, in the order of their nodes' names; in version 1 in the order of the nodes. */
  readonly p: readonly number[];
  readonly i: readonly number[];
  readonly n: number;
  readonly d: readonly number[];
  readonly g: Readonly<Record<string, readonly number[]>>;
  /** {@link nameMark} of the names whose times these are; missing in what versions before 0.2 wrote. */
  readonly w?: string;
  /** {@link programText} */
  readonly x?: string;
  /** Positions of the inputs and ends of the changelogs, in the order of topics and stores (in version 1 of those on the broker), marks of the topics. */
  readonly q?: readonly number[];
  readonly c?: readonly number[];
  readonly t?: string;
  readonly a?: string;
}

/** What stands with the other inputs of a task: where its metadata is. */
interface Pointer {
  readonly v: number;
  /** The broker's name of the topic. */
  readonly at: string;
}

const byName = (values: Readonly<Record<string, number>>): number[] =>
  Object.keys(values)
    .sort()
    .map((name) => values[name]!);

/**
 * Text of at most 4,096 bytes for the offset metadata of a task's commit. Where there is too little room the marks of other tasks' topics are left out first, then the program: only a program
 * with the same names can go on then.
 *
 * @throws StreamsError `STREAMS_TOPOLOGY` if the task has too many clocks.
 */
export function encodeTaskMetadata({ task, globalPositions, basis, program, anew }: TaskMetadata): string {
  const schedules = Object.entries(task.punctuations as Readonly<Record<string, readonly number[]>>).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const names: ClockNames = {
    operators: Object.keys(task.operatorTimeMs).sort(),
    schedules: schedules.flatMap(([name, times]) => times.map(() => name)),
  };
  const written: Written = {
    v: version,
    s: task.streamTimeMs,
    o: runs(byName(task.operatorTimeMs).map((time) => time - task.streamTimeMs)),
    p: schedules.flatMap(([, times]) => times),
    i: byName(task.partitionTimeMs).map((time) => time - task.streamTimeMs),
    n: task.processed,
    d: dropReasons.map((reason) => task.dropped[reason] ?? 0),
    g: globalPositions,
    w: nameMark(names.operators, Object.keys(task.partitionTimeMs), names.schedules),
    ...(anew === undefined ? {} : { a: anew }),
  };
  const text = JSON.stringify(written);
  if (Buffer.byteLength(text) > mostBytes)
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `a task's clocks take ${Buffer.byteLength(text)} bytes, and brokers keep ${mostBytes} with a position. Split the sub-topology, for instance by repartition().`,
    );
  if (program === undefined) return withBasis(text, basis);
  const named = `${text.slice(0, -1)},"x":"${programText(program, names)}"}`;
  return fits(named, basis) ? withBasis(named, basis) : withBasis(text, basis);
}

function fits(text: string, basis: CommitBasis | undefined): boolean {
  return Buffer.byteLength(basis === undefined ? text : onBasis(text, basis, '')) <= mostBytes;
}

/** The names in whose order numbers are written: that of the letters. */
interface Order {
  readonly inputs: readonly string[];
  readonly stores: readonly string[];
}

function onBasis(text: string, { positions, reached }: CommitBasis, topics: string, order?: Order): string {
  const q = order?.inputs.map((name) => positions[name] ?? 0) ?? byName(positions);
  const c = order?.stores.map((name) => reached[name] ?? 0) ?? byName(reached);
  return `${text.slice(0, -1)},"q":${JSON.stringify(q)},"c":${JSON.stringify(c)},"t":"${topics}"}`;
}

/** As much of it as there is room for. */
function withBasis(text: string, basis: CommitBasis | undefined, order?: Order): string {
  if (basis === undefined) return text;
  const room = Math.floor((mostBytes - Buffer.byteLength(onBasis(text, basis, '', order))) / markLength);
  return room < 0 ? text : onBasis(text, basis, basis.topics.slice(0, room * markLength), order);
}

/** What is committed with the other inputs of a task whose metadata stands with this topic. */
export function pointerTo(topic: string): string {
  return JSON.stringify({ v: version, at: topic } satisfies Pointer);
}

/** The topic with which a task's metadata stands, from what is committed with another of its inputs. */
export function pointedAt(text: string): string | undefined {
  const { v, at } = parsed<Pointer>(text);
  return v === version && typeof at === 'string' ? at : undefined;
}

/** Times are written by the order of these names, so what was written under other names says nothing. 32 bits: room is scarce, and names are no secret. */
function nameMark(...names: readonly (readonly string[])[]): string {
  return hash('sha256', JSON.stringify(names.map((each) => [...each].sort())), 'hex').slice(0, 8);
}

/** The names of a task that reads what was written without any. */
export interface TaskNames extends ClockNames {
  /** Its inputs, as the topology calls them, in the order of their topics on the broker. */
  readonly inputs: readonly string[];
  /** Its stores, in the order of their changelogs. */
  readonly stores: readonly string[];
}

export const noNames: TaskNames = { operators: [], schedules: [], inputs: [], stores: [] };

/** Whether times that were committed are those of these operators and topics, as far as the text tells. */
export function hasClocksOf(text: string, { operators, inputs, schedules }: TaskNames): boolean {
  const written = writtenIn(text);
  if (written?.w === undefined || written.x !== undefined) return true;
  return written.w === (written.v === 1 ? nameMark(operators, inputs) : nameMark(operators, inputs, schedules));
}

/**
 * Reads what {@link encodeTaskMetadata} wrote; undefined for the text of another program (or none).
 *
 * @param names - Of the task that reads it. They are needed for what versions before 1.0 wrote, and what had no room for names: {@link hasClocksOf} says whether they fit.
 */
export function decodeTaskMetadata(text: string, names: TaskNames): TaskMetadata | undefined {
  const written = writtenIn(text);
  if (written?.s === undefined) return undefined;
  const streamTimeMs = written.s;
  const read = written.x === undefined ? undefined : readProgram(written.x);
  const topics = [...(read === undefined ? names.inputs : topicsRead(read.program))].sort();
  const { operators, schedules } = read?.names ?? names;
  const timesOf = (sorted: readonly string[], values: readonly number[]): Record<string, number> =>
    Object.fromEntries(zipped(sorted, values).map(([name, value]) => [name, value + streamTimeMs]));
  const basis = basisIn(written, topics, read?.program ?? names);
  return {
    task: {
      streamTimeMs,
      operatorTimeMs: timesOf([...operators].sort(), unrun(written.o ?? [])),
      partitionTimeMs: timesOf(topics, written.i ?? []),
      punctuations: written.v === 1 ? (written.p ?? []) : grouped(zipped([...schedules].sort(), written.p ?? [])),
      processed: written.n ?? 0,
      dropped: Object.fromEntries(dropReasons.map((reason, i) => [reason, written.d?.[i] ?? 0])),
    },
    globalPositions: written.g ?? {},
    ...(basis === undefined ? {} : { basis }),
    ...(read === undefined ? {} : { program: read.program }),
  };
}

/** What the commit stands on. Numbers of a version without names count as unknown where there is another number of names now. */
function basisIn(
  { v, q, c, t }: Partial<Written>,
  topics: readonly string[],
  of: TaskProgram | TaskNames,
): CommitBasis | undefined {
  if (q === undefined || c === undefined || t === undefined) return undefined;
  const inputs = v === 1 && 'inputs' in of ? of.inputs : topics;
  const stores = 'inputs' in of ? (v === 1 ? of.stores : [...of.stores].sort()) : Object.keys(of.stores).sort();
  return {
    positions: Object.fromEntries(q.length === inputs.length ? zipped(inputs, q) : []),
    reached: Object.fromEntries(c.length === stores.length ? zipped(stores, c) : []),
    topics: t,
  };
}

function zipped(names: readonly string[], values: readonly number[]): [name: string, value: number][] {
  return names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]!]]));
}

function grouped(times: readonly (readonly [name: string, value: number])[]): Record<string, number[]> {
  const groups: Record<string, number[]> = {};
  for (const [name, time] of times) {
    groups[name] ??= [];
    groups[name].push(time);
  }
  return groups;
}

function parsed<T>(text: string): Partial<T> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<T>;
  } catch {
    return {};
  }
}

/** What a task committed, undefined for the text of somebody else. */
function writtenIn(text: string): Partial<Written> | undefined {
  const written = parsed<Written>(text);
  return versions.includes(written.v) && written.s !== undefined ? written : undefined;
}

/**
 * A task's metadata on another basis: its clocks as they were.
 *
 * @param names - of the task, for a text of a version before 1.0
 */
export function withMarks(text: string, basis: CommitBasis, names: TaskNames): string {
  return withBasis(clocksOf(text), basis, writtenIn(text)?.v === 1 ? names : undefined);
}

/** Whether two texts of metadata have the same clocks and counters, whatever they stand on. */
export function sameClocks(a: string, b: string): boolean {
  return a === b || (isTaskMetadata(a) && isTaskMetadata(b) && clocksOf(a) === clocksOf(b));
}

function clocksOf(text: string): string {
  const { q: _positions, c: _reached, t: _topics, ...rest } = JSON.parse(text) as Written;
  return JSON.stringify(rest);
}

/** Whether a position was committed by a task: a tool that sets positions leaves nothing, or a word of its own. */
export function isTaskMetadata(text: string): boolean {
  return writtenIn(text) !== undefined;
}

/** Least time that a task's operators have seen, from what it committed; Infinity for a task without such operators, -1 if one saw nothing or the text is none of ours. */
export function leastOperatorTimeOf(text: string): number {
  const { s, o } = writtenIn(text) ?? {};
  if (s === undefined || o === undefined) return -1;
  return Math.min(Number.POSITIVE_INFINITY, ...unrun(o).map((difference) => difference + s));
}

/** Stream time of a task as of its last commit, ms; undefined for one that saw no record, or a text that is none of ours. */
export function streamTimeOf(text: string): number | undefined {
  const { s } = writtenIn(text) ?? {};
  return s === undefined || s < 0 ? undefined : s;
}

/** Whether two sets of positions are the same. */
export function samePositions(
  a: Readonly<Record<string, readonly number[]>>,
  b: Readonly<Record<string, readonly number[]>>,
): boolean {
  const topics = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const topic of topics) {
    const left = a[topic] ?? [];
    const right = b[topic] ?? [];
    for (let i = 0; i < Math.max(left.length, right.length); i++) if ((left[i] ?? 0) !== (right[i] ?? 0)) return false;
  }
  return true;
}
