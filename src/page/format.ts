/** A window of a chart: civil dates, the end not included. */
export interface Span {
  readonly start: string;
  readonly end: string;
}

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 1 });
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 12,631,680 */
export function count(n: number): string {
  return whole.format(n);
}

/** 12.6M */
export function compact(n: number): string {
  return short.format(n).replace('K', 'k');
}

/** 12.5%; what is little is not nothing. */
export function percent(ratio: number): string {
  return ratio > 0 && ratio < 0.001 ? 'under 0.1%' : percentage.format(ratio);
}

/** 826 MB */
export function bytes(n: number): string {
  let unit = 0;
  let value = n;
  while (value >= 1000 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? whole.format(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** An instant in a zone: { date: '31 Jan 2018', time: '23:59:50' }. */
export function civil(ms: number, zone?: string): { readonly date: string; readonly time: string } {
  const options: Intl.DateTimeFormatOptions = {
    ...(zone !== undefined && { timeZone: zone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  };
  const parts: Record<string, string> = {};
  for (const { type, value } of new Intl.DateTimeFormat('en-GB', options).formatToParts(ms)) parts[type] = value;
  return {
    date: `${parts['day']} ${parts['month']} ${parts['year']}`,
    time: `${parts['hour']}:${parts['minute']}:${parts['second']}`,
  };
}

/** 12 s ago */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return 'just now';
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

/** late 2 · future 1; what is 0 is left out. */
export function reasons(counts: Readonly<Record<string, number>>): string {
  const named = Object.entries(counts).filter(([, n]) => n > 0);
  return named.map(([reason, n]) => `${reason.replaceAll('_', ' ')} ${count(n)}`).join(' · ');
}

/** How many days a window has, from its civil dates. */
export function windowDays(bar: Span): number {
  return Math.round((Date.parse(bar.end) - Date.parse(bar.start)) / 86400000);
}

/** A window on the axis: '15 Dec', 'Dec', '2017'. The year is written apart. */
export function axisLabel(bar: Span, days: number): string {
  const [year, month, day] = bar.start.split('-') as [string, string, string];
  if (days > 300) return year;
  const name = monthNames[Number(month) - 1]!;
  return days > 20 ? name : `${Number(day)} ${name}`;
}

/** '31 Jan 2018' for '2018-01-31'. */
export function dateLabel(date: string): string {
  const [year, month, day] = date.split('-') as [string, string, string];
  return `${Number(day)} ${monthNames[Number(month) - 1]!} ${year}`;
}

/** The days that windows cover: '15 Dec 2017 to 31 Jan 2018'. */
export function spanLabel(bars: readonly Span[]): string {
  const last = new Date(Date.parse(bars.at(-1)!.end) - 86400000).toISOString().slice(0, 10);
  const first = bars[0]!.start;
  return dateLabel(first) + (first === last ? '' : ` to ${dateLabel(last)}`);
}

/** A window in full: 'Fri 15 Dec 2017', 'week of 11 Dec 2017', 'Dec 2017', '2017'. */
export function windowLabel(bar: Span): string {
  const days = windowDays(bar);
  const [year, month] = bar.start.split('-') as [string, string];
  if (days > 300) return year;
  if (days > 20) return `${monthNames[Number(month) - 1]!} ${year}`;
  if (days > 1) return `Week of ${dateLabel(bar.start)}`;
  return `${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(bar.start).getUTCDay()]} ${dateLabel(bar.start)}`;
}

/** Date and time of a zone in one line. */
export function moment(ms: number, zone: string | undefined): string {
  const { date, time } = civil(ms, zone);
  return `${date} ${time}`;
}

const statesInWords: Readonly<Record<string, string>> = {
  CREATED: 'created',
  REBALANCING: 'starting',
  RUNNING: 'running',
  PENDING_SHUTDOWN: 'stopping',
  NOT_RUNNING: 'stopped',
  ERROR: 'failed',
};

/** The state of a client in a word. */
export function stateWords(state: string): string {
  return statesInWords[state] ?? state;
}
