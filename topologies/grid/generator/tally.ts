import type { PlacedPark } from './known-park.ts';

/** Event types of each grouping, and of each count in a tally. */
export const typeCount = 3;

/** The ids of one kind of group, and the order in which statistics list them: as text, so 10 before 2. */
export interface GroupIds {
  readonly ids: readonly string[];
  /** Indexes of `ids`, sorted. */
  readonly order: Int32Array;
}

/** The groups of a park: ids of all levels of place, and for each spot its index in each. The last index of each level stands for nowhere. */
export interface ParkGroups {
  readonly commune: GroupIds;
  readonly departement: GroupIds;
  readonly pdk: GroupIds;
  readonly region: GroupIds;
  readonly spots: Readonly<Record<Level, Int32Array>>;
}

/** The levels of place. */
export const levels = ['commune', 'departement', 'pdk', 'region'] as const;
/** One of {@link levels}. */
export type Level = (typeof levels)[number];

const unknown = 'unknown';

/** Numbers the groups of a park. */
export function parkGroups(park: PlacedPark): ParkGroups {
  const texts: Record<Level, string[]> = {
    commune: park.spots.map((spot) => spot.commune.code),
    departement: park.spots.map((spot) => spot.commune.departement),
    pdk: park.spots.map((spot) => String(spot.pdk)),
    region: park.spots.map((spot) => spot.commune.region),
  };
  const level = (name: Level): { ids: GroupIds; spots: Int32Array } => {
    const ids = [...new Set(texts[name]), unknown];
    const indexes = new Map(ids.map((id, index) => [id, index]));
    return { ids: groupIds(ids), spots: Int32Array.from(texts[name], (text) => indexes.get(text)!) };
  };
  const [commune, departement, pdk, region] = [level('commune'), level('departement'), level('pdk'), level('region')];
  return {
    commune: commune.ids,
    departement: departement.ids,
    pdk: pdk.ids,
    region: region.ids,
    spots: { commune: commune.spots, departement: departement.spots, pdk: pdk.spots, region: region.spots },
  };
}

/** Ids with their order as text. */
export function groupIds(ids: readonly string[]): GroupIds {
  const order = Int32Array.from(ids.keys()).sort((a, b) => (ids[a]! < ids[b]! ? -1 : ids[a]! > ids[b]! ? 1 : 0));
  return { ids, order };
}

/** Counts of the events of one period, by equipment and by place. */
export class Tally {
  /** ev_C by id - 1. */
  readonly meters: Float64Array;
  /** ev_K and ev_N by 2 * (id - 1). */
  readonly concentrators: Float64Array;
  /** By level: three counts (ev_C, ev_K, ev_N) for each group. */
  readonly places: Readonly<Record<Level, Float64Array>>;

  constructor(park: PlacedPark, groups: ParkGroups) {
    this.meters = new Float64Array(park.meters.count);
    this.concentrators = new Float64Array(2 * park.concentrators.count);
    const counts = (level: Level): Float64Array => new Float64Array(typeCount * groups[level].ids.length);
    this.places = {
      commune: counts('commune'),
      departement: counts('departement'),
      pdk: counts('pdk'),
      region: counts('region'),
    };
  }

  /** Adds the counts of another tally. */
  add(other: Tally): void {
    addAll(this.meters, other.meters);
    addAll(this.concentrators, other.concentrators);
    for (const level of levels) addAll(this.places[level], other.places[level]);
  }

  /** Forgets all counts. */
  clear(): void {
    this.meters.fill(0);
    this.concentrators.fill(0);
    for (const level of levels) this.places[level].fill(0);
  }
}

function addAll(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += more[i]!;
}
