import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { FolderFeed } from '../../src/files/folder-feed.ts';
import { Letters } from '../../src/files/letters.ts';
import { Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../src/index.ts';
import { EmbeddedStreams } from '../../src/runtime/embedded-streams.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { damagesOf } from '../../state/level-files/check-folder.ts';
import { type Reading, readingFormat } from '../files/helpers/formats.ts';
import { copyOfOpen, damage, randomOf } from '../helpers/damages.ts';
import { shownRows } from './kafka/kit.ts';

const seed = Number(process.env['DAMAGE_SEED'] ?? Date.now() % 1_000_000);
const tries = Number(process.env['DAMAGE_TRIES'] ?? 15);
const keys = 50;
const files = 6;
const rowsOfFile = 200;
const all = files * rowsOfFile;

/** How many readings each device has, in all and in windows of 10 ms, and the last text of each. */
function topologyOf(): Topology {
  const builder = new StreamsBuilder();
  const stream = builder.stream<string, Reading>('readings', {
    keySerde: Serdes.string,
    valueSerde: Serdes.json<Reading>(),
  });
  stream.groupByKey().count({ name: 'counts' });
  stream.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(10, 1000)).count({ name: 'windows' });
  stream
    .mapValues(({ text }) => text)
    .groupByKey({ keySerde: Serdes.string, valueSerde: Serdes.string })
    .reduce((_, text) => text, { name: 'texts' });
  return builder.build();
}

/** Row `i` of all files: every 40th is a dead letter. */
function rowOf(i: number): string {
  return i % 40 === 7 ? `bad ${i},${i},-` : `${(i * 7) % keys},${i},${textOf(i)}`;
}

const textOf = (i: number): string => `text ${i} `.repeat(1 + (i % 20)).trim();

/** The rows of all stores after the first `n` rows of input. */
function truth(n: number): Record<string, string[]> {
  const counts = new Map<string, number>();
  const windows = new Map<string, number>();
  const texts = new Map<string, string>();
  for (let i = 0; i < n; i++) {
    if (i % 40 === 7) continue;
    const key = `id ${(i * 7) % keys}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const windowed = `${key}@${i - (i % 10)}`;
    windows.set(windowed, (windows.get(windowed) ?? 0) + 1);
    texts.set(key, textOf(i));
  }
  const shown = (rows: Map<string, unknown>): string[] => [...rows].map(([key, value]) => `${key} ${value}`).sort();
  return { counts: shown(counts), windows: shown(windows), texts: shown(texts) };
}

const deadRows = Array.from({ length: all }, (_, i) => i).filter((i) => i % 40 === 7);

/** The number of rows that were counted when the stores had these, with the letters before the next. */
function inputOf(counted: number): number {
  let n = 0;
  for (let left = counted; left > 0; n++) if (n % 40 !== 7) left--;
  return n;
}

const openDatabase = (location: string): ReturnType<typeof openLevelDatabase> =>
  openLevelDatabase(location, { writeBufferBytes: 64 * 1024, maxFileBytes: 1024 * 1024 });

const open = (stateDir: string, create = true): Promise<EmbeddedStreams> =>
  EmbeddedStreams.open(topologyOf(), { stateDir, openDatabase, create, commitIntervalRecords: 40, syncWrites: false });

/** Reads the files that there are, to their end. `before` is told before the state is closed. */
async function replay(stateDir: string, events: string, before: () => Promise<void> = async () => {}): Promise<void> {
  const streams = await open(stateDir);
  const letters: Letters[] = [];
  try {
    for (const name of ['dead.jsonl', 'late.jsonl'])
      letters.push(await Letters.open(join(stateDir, name), { state: stateDir }));
    const [dead, late] = letters as [Letters, Letters];
    await streams.run([new FolderFeed({ topic: 'readings', directory: events, format: readingFormat, dead, late })]);
    await before();
  } finally {
    await streams.close();
    for (const each of letters) await each.close();
  }
}

/** Reads a state. @returns how many rows of input its stores have, all of them the same. */
async function check(t: ExecutionContext, stateDir: string, what: string): Promise<number> {
  const streams = await open(stateDir, false);
  try {
    const rows: Record<string, string[]> = {};
    for (const spec of streams.topology.stores) rows[spec.name] = await shownRows(spec, streams.parts(spec.name));
    const n = inputOf(rows['counts']!.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0));
    t.deepEqual(rows, truth(n), what);
    return n;
  } finally {
    await streams.close();
  }
}

async function isWhole(stateDir: string): Promise<boolean> {
  for await (const _ of damagesOf(join(stateDir, 'db'))) return false;
  return true;
}

interface World {
  readonly root: string;
  readonly events: string;
  readonly older: string;
  readonly killed: string;
  readonly closed: string;
}

async function worldOf(t: ExecutionContext): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'weir-damage-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const [events, older, killed, closed] = ['events', 'older', 'killed', 'closed'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  await mkdir(events);
  for (let file = 0; file < files; file++) {
    const rows = Array.from({ length: rowsOfFile }, (_, i) => rowOf(file * rowsOfFile + i));
    await writeFile(join(events, `${file}.csv`), `id,at,text\n${rows.join('\n')}\n`);
    await replay(closed, events, async () => {
      if (file === files - 1) await copyOfOpen(closed, killed, isWhole);
    });
    if (file === 1) await cp(closed, older, { recursive: true });
  }
  return { root, events, older, killed, closed };
}

async function isMended(stateDir: string): Promise<boolean> {
  const lines = (await readFile(join(stateDir, 'dead.jsonl'), 'utf8')).trimEnd().split('\n');
  const expected = deadRows.map((i) => Buffer.from(rowOf(i)).toString('base64'));
  return lines.length === expected.length && lines.every((line, i) => JSON.parse(line).raw === expected[i]);
}

for (const state of ['closed', 'killed'] as const)
  test(`any single damage to a ${state} state of files is noticed, or the input read again gives the right rows`, async (t) => {
    t.timeout(1_200_000);
    const random = randomOf(seed);
    const world = await worldOf(t);
    const outcomes = { noticed: 0, harmless: 0, earlier: 0 };
    const folder = join(world.root, 'damaged');
    for (let i = 0; i < tries; i++) {
      await rm(folder, { recursive: true, force: true });
      await cp(world[state], folder, { recursive: true });
      const what = await damage(folder, world.older, random);
      if (what === undefined) continue;
      try {
        const n = await check(t, folder, what);
        if (state === 'closed') t.is(n, all, what);
        await replay(folder, world.events);
        t.is(await check(t, folder, what), all, what);
        if (!what.startsWith('dead.jsonl')) t.true(await isMended(folder), what);
        outcomes[n === all ? 'harmless' : 'earlier']++;
      } catch (error) {
        const codes = ['STREAMS_STATE_STORE_CORRUPT', 'STREAMS_STATE_MISSING', 'STREAMS_INPUT_REFUSED'];
        t.true(StreamsError.is(error) && codes.includes(error.code), `${what}: ${error}`);
        outcomes.noticed++;
      }
    }
    t.log(`seed ${seed}: ${JSON.stringify(outcomes)}`);
    t.true(outcomes.noticed > 0);
  });
