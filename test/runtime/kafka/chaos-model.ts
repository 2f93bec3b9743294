import type { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  type Processor,
  type ProcessorContext,
  Record,
  type Serde,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
  untilWindowCloses,
  type Version,
  Windowed,
  WindowedSerde,
} from '../../../src/index.ts';
import { historySerde } from '../../../src/serde/history.ts';
import { text } from './kit.ts';

const dayMs = 10;
const monthMs = 40;
export const graceMs = 15;
const day = TimeWindows.ofSizeAndGrace(dayMs, graceMs);
const month = TimeWindows.ofSizeAndGrace(monthMs, graceMs);
const string = Serdes.string;
const integer = Serdes.int64;

/** One event: `17:3` is event 17 with 3 units. */
interface Event {
  readonly id: number;
  readonly units: number;
}

const eventSerde: Serde<Event> = {
  name: 'event',
  serialize: ({ id, units }) => Buffer.from(`${id}:${units}`),
  deserialize(bytes) {
    const [id, units] = Buffer.from(bytes).toString().split(':').map(Number);
    if (!Number.isInteger(id) || !Number.isInteger(units)) throw new Error('no event');
    return { id: id!, units: units! };
  },
};

interface Placed {
  readonly units: number;
  readonly place: string;
}

/** Numbers the events of each meter, and waits now and then as a slow processor does. */
function numbering(): Processor<string, Event, string, string> {
  let context: ProcessorContext<string, string>;
  return {
    init(given) {
      context = given;
    },
    process({ key, value, timestamp, headers }) {
      const store = context.keyValueStore<string, number>('numbers');
      const tell = (): void => {
        const number = (store.get(key) ?? 0) + 1;
        store.put(key, number);
        context.forward(new Record(key, `${value.id}#${number}`, timestamp, headers));
      };
      if (value.id % 13 !== 0) return tell();
      return new Promise<void>((resolve) => setImmediate(resolve)).then(tell);
    },
  };
}

/**
 * A small grid: units a meter and day, rolled up, joined with the meters' places, grouped by place and again over everything; the final units of days that are over; and a numbered copy
 * of each event of two topics.
 */
export function chaosTopology(): Topology {
  const builder = new StreamsBuilder();
  const park = builder.globalHistoryTable('places', { name: 'park', keySerde: string, valueSerde: string });
  const events = builder.stream('events', { keySerde: string, valueSerde: eventSerde });
  const perDay = events
    .groupByKey()
    .windowedBy(day)
    .aggregate(
      () => 0,
      (_meter, { units }, sum) => sum + units,
      { name: 'day-meter', valueSerde: integer },
    );
  const add = (_key: unknown, value: number, sum: number): number => sum + value;
  const subtract = (_key: unknown, value: number, sum: number): number | undefined =>
    sum === value ? undefined : sum - value;
  perDay.rollUp(month, () => 0, add, subtract, { name: 'month-meter' });
  const perPlace = perDay
    .leftJoin(park, (units, place): Placed => ({ units, place: place ?? 'unknown' }), {
      name: 'day-placed',
      valueSerde: Serdes.json<Placed>(),
    })
    .groupBy((key, { units, place }) => [new Windowed(place, key.startMs, key.endMs), units], {
      keySerde: new WindowedSerde(string, day),
      valueSerde: integer,
    })
    .aggregate(() => 0, add, subtract, { name: 'day-place', valueSerde: integer });
  perPlace.rollUp(month, () => 0, add, subtract, { name: 'month-place' });
  perPlace
    .groupBy((_key, units) => ['all', units], { name: 'everything', keySerde: string, valueSerde: integer })
    .aggregate(() => 0, add, subtract, { name: 'total', valueSerde: integer });
  perDay
    .suppress(untilWindowCloses({ name: 'final-units' }))
    .toStream()
    .map(({ key, startMs }, units): readonly [string, string] => [key, `${startMs}=${units}`])
    .to('final', { keySerde: string, valueSerde: string });
  builder.addStateStore({ name: 'numbers', kind: 'key-value', keySerde: string, valueSerde: integer });
  events
    .merge(builder.stream('more', { keySerde: string, valueSerde: eventSerde }))
    .process(numbering, { name: 'numbering', stores: ['numbers'] })
    .to('copy', { keySerde: string, valueSerde: string });
  return builder.build();
}

/** Bytes of a meter's whole history, as the topic of places carries it. */
export function placesValue(history: readonly Version<string>[]): Uint8Array {
  return historySerde(string).serialize(history);
}

/** What the topics call for, whoever computes it. */
export interface Truth {
  /** Rows of each store: `key@start value`. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  /** Ids of the events of each meter, by topic and in order. */
  readonly events: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Units of the windows that are over: `meter=start=units`. */
  readonly final: readonly string[];
  /** Values of late events, and of those that cannot be read. */
  readonly late: readonly string[];
  readonly dead: readonly string[];
}

/** Counts from the topics alone: each partition in the order of its log, each with a clock of its own. */
export function truthOf(cluster: MemoryCluster, partitions: number, placePartitions: number): Truth {
  const histories = new Map<string, readonly Version<string>[]>();
  for (let partition = 0; partition < placePartitions; partition++)
    for (const { key, value } of cluster.read('places', partition))
      histories.set(text(key), value === undefined ? [] : historySerde(string).deserialize(value));
  const placeOf = (meter: string, timeMs: number): string =>
    histories.get(meter)?.findLast(({ validFromMs }) => validFromMs <= timeMs)?.value ?? 'unknown';
  const sums = new Map<string, Map<string, number>>();
  const add = (table: string, row: string, units: number): void => {
    if (!sums.has(table)) sums.set(table, new Map());
    const rows = sums.get(table)!;
    rows.set(row, (rows.get(row) ?? 0) + units);
  };
  const events = new Map<string, string[][]>();
  const seen = (meter: string, topic: number, id: string): void => {
    if (!events.has(meter)) events.set(meter, [[], []]);
    events.get(meter)![topic]!.push(id);
    add('numbers', meter, 1);
  };
  const final: string[] = [];
  const late: string[] = [];
  const dead: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    let clock = -1;
    for (const { key, value, timestamp } of cluster.read('events', partition)) {
      const meter = text(key);
      const [id, units] = text(value).split(':').map(Number);
      if (!Number.isInteger(units)) {
        dead.push(text(value));
        continue;
      }
      seen(meter, 0, String(id));
      clock = Math.max(clock, timestamp);
      const start = timestamp - (timestamp % dayMs);
      if (start + dayMs <= clock - graceMs) {
        late.push(text(value));
        continue;
      }
      const place = placeOf(meter, start);
      const monthStart = start - (start % monthMs);
      add('day-meter', `${meter}@${start}`, units!);
      add(`partition ${partition}`, `${meter}=${start}`, units!);
      add('month-meter', `${meter}@${monthStart}`, units!);
      add(`day-placed ${place}`, `${meter}@${start}`, units!);
      add('day-place', `${place}@${start}`, units!);
      add('month-place', `${place}@${monthStart}`, units!);
      add('total', 'all', units!);
    }
    for (const { key, value } of cluster.read('more', partition)) {
      const [id, units] = text(value).split(':');
      if (units === undefined) dead.push(text(value));
      else seen(text(key), 1, id!);
    }
    for (const [row, units] of sums.get(`partition ${partition}`) ?? [])
      if (Number(row.split('=')[1]) + dayMs <= clock - graceMs) final.push(`${row}=${units}`);
  }
  const tables = new Map<string, readonly string[]>();
  for (const table of ['day-meter', 'month-meter', 'day-place', 'month-place', 'total', 'numbers'])
    tables.set(table, [...(sums.get(table) ?? [])].map(([row, units]) => `${row} ${units}`).sort());
  const placed = [...sums]
    .filter(([table]) => table.startsWith('day-placed '))
    .flatMap(([table, rows]) =>
      [...rows].map(([row, units]) => `${row} ${JSON.stringify({ units, place: table.slice('day-placed '.length) })}`),
    );
  tables.set('day-placed', placed.sort());
  return { tables, events, final: final.sort(), late: late.sort(), dead: dead.sort() };
}
