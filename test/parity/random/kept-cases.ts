import type { RandomCase, RandomNode, Row } from './description.ts';
import type { Without } from './explained.ts';

/** A case that is kept: what Kafka Streams does with it stands in `kept/<name>.json`. */
export interface KeptCase extends Omit<RandomCase, 'seed'> {
  readonly name: string;
  /** Kafka Streams does otherwise, unless this is taken out of it. */
  readonly without?: Without;
  /** Kafka Streams does otherwise with caches: held against the model. */
  readonly dependsOnFlushes?: true;
  /** Kafka Streams does otherwise, and cannot be made to do the same. */
  readonly differs?: true;
}

/** Nodes numbered as they stand. */
function nodes(...given: readonly Omit<RandomNode, 'id'>[]): readonly RandomNode[] {
  return given.map((node, id) => ({ id, ...node }));
}

const windows = { size: 10, advance: 10, grace: 0, retention: 1_000_000 };
const join = { kind: 'join' };
const sum = { kind: 'sum' };
const table = (topic: string, cached: boolean): Omit<RandomNode, 'id'> => ({
  op: 'table',
  of: [],
  topics: [topic],
  stored: true,
  cached,
});
const all = { kind: 'bucket', n: 1 };

/** Records of one key, a value each: `x@5`, or `-@5` for none. */
function rows(topic: string, key: string | null, text: string): Row[] {
  return text.split(' ').map((item) => {
    const [value, time] = item.split('@') as [string, string];
    return [topic, key, value === '-' ? null : value, Number(time)];
  });
}

/** What was found once, each with the smallest input that shows it. */
export const keptCases: readonly KeptCase[] = [
  {
    name: 'stored-filter-below-joins-that-share-a-side',
    nodes: nodes(
      table('left', false),
      table('right', false),
      { op: 'tableJoin', of: [0, 1], f: join, left: false, stored: false },
      { op: 'tableJoin', of: [2, 1], f: join, left: false, stored: false },
      { op: 'tableFilter', of: [3], f: { on: 'value', m: 5, r: 2 }, stored: true, cached: false },
    ),
    input: [...rows('left', 'k', 'a@1'), ...rows('right', 'k', 'b@2 c@3')],
  },
  {
    name: 'stored-filter-of-a-table-without-store',
    nodes: nodes(
      { op: 'table', of: [], topics: ['in'], stored: false },
      { op: 'tableFilter', of: [0], f: { on: 'value', m: 2, r: 0 }, stored: true, cached: false },
      { op: 'toStream', of: [1] },
      { op: 'to', of: [2], topics: ['out'] },
    ),
    input: rows('in', 'k', '1@1 2@2 3@3 5@4 -@5 -@6'),
  },
  {
    name: 'repartition-left-join-without-key',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      table('table', false),
      { op: 'repartition', of: [0] },
      { op: 'streamJoin', of: [2, 1], f: join, left: true },
      { op: 'to', of: [3], topics: ['out'] },
    ),
    input: [...rows('table', 'k', 'T@0'), ...rows('in', null, 'x@1 -@2'), ...rows('in', 'k', 'y@3')],
  },
  {
    name: 'grouping-above-a-left-join-without-key',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'global', of: [], topics: ['global'] },
      { op: 'groupBy', of: [0], f: { kind: 'key', tag: '~' } },
      { op: 'count', of: [2], cached: false },
      { op: 'toStream', of: [3] },
      { op: 'globalJoin', of: [4, 1], key: all, f: join, left: true },
      { op: 'to', of: [5], topics: ['out'] },
    ),
    input: [...rows('in', null, 'x@1'), ...rows('in', 'k', 'y@2')],
  },
  {
    name: 'grouping-above-an-inner-join-without-key',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'global', of: [], topics: ['global'] },
      { op: 'groupBy', of: [0], f: { kind: 'key', tag: '~' } },
      { op: 'count', of: [2], cached: false },
      { op: 'toStream', of: [3] },
      { op: 'globalJoin', of: [4, 1], key: all, f: join, left: false },
      { op: 'to', of: [5], topics: ['out'] },
    ),
    input: [...rows('in', null, 'x@1'), ...rows('in', 'k', 'y@2')],
  },
  {
    name: 'retention-of-tumbling-windows',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'groupByKey', of: [0] },
      { op: 'count', of: [1], cached: false, windows: { ...windows, retention: 30 } },
    ),
    input: [...rows('in', 'a', 'x@5 x@15 x@29 x@30 x@39'), ...rows('in', 'b', 'x@45')],
  },
  {
    name: 'retention-of-hopping-windows',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'groupByKey', of: [0] },
      {
        op: 'aggregate',
        of: [1],
        f: { kind: 'trace' },
        cached: true,
        windows: { size: 10, advance: 4, grace: 3, retention: 13 },
      },
    ),
    input: rows('in', 'a', '1@0 2@9 3@13 4@16 5@19 6@11'),
  },
  {
    name: 'suppress-below-a-table-without-cache',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'flatMapValues', of: [0], f: { kind: 'same' } },
      { op: 'groupByKey', of: [1] },
      { op: 'count', of: [2], cached: false, windows },
      { op: 'suppress', of: [3] },
      { op: 'toStream', of: [4] },
      { op: 'selectKey', of: [5], f: { kind: 'key', tag: '~' } },
      { op: 'mapValues', of: [6], f: { kind: 'tag', tag: 'x' } },
      { op: 'merge', of: [7, 1] },
      { op: 'to', of: [8], topics: ['out'] },
    ),
    input: rows('in', 'a', '2@5 5@15 8@25'),
  },
  {
    name: 'new-row-of-an-aggregate',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'groupByKey', of: [0] },
      { op: 'count', of: [1], cached: false },
      { op: 'tableGroup', of: [2], key: all, f: { kind: 'one', tag: 'row' } },
      { op: 'tableCount', of: [3], cached: false },
    ),
    input: [...rows('in', 'a', 'x@1'), ...rows('in', 'b', 'x@2'), ...rows('in', 'c', 'x@3')],
    without: { initials: true },
  },
  {
    name: 'stored-join-with-itself',
    nodes: nodes(
      table('in', false),
      { op: 'tableJoin', of: [0, 0], f: join, left: false, stored: true, cached: false },
      { op: 'tableGroup', of: [1], key: all, f: { kind: 'one', tag: 'row' } },
      { op: 'tableCount', of: [2], cached: false },
    ),
    input: [...rows('in', 'a', '1@1'), ...rows('in', 'b', '2@2')],
    without: { joins: true },
  },
  {
    name: 'groups-of-what-was-suppressed',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'groupByKey', of: [0] },
      { op: 'reduce', of: [1], f: { kind: 'trace' }, cached: false, windows },
      { op: 'suppress', of: [2] },
      { op: 'tableGroup', of: [3], key: all, f: { kind: 'one', tag: 'row' } },
      { op: 'tableCount', of: [4], cached: false },
    ),
    input: rows('in', 'a', '1@0 2@3 3@13 4@15 5@25'),
    without: { suppressed: true },
  },
  {
    name: 'streams-of-one-topic',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'groupBy', of: [1], f: { kind: 'key', tag: '~' } },
      { op: 'count', of: [2], cached: false },
      { op: 'reduce', of: [2], f: { kind: 'trace' }, cached: false, windows },
      { op: 'merge', of: [0, 0] },
      { op: 'to', of: [5], topics: ['out'] },
    ),
    input: rows('in', 'a', '1@0 2@3 -@4 3@13'),
  },
  {
    name: 'versions-that-say-nothing-new',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'processVersions', of: [0], shift: -5 },
      { op: 'to', of: [1], topics: ['out'] },
    ),
    input: rows('in', 'k', 'A@10 A@20 B@15 A@22 A@30 -@40 -@50 B@45 B@55'),
  },
  {
    name: 'deletion-in-the-place-of-a-version',
    nodes: nodes(
      { op: 'stream', of: [], topics: ['in'] },
      { op: 'processVersions', of: [0], not: true },
      { op: 'to', of: [1], topics: ['out'] },
    ),
    input: rows('in', 'k', 'A@20 -@20 B@10'),
    differs: true,
  },
  {
    name: 'join-of-a-cached-table-with-what-it-is-made-of',
    nodes: nodes(
      table('in', true),
      { op: 'tableMapValues', of: [0], f: { kind: 'tag', tag: '!' }, stored: true, cached: true },
      { op: 'tableJoin', of: [1, 0], f: join, left: false, stored: false },
      { op: 'tableGroup', of: [2], key: all, f: { kind: 'same' } },
      { op: 'tableAggregate', of: [3], f: sum, cached: true },
    ),
    input: rows('in', 'a', '1@1 2@2'),
    dependsOnFlushes: true,
  },
];
