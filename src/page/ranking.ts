/** A count of a group on a day, as the server says it. */
export interface CountRow {
  readonly window_start: string;
  readonly key: string;
  readonly name?: string;
  readonly n: number;
}

/** A group: its count on a day and on the same day a week before. */
export interface Ranked {
  readonly key: string;
  readonly name: string;
  readonly now: number;
  readonly before: number;
}

/** A civil date some days later. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Groups of either day, the greatest count first. */
export function ranked(now: readonly CountRow[], before: readonly CountRow[]): Ranked[] {
  const groups = new Map<string, { key: string; name: string; now: number; before: number }>();
  for (const [when, rows] of [['now', now] as const, ['before', before] as const])
    for (const { key, name = '', n } of rows) {
      const group = groups.get(key) ?? { key, name, now: 0, before: 0 };
      group[when] += n;
      groups.set(key, group);
    }
  return [...groups.values()].sort((a, b) => b.now - a.now || b.before - a.before || (a.key < b.key ? -1 : 1));
}

/** '+12.5%', '−3%', 'new' where there was nothing, 'none' where nothing is left. */
export function change({ now, before }: { readonly now: number; readonly before: number }): string {
  if (now === before) return '0%';
  if (before === 0) return 'new';
  if (now === 0) return 'none now';
  const percent = ((now - before) / before) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(digits)}%`;
}
