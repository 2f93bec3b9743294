/** The four window lengths. */
export const periods = ['day', 'week', 'month', 'year'] as const;
export type Period = (typeof periods)[number];

/** What events are grouped by: nothing but `type_evt`, equipment, or the four levels of place. */
export const groupings = ['type', 'equipment', 'commune', 'departement', 'pdk', 'region'] as const;
export type Grouping = (typeof groupings)[number];

/** The three kinds of event, as the data writes them. */
export const eventTypes = ['ev_C', 'ev_K', 'ev_N'] as const;
export type EventType = (typeof eventTypes)[number];

/** The value of every statistic's row: how many events of each type. */
export interface Counts {
  ev_C: number;
  ev_K: number;
  ev_N: number;
}

/** The window store that holds a statistic, such as `day-equipment`. Its key: `C:8` for equipment, the plain id for places, `all` for type. */
export function storeName(period: Period, grouping: Grouping): string {
  return `${period}-${grouping}`;
}

/** The key of the statistics by type: there is one group, everything. */
export const allKey = 'all';

/** The place of an event of an equipment that is installed nowhere on that day, in all four groupings. */
export const unknownPlace = 'unknown';
