import type { ParityInput, ParityScenario } from './load-scenarios.ts';
import { Random, randomInput, type Timeline, type TopicInput, writtenInput } from './random-input.ts';
import * as written from './written-inputs.ts';

type Params = ParityScenario['params'];

const numbers = Array.from({ length: 21 }, (_, i) => String(i));
/** For tables: few values, so that a row often gets the value that it has. */
const fewNumbers = ['1', '2', '4', '6', '15', '18'];
const keys = ['a', 'b', 'c', 'd', 'e'];
const fewKeys = ['a', 'b', 'c'];
/** Keys of several lengths and alphabets: their order by UTF-8 bytes is not that of JavaScript strings. */
const unlikeKeys = ['a', 'ab', 'abc', 'b', 'Z', 'é', '語', '\ufb01', '😀'];
/** For table groupings: a group and an amount; `-` is no group, `0` no amount. */
const grouped = ['A', 'B', 'C', '-'].flatMap((group) => ['0', '1', '2', '5'].map((amount) => group + amount));

const inOrder: Timeline = { step: 3 };
const shuffled: Timeline = { step: 4, latePercent: 35, lateMs: 12 };
const late: Timeline = { step: 5, latePercent: 40, lateMs: 60 };

class List {
  readonly all: ParityScenario[] = [];

  random(
    name: string,
    params: Params,
    count: number,
    time: Timeline,
    topics: Readonly<Record<string, TopicInput>>,
  ): void {
    this.#add(name, params, randomInput(new Random(name), count, time, topics));
  }

  written(name: string, params: Params, text: string): void {
    this.#add(name, params, writtenInput(text));
  }

  #add(name: string, params: Params, input: ParityInput[]): void {
    this.all.push({ name, topology: name.slice(0, name.indexOf('.')), params, input });
  }
}

/** Every scenario of `scenarios/`. Each has a seed of its own, its name. */
export function scenarios(): readonly ParityScenario[] {
  const list = new List();
  stateless(list);
  aggregates(list);
  windows(list);
  suppressed(list);
  windowedKeys(list);
  tables(list);
  tableGroups(list);
  streamJoins(list);
  tableJoins(list);
  sharing(list);
  processors(list);
  return list.all;
}

const nulls = { nullKeyPercent: 15, nullValuePercent: 15 };

function stateless(list: List): void {
  for (const topology of ['filter', 'filter-not', 'map', 'map-values', 'flat-map', 'select-key', 'peek', 'branch']) {
    list.random(`${topology}.in-order`, {}, 30, inOrder, { in: { keys, values: numbers } });
    list.random(`${topology}.nulls`, {}, 50, shuffled, { in: { keys, values: numbers, ...nulls } });
    list.random(`${topology}.late`, {}, 80, late, { in: { keys: unlikeKeys, values: numbers } });
  }
  const words = ['x', 'x y', 'x y z', 'x x', '', 'z  z'];
  list.random('flat-map-values.in-order', {}, 30, inOrder, { in: { keys, values: words } });
  list.random('flat-map-values.nulls', {}, 50, shuffled, { in: { keys: ['', ...keys], values: words, ...nulls } });
  list.random('flat-map-values.late', {}, 60, late, { in: { keys, values: words } });
  const two = { in: { keys, values: numbers, ...nulls }, in2: { keys, values: numbers, ...nulls } };
  list.random('merge.in-order', {}, 40, inOrder, two);
  list.random('merge.shuffled', {}, 80, shuffled, two);
  list.random('merge.ties', {}, 60, { step: 1 }, two);
  for (const topology of ['branch-merge', 'fan-out', 'repartition']) {
    list.random(`${topology}.in-order`, {}, 30, inOrder, { in: { keys, values: numbers } });
    list.random(`${topology}.nulls`, {}, 40, shuffled, { in: { keys, values: numbers, ...nulls } });
    list.random(`${topology}.ties`, {}, 50, { step: 1, latePercent: 20, lateMs: 3 }, { in: { keys, values: numbers } });
  }
}

function aggregates(list: List): void {
  for (const topology of ['count', 'reduce', 'aggregate']) {
    const params = (groupBy: string): Params =>
      topology === 'aggregate' ? { groupBy, nullOn: groupBy === 'key' ? 7 : 0 } : { groupBy };
    list.random(`${topology}.by-key`, params('key'), 60, inOrder, { in: { keys: fewKeys, values: numbers } });
    list.random(`${topology}.by-key-nulls`, params('key'), 80, shuffled, {
      in: { keys: ['', ...fewKeys], values: numbers, ...nulls },
    });
    list.random(`${topology}.by-key-late`, params('key'), 150, late, { in: { keys: unlikeKeys, values: numbers } });
    list.random(`${topology}.by-value`, params('value'), 60, inOrder, { in: { keys, values: numbers } });
    list.random(`${topology}.by-value-nulls`, params('value'), 80, late, { in: { keys, values: numbers, ...nulls } });
  }
  list.written('count.timestamps', { groupBy: 'key' }, written.timestamps);
  list.written('reduce.timestamps', { groupBy: 'key' }, written.timestamps);
  list.written(
    'aggregate.timestamps',
    { groupBy: 'key', nullOn: 7 },
    `${written.timestamps}\n in a 7 @60\n in a 1 @30\n in a 6 @20`,
  );
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function windowParams(sizeMs: number, advanceMs: number, graceMs: number, more: Params): Params {
  const retentionMs = sizeMs >= hourMs ? 30 * dayMs : hourMs;
  return { sizeMs, advanceMs, graceMs, retentionMs, groupBy: 'key', ...more };
}

function windows(list: List): void {
  for (const topology of ['windowed-count', 'windowed-reduce', 'windowed-aggregate']) {
    windowCases(list, topology, topology === 'windowed-aggregate' ? { nullOn: '7' } : {});
  }
  for (const topology of ['windowed-count', 'windowed-aggregate']) {
    const more: Params = topology === 'windowed-aggregate' ? { nullOn: '7' } : {};
    list.written(`${topology}.close-equality`, windowParams(10, 10, 5, more), written.closeEquality);
    list.written(`${topology}.hopping-close-equality`, windowParams(12, 4, 3, more), written.hoppingCloseEquality);
    list.written(`${topology}.null-keys-move-no-clock`, windowParams(10, 10, 0, more), written.nullKeysMoveNoClock);
    list.written(`${topology}.null-values`, windowParams(10, 10, 0, more), written.nullValues);
    list.written(`${topology}.timestamps`, windowParams(20, 20, 50, more), written.windowTimestamps);
  }
  const input = { in: { keys: ['a1', 'a2', 'b1', 'b2', 'c'], values: numbers } };
  list.random('windowed-count-roll-up.tumbling', windowParams(10, 10, 5, {}), 80, inOrder, input);
  list.random('windowed-count-roll-up.tumbling-late', windowParams(10, 10, 5, {}), 120, late, input);
  list.random('windowed-count-roll-up.hopping', windowParams(12, 5, 20, {}), 80, shuffled, input);
  list.random('windowed-count-roll-up.days', windowParams(dayMs, dayMs, hourMs, {}), 80, days, input);
}

const days: Timeline = { start: 1_512_000_000_000, step: 4 * hourMs, latePercent: 30, lateMs: 30 * hourMs };

function windowCases(list: List, topology: string, more: Params): void {
  const input = { in: { keys: fewKeys, values: numbers } };
  const byValue = { ...more, groupBy: 'value' };
  list.random(`${topology}.tumbling`, windowParams(10, 10, 0, more), 60, inOrder, input);
  list.random(`${topology}.tumbling-late`, windowParams(10, 10, 5, more), 120, late, input);
  list.random(`${topology}.hopping`, windowParams(12, 5, 7, more), 60, shuffled, input);
  list.random(`${topology}.hopping-late`, windowParams(30, 10, 15, more), 100, late, input);
  list.random(`${topology}.nulls`, windowParams(10, 10, 5, more), 80, shuffled, { in: { ...input.in, ...nulls } });
  list.random(`${topology}.by-value`, windowParams(10, 10, 5, byValue), 80, late, { in: { ...input.in, ...nulls } });
  list.random(`${topology}.days`, windowParams(dayMs, dayMs, hourMs, more), 100, days, input);
}

function suppressed(list: List): void {
  for (const topology of ['windowed-count-suppress', 'windowed-reduce-suppress', 'windowed-aggregate-suppress']) {
    const more: Params = topology === 'windowed-aggregate-suppress' ? { nullOn: '7' } : {};
    windowCases(list, topology, more);
  }
  const unlike = { in: { keys: unlikeKeys, values: numbers } };
  list.random('windowed-count-suppress.keys', windowParams(10, 10, 0, {}), 150, { step: 1 }, unlike);
  list.random('windowed-count-suppress.keys-hopping', windowParams(12, 4, 3, {}), 120, { step: 2 }, unlike);
  list.written('windowed-count-suppress.close-equality', windowParams(10, 10, 5, {}), written.closeEquality);
  list.written(
    'windowed-count-suppress.hopping-close-equality',
    windowParams(12, 4, 3, {}),
    written.hoppingCloseEquality,
  );
  list.written(
    'windowed-count-suppress.timestamps',
    windowParams(20, 20, 0, {}),
    `${written.windowTimestamps}\n in b 1 @60`,
  );
  list.written(
    'windowed-aggregate-suppress.tombstones',
    windowParams(10, 10, 0, { nullOn: '7' }),
    written.tombstonedWindows,
  );
  list.written(
    'windowed-reduce-suppress.null-values',
    windowParams(10, 10, 0, {}),
    `${written.nullValues}\n in c 1 @50`,
  );
}

/** Keys `a@10`: in all windows of the first 60 ms. */
function windowedKeysOf(advanceMs: number): string[] {
  const starts = Array.from({ length: Math.floor(60 / advanceMs) }, (_, i) => i * advanceMs);
  return ['a', 'b', ''].flatMap((key) => starts.map((start) => `${key}@${start}`));
}

function windowedKeys(list: List): void {
  const kinds: [suffix: string, params: Params][] = [
    ['tumbling', windowParams(10, 10, 20, {})],
    ['hopping', windowParams(12, 4, 20, {})],
  ];
  const stream = { keys: ['a1', 'a2', 'b', ''], values: numbers };
  for (const [suffix, params] of kinds) {
    const rows = {
      keys: windowedKeysOf(params.advanceMs as number),
      values: fewNumbers,
      nullValuePercent: 20,
      nullKeyPercent: 5,
    };
    const both = { in: { ...stream, keys: ['a', 'b', ''], ...nulls }, table: rows };
    list.random(`windowed-table.${suffix}`, params, 150, shuffled, { table: rows });
    for (const materialized of [false, true]) {
      const more = materialized ? '-materialized' : '';
      list.random(`windowed-table-filter.${suffix}${more}`, { ...params, materialized }, 150, shuffled, {
        table: rows,
      });
      for (const kind of ['inner', 'left'])
        for (const tableIs of ['left', 'right', 'none']) {
          const joined = { ...params, kind, tableIs, materialized };
          const input = tableIs === 'none' ? { in: both.in, in2: both.in } : both;
          list.random(`windowed-table-join.${suffix}-${kind}-${tableIs}${more}`, joined, 100, { step: 1 }, input);
        }
    }
    for (const topology of [
      'windowed-to-table',
      'windowed-to-table-suppress',
      'windowed-group-by-key',
      'windowed-twice',
    ])
      list.random(`${topology}.${suffix}`, params, 80, shuffled, { in: { ...stream, ...nulls } });
    for (const groupBy of ['key', 'value'])
      list.random(`windowed-table-group.${suffix}-by-${groupBy}`, { ...params, groupBy }, 80, shuffled, {
        in: { ...stream, keys: keys, ...nulls },
      });
    list.random(`windowed-group-by.${suffix}`, params, 80, shuffled, { in: { keys: keys, values: numbers, ...nulls } });
    for (const kind of ['inner', 'left'])
      list.random(`windowed-stream-join.${suffix}-${kind}`, { ...params, kind }, 100, { step: 1 }, both);
  }
}

function tables(list: List): void {
  const plain: Params = { historyMs: 0 };
  const versioned: Params = { historyMs: 40 };
  const values = { table: { keys: fewKeys, values: fewNumbers, nullValuePercent: 25, nullKeyPercent: 5 } };
  const variants = (topology: string, params: Params, suffix: string): void => {
    list.random(`${topology}.in-order${suffix}`, params, 50, inOrder, values);
    list.random(`${topology}.shuffled${suffix}`, params, 100, shuffled, values);
    list.written(`${topology}.repeats${suffix}`, params, written.repeats);
  };
  variants('table-to-stream', plain, '');
  variants('table-to-stream', versioned, '-versioned');
  list.random('table-to-stream.late-versioned', versioned, 100, { ...late, lateMs: 120 }, values);
  for (const topology of ['table-filter', 'table-map-values']) {
    variants(topology, { ...plain, materialized: false }, '');
    variants(topology, { ...plain, materialized: true }, '-materialized');
  }
  variants('table-unstored-filter', {}, '');
  variants('table-pipeline', plain, '');
  variants('table-filter-group', plain, '');
  variants('table-filter-group', versioned, '-versioned');
  for (const topology of ['to-table', 'to-table-by-key']) {
    const stream = { in: { keys: fewKeys, values: fewNumbers, nullValuePercent: 20, nullKeyPercent: 10 } };
    list.random(`${topology}.in-order`, {}, 40, inOrder, stream);
    list.random(`${topology}.shuffled`, {}, 80, shuffled, stream);
    list.written(`${topology}.repeats`, {}, written.repeats.replaceAll('table', 'in'));
  }
}

function tableGroups(list: List): void {
  for (const topology of ['table-group-count', 'table-group-reduce', 'table-group-aggregate']) {
    const values = { table: { keys, values: grouped, nullValuePercent: 20, nullKeyPercent: 5 } };
    list.random(`${topology}.in-order`, { historyMs: 0 }, 60, inOrder, values);
    list.random(`${topology}.shuffled`, { historyMs: 0 }, 120, shuffled, values);
    list.random(`${topology}.shuffled-versioned`, { historyMs: 40 }, 100, shuffled, values);
    list.random(`${topology}.late-versioned`, { historyMs: 40 }, 100, { ...late, lateMs: 120 }, values);
    list.written(`${topology}.regroups`, { historyMs: 0 }, written.regroups);
  }
}

function streamJoins(list: List): void {
  for (const kind of ['inner', 'left']) {
    const plain: Params = { kind, rekey: false, historyMs: 0 };
    const rekeyed: Params = { kind, rekey: true, historyMs: 0 };
    const versioned: Params = { kind, rekey: false, historyMs: 60 };
    const rows = { weight: 4, keys, values: ['X', 'Y', 'Z', 'X2'], nullValuePercent: 20, nullKeyPercent: 5 };
    const stream = { weight: 6, keys, values: numbers, nullValuePercent: 8, nullKeyPercent: 8 };
    const topic = 'stream-table-join';
    list.random(`${topic}.${kind}-in-order`, plain, 60, inOrder, { in: stream, table: rows });
    list.random(`${topic}.${kind}-late`, plain, 120, late, { in: stream, table: rows });
    list.random(`${topic}.${kind}-versioned`, versioned, 120, shuffled, { in: stream, table: rows });
    list.random(
      `${topic}.${kind}-versioned-late`,
      versioned,
      150,
      { ...late, lateMs: 150 },
      { in: stream, table: rows },
    );
    list.written(`${topic}.${kind}-lookups`, plain, written.lookups);
    list.written(`${topic}.${kind}-versioned-lookups`, versioned, written.lookups);
    const mapped = { ...stream, values: ['a1', 'b1', 'c1', 'd1', 'e1', 'x1', '-1'] };
    list.random(`${topic}.${kind}-rekeyed`, rekeyed, 100, shuffled, { in: mapped, table: rows });
    const input = { in: mapped, global: rows };
    list.random(`stream-global-table-join.${kind}-in-order`, { kind }, 60, inOrder, input);
    list.random(`stream-global-table-join.${kind}-late`, { kind }, 120, late, input);
    list.written(`stream-global-table-join.${kind}-nulls`, { kind }, written.globalNulls);
  }
}

function tableJoins(list: List): void {
  const rows = (values: string[]): TopicInput => ({ keys: fewKeys, values, nullValuePercent: 25, nullKeyPercent: 3 });
  const input = { left: rows(['l1', 'l2', 'l3']), right: rows(['A1', 'A2', 'B1', 'C1']) };
  for (const kind of ['inner', 'left']) {
    for (const materialized of [false, true]) {
      const params = { kind, materialized };
      const suffix = materialized ? '-materialized' : '';
      for (const topology of ['table-table-join', 'table-table-join-group']) {
        list.random(`${topology}.${kind}-in-order${suffix}`, params, 60, inOrder, input);
        list.random(`${topology}.${kind}-shuffled${suffix}`, params, 120, shuffled, input);
        list.written(`${topology}.${kind}-both-sides${suffix}`, params, written.bothSides);
      }
    }
  }
}

function sharing(list: List): void {
  const input = { in: { keys: fewKeys, values: numbers, ...nulls } };
  for (const groupBy of ['key', 'value']) {
    const params: Params = { sizeMs: 10, graceMs: 5, retentionMs: hourMs, groupBy };
    list.random(`shared-grouping.by-${groupBy}`, params, 60, inOrder, input);
    list.random(`shared-grouping.by-${groupBy}-late`, params, 80, late, input);
  }
  const rows = { table: { keys: fewKeys, values: fewNumbers, nullValuePercent: 25, nullKeyPercent: 5 } };
  for (const named of [true, false]) {
    const suffix = named ? '' : '-unnamed';
    list.random(`shared-table-grouping.shuffled${suffix}`, { named }, 80, shuffled, rows);
    list.written(`shared-table-grouping.repeats${suffix}`, { named }, written.repeats);
  }
  list.random('source-twice.in-order', {}, 40, inOrder, input);
  list.random('source-twice.late', {}, 60, late, { in: { keys: unlikeKeys, values: numbers, ...nulls } });
}

function processors(list: List): void {
  const input = { in: { keys, values: numbers, ...nulls } };
  list.random('process-count.in-order', { everyMs: 10 }, 60, inOrder, input);
  list.random('process-count.late', { everyMs: 10 }, 120, late, input);
  list.random('process-count.gaps', { everyMs: 10 }, 40, { step: 50 }, input);
  list.random('process-count.days', { everyMs: hourMs }, 40, days, input);
  list.written('process-count.punctuation', { everyMs: 10 }, written.ticks);
  list.written('process-count.first-at-zero', { everyMs: 10 }, written.ticksFromZero);
  const versions = { in: { keys: ['a', 'b'], values: ['A', 'B'], nullValuePercent: 30 } };
  for (const segmentMs of [5, 20, 1000]) {
    const anyTime: Timeline = { start: 95, step: 0, latePercent: 100, lateMs: 95 };
    list.random(`process-versions.any-order-segments-of-${segmentMs}`, { segmentMs }, 150, anyTime, versions);
    list.random(`process-versions.late-segments-of-${segmentMs}`, { segmentMs }, 60, { ...late, step: 3 }, versions);
  }
  list.written('process-versions.says-nothing-new', { segmentMs: 1000 }, written.saysNothingNew);
  list.written('repartition-order.heads', {}, written.heads);
  list.written('repartition-order.ties', {}, written.ties);
}
