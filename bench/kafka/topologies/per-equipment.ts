import { CalendarWindows, Serdes, StreamsBuilder, type Topology } from '../../../src/index.ts';
import { eventSerde } from '../../../topologies/grid/events/event-serde.ts';
import type { GridEvent } from '../../../topologies/grid/events/grid-event.ts';
import {
  addCounts,
  countEvent,
  countsSerde,
  noEvents,
  subtractCounts,
} from '../../../topologies/grid/statistics/counts.ts';
import { periods, storeName } from '../../../topologies/grid/statistics/statistic.ts';
import { eventsTopic } from '../../../topologies/grid/topology.ts';

/** How the four windows are counted: the day, and the others from its changes; or each from the events, as Kafka Streams does it. */
export type PerEquipmentPlan = 'roll-ups' | 'four-counts';

/** The zone of the data set. */
export const zone = 'Europe/Paris';

const graceMs = 86_400_000;
const windows = {
  day: CalendarWindows.day(zone),
  week: CalendarWindows.isoWeek(zone),
  month: CalendarWindows.month(zone),
  year: CalendarWindows.year(zone),
};

/** Events by equipment and type in windows of a day, a week, a month and a year: four of the grid's 24 statistics. */
export function perEquipment(plan: PerEquipmentPlan): Topology {
  const builder = new StreamsBuilder();
  const events = builder
    .stream<string, GridEvent>(eventsTopic, {
      name: 'events',
      keySerde: Serdes.string,
      valueSerde: eventSerde(zone),
      arrivalTime: (record) => record.value!.arrivedAtMs,
      complete: true,
    })
    .groupByKey();
  const perDay = events
    .windowedBy(windows.day.grace(graceMs))
    .aggregate(noEvents, countEvent, { name: storeName('day', 'equipment'), valueSerde: countsSerde });
  for (const period of periods) {
    if (period === 'day') continue;
    const name = storeName(period, 'equipment');
    const coarser = windows[period].grace(graceMs);
    if (plan === 'roll-ups') perDay.rollUp(coarser, noEvents, addCounts, subtractCounts, { name });
    else events.windowedBy(coarser).aggregate(noEvents, countEvent, { name, valueSerde: countsSerde });
  }
  return builder.build();
}
