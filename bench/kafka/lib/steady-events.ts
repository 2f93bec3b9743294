import { daysFromCivil } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import { loadPark } from '../../../topologies/grid/park/load-park.ts';
import { parkHistories } from '../../../topologies/grid/park/park-history.ts';
import type { Place } from '../../../topologies/grid/park/place.ts';
import { zone } from '../topologies/per-equipment.ts';

/** The day of all events that are sent steadily: the first of the generated data sets. */
export const steadyDate = '2014-01-01';

/** Noon of it: events are sent on from there, in real time. */
export const steadyNoonMs: number = Zone.of(zone).startOfDay(daysFromCivil(2014, 1, 1)) + 12 * 3_600_000;

/** Told for each batch of events: when it was handed to the producer, and how many events that makes by then. */
export interface Sent {
  readonly sent: {
    /** ms since the epoch. */
    readonly atMs: number;
    /** Events of the probe: the equipment that is looked at. */
    readonly ofProbe: number;
    /** Events of the probe's commune, its own included. */
    readonly ofCommune: number;
    readonly all: number;
  };
}

/** ms since the epoch, with fractions: the same in all processes of a machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The meters that stand somewhere on {@link steadyDate}: by key their places. */
export async function placedMeters(park: string): Promise<ReadonlyMap<string, Place>> {
  const placed = new Map<string, Place>();
  for (const [key, versions] of parkHistories(await loadPark(park, { manufacturers: false }), zone)) {
    const place = versions.findLast(({ validFromMs }) => validFromMs <= steadyNoonMs)?.value;
    if (key.startsWith('C:') && place !== undefined) placed.set(key, place);
  }
  return placed;
}
