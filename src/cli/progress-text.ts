/** How far a replay is. Counts run since its state began, so a resumed replay starts above 0. */
export interface ProgressSnapshot {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly rows: number;
  readonly bytes: number;
  readonly bytesTotal: number;
  /** Event time reached; undefined or negative before the first record. */
  readonly eventTimeMs: number | undefined;
  readonly late: number;
  readonly dead: number;
}

/** What is known beyond a snapshot. */
export interface Pace {
  readonly elapsedMs: number;
  readonly rowsPerSecond: number;
  /** Undefined when it cannot be told. */
  readonly remainingMs: number | undefined;
}

// Made when they are first needed: each costs some ms.
let grouped: Intl.NumberFormat | undefined;
let short: Intl.NumberFormat | undefined;

/** A count with thousands separators: `414,720`. */
export function groupedCount(count: number): string {
  grouped ??= new Intl.NumberFormat('en-US');
  return grouped.format(count);
}

/** A rate in three digits: `2.1M`, `460K`. */
export function shortCount(count: number): string {
  short ??= new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
  return short.format(count);
}

/** A length of time: `0.9 s`, `42 s`, `3 min 05 s`, `2 h 04 min`. */
export function durationText(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Writes event times in a zone: `2018-01-31 23:59:50`. */
export function eventTimeFormat(zone: string): (ms: number | undefined) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (ms) => (ms === undefined || ms < 0 ? '-' : format.format(ms));
}

/** `48/48 files, 414,720 rows, 2.1M rows/s, event time 2018-01-31 23:59:50, late 0, dead 0`. */
export function progressText(at: ProgressSnapshot, pace: Pace, eventTime: string): string {
  return [
    `${groupedCount(at.filesDone)}/${groupedCount(at.filesTotal)} files`,
    `${groupedCount(at.rows)} rows`,
    `${shortCount(pace.rowsPerSecond)} rows/s`,
    `event time ${eventTime}`,
    `late ${groupedCount(at.late)}`,
    `dead ${groupedCount(at.dead)}`,
  ].join(', ');
}
