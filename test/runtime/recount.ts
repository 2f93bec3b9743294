import fc from 'fast-check';
import {
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
  type Version,
  Windowed,
  WindowedSerde,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';

/** One event of a meter: so many units at a time. */
export interface Event {
  readonly what: 'event';
  readonly meter: string;
  readonly units: number;
  readonly timeMs: number;
}

/** From now on this is the history of a meter's places; empty: nothing is known of it. */
export interface Installation {
  readonly what: 'places';
  readonly meter: string;
  readonly history: readonly Version<string>[];
}

/** Everything that waits in caches is told now. */
export interface Flush {
  readonly what: 'flush';
}

export type Step = Event | Installation | Flush;

/** Steps in any order: events of a few meters in 12 windows of 10 ms, changed histories of their places, and flushes in between. */
export const anySteps: fc.Arbitrary<Step[]> = (() => {
  const meter = fc.constantFrom('a', 'b', 'c', 'd');
  const event = fc.record({
    what: fc.constant('event' as const),
    meter,
    units: fc.integer({ min: 0, max: 3 }),
    timeMs: fc.integer({ min: 0, max: 119 }),
  });
  const version = fc.record({
    validFromMs: fc.integer({ min: 0, max: 12 }).map((tens) => tens * 10),
    value: fc.constantFrom('Lyon', 'Nice', 'Brest', undefined),
  });
  const history = fc
    .uniqueArray(version, { maxLength: 4, selector: ({ validFromMs }) => validFromMs })
    .map((versions) => versions.sort((x, y) => x.validFromMs - y.validFromMs));
  const places = fc.record({ what: fc.constant('places' as const), meter, history });
  const flush = fc.constant<Flush>({ what: 'flush' });
  return fc.array(
    fc.oneof({ weight: 8, arbitrary: event }, { weight: 3, arbitrary: places }, { weight: 1, arbitrary: flush }),
    {
      maxLength: 60,
    },
  );
})();

interface Placed {
  readonly units: number;
  readonly place: string;
}

const day = TimeWindows.ofSizeAndGrace(10, 10_000);
const month = TimeWindows.ofSizeAndGrace(40, 10_000);
const text = Serdes.string;
const units = Serdes.int64;

/** Units a meter and day, their sums a place and day, and the sums of these over months and over everything. */
export function recountTopology(): Topology {
  const builder = new StreamsBuilder();
  const park = builder.globalHistoryTable('places', { name: 'park', keySerde: text, valueSerde: text });
  const perDay = builder
    .stream('events', { keySerde: text, valueSerde: units })
    .groupByKey()
    .windowedBy(day)
    .aggregate(
      () => 0,
      (_meter, more, sum) => sum + more,
      { name: 'day-meter', valueSerde: units },
    );
  const add = (_key: unknown, value: number, sum: number): number => sum + value;
  const subtract = (_key: unknown, value: number, sum: number): number | undefined =>
    sum === value ? undefined : sum - value;
  const placed = perDay.leftJoin(park, (n, place): Placed => ({ units: n, place: place ?? 'unknown' }), {
    name: 'day-placed',
    valueSerde: Serdes.json<Placed>(),
  });
  const perPlace = placed
    .filter((_key, { units: n }) => n > 0)
    .groupBy((key, { units: n, place }) => [new Windowed(place, key.startMs, key.endMs), n], {
      keySerde: new WindowedSerde(text, day),
      valueSerde: units,
    })
    .aggregate(() => 0, add, subtract, { name: 'day-place', valueSerde: units });
  perPlace.rollUp(month, () => 0, add, subtract, { name: 'month-place' });
  perPlace
    .groupBy((_key, n) => ['all', n], { name: 'everything', keySerde: text, valueSerde: units })
    .aggregate(() => 0, add, subtract, { name: 'total', valueSerde: units });
  return builder.build();
}

/** The rows of a store: `key value`. */
export type Tables = Readonly<Record<string, readonly string[]>>;

export const tableNames = ['day-meter', 'day-place', 'month-place', 'total'] as const;

/** A driver that has taken the steps. */
export async function taken(
  steps: readonly Step[],
  options: {
    readonly caching: boolean;
    readonly partitions?: number;
    readonly afterEach?: (driver: TopologyTestDriver) => Promise<void>;
  },
): Promise<TopologyTestDriver> {
  const driver = await TopologyTestDriver.create(recountTopology(), options);
  const events = driver.inputTopic<string, number>('events');
  const places = driver.inputTopic<string, readonly Version<string>[]>('places');
  for (const step of steps) {
    if (step.what === 'event') await events.pipeInput(step.meter, step.units, step.timeMs);
    else if (step.what === 'places') await places.pipeInput(step.meter, step.history, 0);
    else await driver.flush();
    await options.afterEach?.(driver);
  }
  await driver.flush();
  return driver;
}

/** The tables of a driver. */
export async function tablesOf(driver: TopologyTestDriver): Promise<Tables> {
  const tables: Record<string, readonly string[]> = {};
  for (const name of tableNames)
    tables[name] = (await driver.rows(name)).map(({ key, value }) => `${key} ${value}`).sort();
  return tables;
}

/** The tables counted from the events and the final histories, without any engine. */
export function recount(steps: readonly Step[]): Tables {
  const histories = new Map<string, readonly Version<string>[]>();
  for (const step of steps) if (step.what === 'places') histories.set(step.meter, step.history);
  const placeOf = (meter: string, timeMs: number): string =>
    histories.get(meter)?.findLast(({ validFromMs }) => validFromMs <= timeMs)?.value ?? 'unknown';
  const sums: Record<string, Map<string, number>> = Object.fromEntries(tableNames.map((name) => [name, new Map()]));
  const add = (table: string, key: string, value: number): void => {
    sums[table]!.set(key, (sums[table]!.get(key) ?? 0) + value);
  };
  const inWindow = (key: string, startMs: number, sizeMs: number): string => `[${key}@${startMs}/${startMs + sizeMs}]`;
  for (const step of steps) {
    if (step.what !== 'event') continue;
    const dayMs = Math.floor(step.timeMs / 10) * 10;
    add('day-meter', inWindow(step.meter, dayMs, 10), step.units);
    if (step.units === 0) continue;
    const place = placeOf(step.meter, dayMs);
    add('day-place', inWindow(place, dayMs, 10), step.units);
    add('month-place', inWindow(place, Math.floor(dayMs / 40) * 40, 40), step.units);
    add('total', 'all', step.units);
  }
  return Object.fromEntries(
    Object.entries(sums).map(([name, rows]) => [name, [...rows].map(([key, value]) => `${key} ${value}`).sort()]),
  );
}
