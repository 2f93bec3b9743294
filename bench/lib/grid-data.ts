import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { daysFromCivil } from '../../src/common/time/civil.ts';
import { generate } from '../../topologies/grid/generator/generate.ts';
import { cacheFolder, freshFolder, needRoom } from './folders.ts';

/** A generated data set. */
export interface GridData {
  readonly events: string;
  readonly park: string;
  /** The 24 files that a replay of it must export. */
  readonly truth: string;
  readonly days: number;
  readonly rows: number;
  /** Bytes of the events. */
  readonly bytes: number;
}

/** The shape of a data set. */
export interface GridDataOptions {
  readonly days: number;
  readonly meters: number;
  readonly concentrators: number;
  /** @defaultValue 8640 */
  readonly eventsPerDay?: number;
}

/** First day of all data sets. */
const firstDay = daysFromCivil(2014, 1, 1);

const usualEvents = 8640;

/** A row takes some 66 bytes. */
const roomPerRow = 70;

/** A data set from 2014-01-01 on. It is made once and kept. */
export async function gridData(options: GridDataOptions): Promise<GridData> {
  const { days, meters, concentrators, eventsPerDay = usualEvents } = options;
  const each = eventsPerDay === usualEvents ? '' : `-${eventsPerDay}-events`;
  const name = `grid-${days}-days-${meters}-meters-${concentrators}-concentrators${each}`;
  const folder = join(cacheFolder, name);
  const madeFile = join(folder, 'made.json');
  let made = await readMade(madeFile);
  if (made === undefined) {
    console.log(`making ${folder}, once`);
    await needRoom(days * eventsPerDay * roomPerRow);
    const out = await freshFolder(`${name}.unfinished`);
    await rm(folder, { recursive: true, force: true });
    made = await generate({ out, from: firstDay, days, meters, concentrators, eventsPerDay, seed: 1 });
    await writeFile(join(out, 'made.json'), JSON.stringify(made));
    await rename(out, folder);
  }
  return {
    events: join(folder, 'events'),
    park: join(folder, 'park'),
    truth: join(folder, 'truth', 'statistics'),
    days,
    rows: made.rows,
    bytes: made.bytes,
  };
}

async function readMade(file: string): Promise<{ readonly rows: number; readonly bytes: number } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { readonly rows: number; readonly bytes: number };
  } catch {
    return undefined;
  }
}
