import { hash } from 'node:crypto';
import { StreamsError } from '../../common/errors.ts';
import { dropReasons } from '../../processor/drop-reason.ts';
import type { SavedTask } from '../task.ts';
import { markLength } from './topic-marks.ts';

/** What a task commits beside its positions: clocks, counters, and how far it has joined with each global topic again. */
export interface TaskMetadata {
  readonly task: SavedTask;
  /** Of each partition of each global topic the position up to which changes were joined again. */
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** What the commit stands on; undefined in what versions before 1.0 wrote. */
  readonly basis?: CommitBasis;
}

/** What a commit stands on: with it the next owner knows whether positions, topics and state still go together. */
export interface CommitBasis {
  /** The positions that were committed, of the task's inputs in the order of their topics. */
  readonly positions: readonly number[];
  /** Where the changelogs ended after the commit before, in the order of their topics; 0 where that is not known. */
  readonly reached: readonly number[];
  /** {@link marksOf} the application's topics, the task's own first. */
  readonly topics: string;
}

/** Brokers refuse more. */
const mostBytes = 4096;
const version = 1;

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
  /** Stream time, then each operator's time less the stream time, by operator name. */
  readonly s: number;
  readonly o: readonly number[];
  readonly p: readonly number[];
  readonly i: readonly number[];
  readonly n: number;
  readonly d: readonly number[];
  readonly g: Readonly<Record<string, readonly number[]>>;
  /** {@link nameMark} of the operators and topics whose times these are; missing in what versions before 0.2 wrote. */
  readonly w?: string;
  /** Positions of the inputs, ends of the changelogs, marks of the topics. */
  readonly q?: readonly number[];
  readonly c?: readonly number[];
  readonly t?: string;
}

/**
 * Text of at most 4,096 bytes for the offset metadata of a task's commit. Where there is too little room the marks of other tasks' topics are left out first.
 *
 * @throws StreamsError `STREAMS_TOPOLOGY` if the task has too many clocks.
 */
export function encodeTaskMetadata({ task, globalPositions, basis }: TaskMetadata): string {
  const sorted = (values: Readonly<Record<string, number>>): number[] =>
    Object.keys(values)
      .sort()
      .map((name) => values[name]!);
  const written: Written = {
    v: version,
    s: task.streamTimeMs,
    o: runs(sorted(task.operatorTimeMs).map((time) => time - task.streamTimeMs)),
    p: task.punctuations,
    i: sorted(task.partitionTimeMs).map((time) => time - task.streamTimeMs),
    n: task.processed,
    d: dropReasons.map((reason) => task.dropped[reason] ?? 0),
    g: globalPositions,
    w: nameMark(Object.keys(task.operatorTimeMs), Object.keys(task.partitionTimeMs)),
  };
  const text = withBasis(JSON.stringify(written), basis);
  if (Buffer.byteLength(text) > mostBytes)
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `a task's clocks take ${Buffer.byteLength(text)} bytes, and brokers keep ${mostBytes} with a position. Split the sub-topology, for instance by repartition().`,
    );
  return text;
}

/** As much of it as there is room for. */
function withBasis(text: string, basis: CommitBasis | undefined): string {
  if (basis === undefined) return text;
  const { positions: q, reached: c, topics } = basis;
  const more = `${text.slice(0, -1)},"q":${JSON.stringify(q)},"c":${JSON.stringify(c)}`;
  const room = Math.floor((mostBytes - Buffer.byteLength(more) - ',"t":""}'.length) / markLength);
  if (room < 0) return text;
  return `${more},"t":"${topics.slice(0, room * markLength)}"}`;
}

/** Times are written by the order of these names, so what was written under other names says nothing. 32 bits: room is scarce, and names are no secret. */
function nameMark(operators: readonly string[], topics: readonly string[]): string {
  return hash('sha256', JSON.stringify([[...operators].sort(), [...topics].sort()]), 'hex').slice(0, 8);
}

/** Operators with clocks, and topics of a task. */
export interface ClockNames {
  readonly operators: readonly string[];
  readonly topics: readonly string[];
}

/** Whether times that were committed are those of these operators and topics, as far as the text tells. */
export function hasClocksOf(text: string, { operators, topics }: ClockNames): boolean {
  if (!isTaskMetadata(text)) return true;
  const { w } = JSON.parse(text) as Written;
  return w === undefined || w === nameMark(operators, topics);
}

/** Reads what {@link encodeTaskMetadata} wrote, for a task that {@link hasClocksOf} it; undefined for the text of another program (or none). */
export function decodeTaskMetadata(text: string, names: ClockNames): TaskMetadata | undefined {
  let written: Partial<Written>;
  try {
    written = JSON.parse(text) as Partial<Written>;
  } catch {
    return undefined;
  }
  if (typeof written !== 'object' || written === null || written.v !== version || written.s === undefined)
    return undefined;
  const streamTimeMs = written.s;
  const named = (sorted: readonly string[], values: readonly number[]): Record<string, number> =>
    Object.fromEntries(
      [...sorted].sort().flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]! + streamTimeMs]])),
    );
  return {
    task: {
      streamTimeMs,
      operatorTimeMs: named(names.operators, unrun(written.o ?? [])),
      partitionTimeMs: named(names.topics, written.i ?? []),
      punctuations: written.p ?? [],
      processed: written.n ?? 0,
      dropped: Object.fromEntries(dropReasons.map((reason, i) => [reason, written.d?.[i] ?? 0])),
    },
    globalPositions: written.g ?? {},
    ...(written.q === undefined || written.c === undefined || written.t === undefined
      ? {}
      : { basis: { positions: written.q, reached: written.c, topics: written.t } }),
  };
}

/** A task's metadata on another basis: its clocks as they were. */
export function withMarks(text: string, basis: CommitBasis): string {
  return withBasis(clocksOf(text), basis);
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
  return decodeTaskMetadata(text, { operators: [], topics: [] }) !== undefined;
}

/** Least time that a task's operators have seen, from what it committed; Infinity for a task without such operators, -1 if one saw nothing or the text is none of ours. */
export function leastOperatorTimeOf(text: string): number {
  try {
    const { v, s, o } = JSON.parse(text) as Partial<Written>;
    if (v !== version || s === undefined || o === undefined) return -1;
    return Math.min(Number.POSITIVE_INFINITY, ...unrun(o).map((difference) => difference + s));
  } catch {
    return -1;
  }
}

/** Stream time of a task as of its last commit, ms; undefined for one that saw no record, or a text that is none of ours. */
export function streamTimeOf(text: string): number | undefined {
  try {
    const { v, s } = JSON.parse(text) as Partial<Written>;
    return v !== version || s === undefined || s < 0 ? undefined : s;
  } catch {
    return undefined;
  }
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
