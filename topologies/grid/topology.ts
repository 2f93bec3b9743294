import { CalendarWindows } from '../../src/dsl/calendar-windows.ts';
import type { KTable } from '../../src/dsl/ktable.ts';
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts';
import { stringSerde } from '../../src/serde/serdes.ts';
import { Windowed, WindowedSerde } from '../../src/serde/windowed.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { eventSerde } from './events/event-serde.ts';
import type { GridEvent } from './events/grid-event.ts';
import { type Place, placeSerde } from './park/place.ts';
import { addCounts, countEvent, countsSerde, noEvents, subtractCounts } from './statistics/counts.ts';
import { type PlacedCounts, placedCountsSerde } from './statistics/placed-counts.ts';
import {
  allKey,
  type Counts,
  type Grouping,
  groupings,
  periods,
  storeName,
  unknownPlace,
} from './statistics/statistic.ts';

/** The topic of the events; further folders are `grid-events-2`, `grid-events-3`, ... */
export const eventsTopic = 'grid-events';

/** The topic and store of the park: the places of each equipment over time. */
export const parkTable = 'grid-park';

/** What the topology depends on. */
export interface GridTopologyOptions {
  /** The zone of civil times and of days. @defaultValue 'Europe/Paris' */
  readonly zone: string;
  /** How long after its day an event still counts, ms. @defaultValue 86400000 */
  readonly graceMs: number;
  /** Topics of events, read as one. @defaultValue ['grid-events'] */
  readonly topics?: readonly string[];
  /** The topic of the park. @defaultValue 'grid-park' */
  readonly parkTopic?: string;
}

/**
 * The 24 statistics of a grid's events: {day, week, month, year} x {type, equipment, commune, departement, pdk, region}.
 *
 * One windowed count per day and equipment sees every event. All else are tables over its changes: the same count in coarser windows, and grouped by the
 * place at which the park says the equipment stood on that day.
 */
export function gridTopology(options: GridTopologyOptions): Topology {
  const { zone, graceMs, topics = [eventsTopic], parkTopic = parkTable } = options;
  const builder = new StreamsBuilder();
  const day = CalendarWindows.day(zone).grace(graceMs);
  const park = builder.globalHistoryTable<string, Place>(parkTopic, {
    name: parkTable,
    keySerde: stringSerde,
    valueSerde: placeSerde,
  });

  const perDay = builder
    .stream<string, GridEvent>(topics, {
      name: 'events',
      keySerde: stringSerde,
      valueSerde: eventSerde(zone),
      arrivalTime: (record) => record.value!.arrivedAtMs,
      complete: true,
    })
    .groupByKey()
    .windowedBy(day)
    .aggregate(noEvents, countEvent, { name: storeName('day', 'equipment'), valueSerde: countsSerde });
  const placed = perDay.leftJoin(park, (counts, place): PlacedCounts => ({ counts, place }), {
    name: 'day-placed',
    valueSerde: placedCountsSerde,
  });

  rollUp('equipment', perDay);
  for (const grouping of groupings) {
    if (grouping === 'equipment') continue;
    const grouped = placed
      .groupBy((key, value) => [new Windowed(groupOf(grouping, value.place), key.startMs, key.endMs), value.counts], {
        keySerde: new WindowedSerde(stringSerde, day),
        valueSerde: countsSerde,
      })
      .aggregate(noEvents, addCounts, subtractCounts, { name: storeName('day', grouping), valueSerde: countsSerde });
    rollUp(grouping, grouped);
  }
  return builder.build();

  function rollUp(grouping: Grouping, table: KTable<Windowed<string>, Counts>): void {
    for (const period of periods)
      if (period !== 'day')
        table.rollUp(windowsOf[period](zone).grace(graceMs), noEvents, addCounts, subtractCounts, {
          name: storeName(period, grouping),
        });
  }
}

const windowsOf = { week: CalendarWindows.isoWeek, month: CalendarWindows.month, year: CalendarWindows.year };

function groupOf(grouping: Exclude<Grouping, 'equipment'>, place: Place | undefined): string {
  if (grouping === 'type') return allKey;
  return place === undefined ? unknownPlace : place[grouping];
}
