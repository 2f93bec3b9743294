/**
 * A second opinion on zones, from Intl alone and by looking at instants one after the other: slow, and knows nothing of spans or caches.
 */
const dayMs = 86_400_000;
const minuteMs = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock in a zone shows, as the ms that the same reading would be in UTC. */
export function clockAt(zone: string, ms: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  // sv-SE writes 2017-12-15 23:59:59.
  const shown = Date.parse(`${format.format(ms).replace(' ', 'T')}Z`);
  return shown + (((ms % 1000) + 1000) % 1000);
}

/** Civil day that the clock shows. */
function dateAt(zone: string, ms: number): number {
  return Math.floor(clockAt(zone, ms) / dayMs);
}

/** Offsets in force around a day, in order of time. Zones keep an offset for days, so every 4 hours is enough. */
function offsetsAround(zone: string, day: number): number[] {
  const offsets: number[] = [];
  for (let hour = -20; hour <= 44; hour += 4) {
    const ms = day * dayMs + hour * 60 * minuteMs;
    const offset = clockAt(zone, ms) - ms;
    if (offsets.at(-1) !== offset) offsets.push(offset);
  }
  return offsets;
}

/** First instant whose civil date is `day` or later: looks at every minute, then at every second of the minute before. */
export function firstInstantOf(zone: string, day: number): number {
  let ms = day * dayMs - Math.max(...offsetsAround(zone, day));
  if (dateAt(zone, ms) < day) {
    while (dateAt(zone, ms) < day) ms += minuteMs;
    ms -= minuteMs;
    while (dateAt(zone, ms) < day) ms += 1000;
  }
  return ms;
}

/** The rule of `Zone.toMs`, tried on every offset: the first instant that shows the time, else the time moved over the gap, within the day. */
export function instantOf(zone: string, day: number, msOfDay: number): number {
  const civilMs = day * dayMs + msOfDay;
  const offsets = offsetsAround(zone, day);
  const candidates = offsets.map((offset) => civilMs - offset);
  const showing = candidates.filter((ms) => clockAt(zone, ms) === civilMs);
  const ms = showing.length > 0 ? Math.min(...showing) : candidates.find((at) => clockAt(zone, at) > civilMs)!;
  return Math.min(Math.max(ms, firstInstantOf(zone, day)), firstInstantOf(zone, day + 1) - 1);
}

/** Zones whose days are odd in some way, one that has nothing, and one that everybody knows. */
export const oddZones = [
  'Europe/Paris',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/St_Johns',
  'Asia/Beirut',
  'America/Havana',
  'Antarctica/Casey',
  'UTC',
] as const;

/** Every zone that Intl lists. */
export const allZones: readonly string[] = Intl.supportedValuesOf('timeZone');
