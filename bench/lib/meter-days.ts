import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { daysFromCivil } from '../../src/common/time/civil.ts';
import { ByteWriter } from '../../topologies/grid/generator/byte-writer.ts';
import { CivilWalk } from '../../topologies/grid/generator/civil-walk.ts';
import { eventFileName } from '../../topologies/grid/generator/event-files.ts';
import { endRow, eventHeader, putRow, rowTemplate } from '../../topologies/grid/generator/event-row.ts';
import { generate } from '../../topologies/grid/generator/generate.ts';
import { fileNameOf } from '../../topologies/grid/statistics/export-statistics.ts';
import { type Period, periods } from '../../topologies/grid/statistics/statistic.ts';
import { cacheFolder, freshFolder, needRoom } from './folders.ts';
import { permutation } from './permutation.ts';

/** A data set in which every meter sends one event a day. */
export interface MeterDays {
  readonly events: string;
  readonly park: string;
  /** The four files by equipment that a replay of it must export. */
  readonly truth: string;
  readonly rows: number;
}

const firstDay = daysFromCivil(2018, 1, 1);
const daySeconds = 86_400;
const noonSecond = 12 * 3600;
const rowBytes = 72;
/** A substation has so many meters. */
const metersPerConcentrator = 200;
const linesAtOnce = 10_000;

/** The data set of so many meters and days. It is made once and kept. */
export async function meterDays(meters: number, days: number): Promise<MeterDays> {
  const folder = join(cacheFolder, `meters-${meters}-${days}-days-drawn`);
  const [events, park, truth] = [join(folder, 'events'), join(folder, 'park'), join(folder, 'truth', 'statistics')];
  const set = { events, park, truth, rows: meters * days };
  if (await exists(join(folder, 'made'))) return set;
  console.log(`making ${folder}, once`);
  // The state that the data set is replayed into takes about as much.
  await needRoom(2 * set.rows * rowBytes);
  const out = await freshFolder(`meters-${meters}.unfinished`);
  await rm(folder, { recursive: true, force: true });
  await makePark(out, meters, days);
  for (let day = 0; day < days; day++) writeDay(join(out, 'events'), day, meters);
  await writeTruth(join(out, 'truth', 'statistics'), meters, days);
  await writeFile(join(out, 'made'), '');
  await rename(out, folder);
  return set;
}

/** The park of a generated data set, whose few events are then replaced. */
async function makePark(out: string, meters: number, days: number): Promise<void> {
  const concentrators = Math.max(1, Math.round(meters / metersPerConcentrator));
  await generate({ out, from: firstDay, days, meters, concentrators, seed: 1, eventsPerDay: 1 });
  await rm(join(out, 'truth'), { recursive: true });
}

/** Each meter has one event of the same type each day. */
async function writeTruth(folder: string, meters: number, days: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const dates = Array.from({ length: days }, (_, day) => new CivilWalk(firstDay + day));
  for (const period of periods) {
    const counts = new Map<string, number>();
    for (const date of dates) counts.set(startOf(period, date), (counts.get(startOf(period, date)) ?? 0) + 1);
    const file = createWriteStream(join(folder, fileNameOf(period, 'equipment')));
    for (const [start, count] of counts)
      for (let from = 1; from <= meters; from += linesAtOnce) {
        const length = Math.min(linesAtOnce, meters + 1 - from);
        const lines = Array.from({ length }, (_, i) => `${start},C,${from + i},ev_C,${count}\n`);
        if (!file.write(lines.join(''))) await once(file, 'drain');
      }
    file.end();
    await finished(file);
  }
}

function startOf(period: Period, date: CivilWalk): string {
  if (period === 'day') return date.text;
  if (period === 'week') return date.weekText;
  return period === 'month' ? date.monthText : date.yearText;
}

/** The meters' events are spread evenly over the day, in an order of this day's own. */
function writeDay(folder: string, day: number, meters: number): void {
  const date = new CivilWalk(firstDay + day);
  const out = new ByteWriter(join(folder, eventFileName(date)));
  out.text(`${eventHeader}\n`);
  const templates = ['12:00:00', '23:59:59'].map((time) => rowTemplate(date.text, `${date.text} ${time}`));
  const order = permutation(meters, day);
  for (let i = 0; i < meters; i++) {
    const second = Math.floor((i * daySeconds) / meters);
    putRow(out, templates[second < noonSecond ? 0 : 1]!, second, 0, 1 + order[i]!);
    endRow(out);
  }
  out.close();
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
