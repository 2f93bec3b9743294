import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './steady-events.ts';

/** A count as an answer told it, and when the answer was there. */
export interface Seen {
  readonly atMs: number;
  readonly count: number;
}

/** How something is watched. */
export interface Watch {
  /** A statistic's address: its rows' numbers are summed. */
  readonly url: string;
  /** Between an answer and the next question. */
  readonly everyMs: number;
  /** Whether to ask on. */
  more(count: number): boolean;
}

/** Asks for a count again and again. An instance that cannot answer for now is asked again. */
export async function watch({ url, everyMs, more }: Watch): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  let count = 0;
  while (more(count)) {
    const response = await fetch(url);
    const text = await response.text();
    if (response.status !== 200 && response.status !== 503) throw new Error(`${url}: ${response.status} ${text}`);
    if (response.status === 200) {
      const rows = JSON.parse(text) as readonly { readonly n: number }[];
      count = rows.reduce((sum, { n }) => sum + n, 0);
      if (count !== seen.at(-1)?.count) seen.push({ atMs: nowMs(), count });
    }
    await delay(everyMs);
  }
  return seen;
}

/** For each count that was sent, ms until an answer told as much. */
export function delaysOf(sent: readonly Seen[], seen: readonly Seen[]): readonly number[] {
  let next = 0;
  return sent.map(({ atMs, count }) => {
    while (seen[next]!.count < count) next++;
    return seen[next]!.atMs - atMs;
  });
}

/** Such as `p50 87 ms, p99 143 ms, most 161 ms of 3,000`. */
export function percentilesText(delays: readonly number[]): string {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.ceil(share * sorted.length) - 1]!)} ms`;
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} of ${sorted.length.toLocaleString('en-US')}`;
}
