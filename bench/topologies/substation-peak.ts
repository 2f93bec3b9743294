import {
  type ConsumedRecord,
  type Serde,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';

/** What the topology reads of an event. */
export interface Report {
  readonly type: string;
  readonly occurredAtMs: number;
  readonly arrivedAtMs: number;
}

/** What it reads of the place of an equipment. */
export interface Site {
  readonly pdk: string;
}

/** Topic of the reports, keyed by equipment. */
export const reportsTopic = 'reports';
/** The versioned table of sites, by equipment. */
export const sitesTable = 'sites';
/** Store of the results. */
export const peaksStore = 'peak-delay';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * By hour and substation, the longest time in seconds that a report of state (not an alarm, `ev_N`) took to arrive.
 *
 * The plain way to write it, as a user would: nothing of it is made for speed.
 */
export function substationPeak(reportSerde: Serde<Report>, siteSerde: Serde<Site>): Topology {
  const builder = new StreamsBuilder();
  const sites = builder.globalHistoryTable<string, Site>(sitesTable, {
    name: sitesTable,
    keySerde: Serdes.string,
    valueSerde: siteSerde,
  });
  builder
    .stream<string, Report>(reportsTopic, {
      name: 'reports',
      keySerde: Serdes.string,
      valueSerde: reportSerde,
      arrivalTime: (record: ConsumedRecord<string, Report>) => record.value!.arrivedAtMs,
      complete: true,
    })
    .filter((_equipment, { type }) => type === 'ev_C' || type === 'ev_K', { name: 'states' })
    .mapValues(({ occurredAtMs, arrivedAtMs }) => (arrivedAtMs - occurredAtMs) / 1000, { name: 'delays' })
    .leftJoin(sites, (seconds, site) => ({ seconds, substation: site?.pdk ?? 'unknown' }), { name: 'placed' })
    .selectKey((_equipment, { substation }) => substation, { name: 'by-substation', keySerde: Serdes.string })
    .mapValues(({ seconds }) => seconds, { name: 'seconds' })
    .groupByKey({ name: 'by-substation', valueSerde: Serdes.int32 })
    .windowedBy(TimeWindows.ofSizeAndGrace(hourMs, dayMs))
    .reduce((peak, seconds) => Math.max(peak, seconds), { name: peaksStore });
  return builder.build();
}
