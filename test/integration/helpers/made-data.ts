import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weir } from './weir.ts';

/** What data to make. */
export interface MadeData {
  readonly days: number;
  readonly eventsPerDay: number;
  readonly damage: number;
  readonly late: boolean;
  readonly seed: number;
  readonly from?: string;
  readonly meters?: number;
  readonly concentrators?: number;
}

/** Generates a data set in a new folder; returns the folder. */
export async function madeData(data: MadeData): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-made-'));
  const { days, eventsPerDay, damage, late, seed, from = '2018-03-01', meters = 200, concentrators = 20 } = data;
  await weir([
    ...['generate', '--out', folder, '--from', from, '--days', String(days), '--meters', String(meters)],
    ...['--concentrators', String(concentrators), '--seed', String(seed), '--events-per-day', String(eventsPerDay)],
    ...(late ? ['--late'] : []),
    ...(damage > 0 ? ['--damage', String(damage)] : []),
  ]);
  return folder;
}

/** Numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  };
}
