import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { SinkTarget } from '../../../src/sink/target.ts';
import { exported, filesOf, weir } from './weir.ts';

const eventsOfADay = 8640;
const header = 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div';

/** All rows of the visible files of events, by the date of their folder. */
async function rowsByDay(target: SinkTarget): Promise<Map<string, string[]>> {
  const days = new Map<string, string[]>();
  for (const { path } of await target.list('')) {
    const day = path.slice(0, 8);
    const [first, ...rows] = Buffer.from(await target.read(path))
      .toString()
      .trimEnd()
      .split('\n');
    if (first !== header) throw new Error(`${path} has the header ${first}`);
    days.set(day, [...(days.get(day) ?? []), ...rows]);
  }
  return days;
}

/** No row is there twice. @returns how many there are. */
export async function isOnce(t: ExecutionContext, target: SinkTarget): Promise<number> {
  let count = 0;
  for (const [day, rows] of await rowsByDay(target)) {
    t.is(new Set(rows).size, rows.length, `rows twice in ${day}`);
    count += rows.length;
  }
  return count;
}

/** Each day of the golden events has its rows, and no others. */
export async function hasGoldenDays(t: ExecutionContext, golden: string, target: SinkTarget): Promise<void> {
  const days = await rowsByDay(target);
  const files = (await readdir(`${golden}/events`)).sort();
  t.deepEqual(
    [...days.keys()].sort(),
    files.map((name) => name.slice(6, 14)),
  );
  for (const name of files) {
    const rows = (await readFile(join(golden, 'events', name), 'utf8')).trimEnd().split(/\r?\n/).slice(1);
    t.is(rows.length, eventsOfADay);
    t.deepEqual(days.get(name.slice(6, 14))!.sort(), rows.sort(), name);
  }
}

/** A copy of a target's visible files in a folder of this machine. */
export async function copyTo(folder: string, target: SinkTarget): Promise<void> {
  for (const { path } of await target.list('')) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), await target.read(path));
  }
}

/** What a sink wrote gives the golden statistics, replayed over any number of partitions. `scratch`: an empty folder. */
export async function replaysToGolden(
  t: ExecutionContext,
  golden: string,
  events: string,
  scratch: string,
): Promise<void> {
  for (const partitions of ['1', '2']) {
    const state = join(scratch, `state-${partitions}`);
    const words = ['--events', events, '--park', `${golden}/park`, '--state', state, '--partitions', partitions];
    await weir(['replay', ...words]);
    t.deepEqual(await exported(state, join(scratch, `out-${partitions}`)), await filesOf(`${golden}/statistics`));
  }
}
