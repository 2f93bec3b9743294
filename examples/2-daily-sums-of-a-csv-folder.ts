// Sums what meters used on each day, over a folder of CSV files, with its state on disk.
//
// The example makes its own folder: two files, then a second run after a third one came and the second one grew. The second run goes on where the first
// one stopped: no row is read twice. The clocks went forward on 2024-03-31 in Paris, so that day has 23 hours; bad rows are
// kept beside the state, in readings-dead.jsonl, and a line on stderr says that one row of five did not count.
//
//     node --import tsx examples/2-daily-sums-of-a-csv-folder.ts

import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CalendarWindows,
  csvFormat,
  EmbeddedStreams,
  FolderFeed,
  type ReadOnlyWindowStore,
  Serdes,
  StreamsBuilder,
  type Topology,
} from '../src/index.ts';

interface Reading {
  readonly wh: number;
  readonly atMs: number;
}

const days = CalendarWindows.day('Europe/Paris').grace(12 * 3_600_000);

function dailySums(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('readings', { name: 'readings', keySerde: Serdes.string, valueSerde: Serdes.json<Reading>() })
    .groupByKey()
    .windowedBy(days)
    .aggregate(
      () => 0,
      (_meter, { wh }, sum) => sum + wh,
      { name: 'wh-per-day', valueSerde: Serdes.int64 },
    );
  return builder.build();
}

/** Takes what is new in the folder into the state, and prints all sums. */
async function run(folder: string, stateDir: string): Promise<void> {
  const streams = await EmbeddedStreams.open(dailySums(), { stateDir });
  const feed = new FolderFeed({
    topic: 'readings',
    directory: folder,
    format: csvFormat({
      columns: { meter: 'meter', atMs: { column: 'at', time: 'iso' }, wh: { decimal: '.' } },
      key: (row) => row.meter,
      value: ({ wh, atMs }): Reading => ({ wh, atMs }),
      timestamp: (reading) => reading.atMs,
    }),
  });
  try {
    await streams.run([feed]); // Returns at the end of the last file, with everything committed.
    const { filesDone, rows } = feed.progress;
    console.log(`${filesDone} files and ${rows} rows read so far, ${feed.progress.dead} of them bad`);
    const sums = streams.store('wh-per-day') as ReadOnlyWindowStore<string, number>;
    for await (const { windowed, value } of sums.fetchAll(0, Infinity)) {
      const { key, startMs, endMs } = windowed;
      const hours = (endMs - startMs) / 3_600_000;
      console.log(`${days.formatStart(startMs)} (${hours} h) meter ${key}: ${value} Wh`);
    }
  } finally {
    await streams.close();
  }
}

const root = await mkdtemp(join(tmpdir(), 'weir-example-'));
const folder = join(root, 'readings');
const state = join(root, 'state');
try {
  await mkdir(folder);
  await writeFile(
    join(folder, 'a.csv'),
    'meter,at,wh\n8,2024-03-30T10:00:00Z,100\n9,2024-03-30T11:00:00Z,40\n8,2024-03-30T22:59:59Z,1\n',
  );
  // Other columns are ignored, and their order is free.
  await writeFile(
    join(folder, 'b.csv'),
    'at,note,wh,meter\n2024-03-30T23:00:00Z,,200,8\n2024-03-31T08:00:00Z,,none,9\n',
  );
  await run(folder, state);

  await appendFile(join(folder, 'b.csv'), '2024-03-31T21:59:59Z,,20,8\n');
  await writeFile(join(folder, 'c.csv'), 'meter,at,wh\n9,2024-03-31T22:00:00Z,7\n');
  await run(folder, state);

  const letter = JSON.parse(await readFile(join(state, 'readings-dead.jsonl'), 'utf8'));
  console.log(`dead: ${letter.file}:${letter.line} ${letter.reason}: ${Buffer.from(letter.raw, 'base64')}`);
} finally {
  await rm(root, { recursive: true, force: true });
}
