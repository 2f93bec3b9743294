import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  csvFormat,
  EmbeddedStreams,
  FolderFeed,
  type Logger,
  type ReadOnlyWindowStore,
  type RunOptions,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  silentLogger,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import type { LetterSample } from '../../src/runtime/letter-sample.ts';
import { type RecordCounts, UncountedRecords } from '../../src/runtime/uncounted.ts';

const hourMs = 3_600_000;

/** Keeps what is warned of, or worse. */
function listening(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (_: object, message: string): void => {
    lines.push(message);
  };
  return { logger: { ...silentLogger, warn: keep, error: keep }, lines };
}

const format = csvFormat({
  nested: true,
  columns: { key: 'key', atMs: { column: 'hour', decimal: '.' } },
  key: ({ key }) => key,
  value: ({ atMs }) => atMs * hourMs,
  timestamp: (atMs) => atMs,
});

/** Counts rows by the hour in several stores, each with a grace of a day. */
function hourly(stores: readonly string[], topics: readonly string[] = ['rows']): Topology {
  const builder = new StreamsBuilder();
  const rows = builder
    .stream(topics, { name: 'rows', keySerde: Serdes.string, valueSerde: Serdes.float64 })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(hourMs, 24 * hourMs));
  for (const name of stores) rows.count({ name });
  return builder.build();
}

interface Given {
  readonly topology?: Topology;
  readonly options?: RunOptions;
}

interface Ran {
  readonly lines: readonly string[];
  readonly error: StreamsError | undefined;
  readonly feed: FolderFeed<string, number>;
  readonly streams: EmbeddedStreams;
  readonly stateDir: string;
}

/** Runs over these files, by their paths, and says what was told. */
async function runOver(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
  { topology = hourly(['counts']), options = {} }: Given = {},
): Promise<Ran> {
  const root = mkdtempSync(join(tmpdir(), 'weir-uncounted-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, 'rows');
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  const { logger, lines } = listening();
  const stateDir = join(root, 'state');
  const streams = await EmbeddedStreams.open(topology, { stateDir, logger });
  t.teardown(() => streams.close());
  const feed = new FolderFeed<string, number>({ topic: 'rows', directory, format, logger });
  let error: StreamsError | undefined;
  await streams.run([feed], options).catch((thrown: StreamsError) => {
    error = thrown;
  });
  return { lines, error, feed, streams, stateDir };
}

/** Rows of a key in the hours from 0 on. */
const hoursOf = (key: string, hours: number): string =>
  `key,hour\n${Array.from({ length: hours }, (_, hour) => `${key},${hour}\n`).join('')}`;

test('two folders of the same 100 hours, read one after the other, are told: how many rows were late, the first, and where they are', async (t) => {
  const files = { 'a/all.csv': hoursOf('a', 100), 'b/all.csv': hoursOf('b', 100) };
  const { lines, error, stateDir } = await runOver(t, files, { topology: hourly(['one', 'two', 'three']) });
  t.is(error, undefined);
  // At hour 99 a window counts whose end is later than hour 75: the windows of b from hour 75 on. Hours 0 to 74 are late, each once for three stores.
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(lines[0]!, /^75 of 200 rows \(38%\) did not count, or not in all windows: 75 late\. /);
  t.regex(lines[0]!, /The first: b\/all\.csv of topic rows, line 2: /);
  t.true(lines[0]!.includes(join(stateDir, 'rows-late.jsonl')), lines[0]);
});

test('the same two folders as topics of their own are merged by time, so no row is late', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'weir-uncounted-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const { logger, lines } = listening();
  const topics = ['a', 'b'];
  const streams = await EmbeddedStreams.open(hourly(['counts'], topics), { stateDir: join(root, 'state'), logger });
  t.teardown(() => streams.close());
  const feeds = topics.map((topic) => {
    mkdirSync(join(root, topic));
    writeFileSync(join(root, topic, 'all.csv'), hoursOf(topic, 100));
    return new FolderFeed({ topic, directory: join(root, topic), format, logger });
  });
  await streams.run(feeds);
  t.deepEqual(lines, []);
  t.deepEqual(
    feeds.map(({ progress }) => [progress.rows, progress.late]),
    [
      [100, 0],
      [100, 0],
    ],
  );
});

test('bad rows are told by reason, with the file of the dead letters', async (t) => {
  const { lines, stateDir } = await runOver(t, { 'a.csv': 'key,hour\na,1\na,?\na,?\na\n' });
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(
    lines[0]!,
    /^3 of 4 rows \(75%\) did not count: 2 value, 1 columns\. The first: a\.csv of topic rows, line 3: /,
  );
  t.true(lines[0]!.includes(join(stateDir, 'rows-dead.jsonl')), lines[0]);
});

test('one bad row of a hundred is told to nobody, and neither is a clean run', async (t) => {
  const { lines } = await runOver(t, { 'a.csv': `${hoursOf('a', 99)}a,?\n` });
  t.deepEqual(lines, []);
  const clean = await runOver(t, { 'a.csv': hoursOf('a', 3) });
  t.deepEqual(clean.lines, []);
});

test('a run over a file that is refused fails when all else is committed, and the client stays in use', async (t) => {
  const files = { 'a.csv': hoursOf('a', 3), 'b.csv': 'key;hour\nb;1\n' };
  const { error, streams, feed } = await runOver(t, files);
  t.is(error?.code, 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /^a file of topic rows cannot be read.* b\.csv: /);
  t.is(streams.state, 'RUNNING');
  let windows = 0;
  for await (const _ of (streams.store('counts') as ReadOnlyWindowStore<string, number>).fetchAll(0, Infinity))
    windows++;
  t.is(windows, 3);
  t.is(feed.progress.filesDone, 1);
});

test('with onRefused continue a file that is refused is told in the log and in the progress', async (t) => {
  const { error, lines, feed } = await runOver(
    t,
    { 'b.csv': 'key;hour\nb;1\n' },
    { options: { onRefused: 'continue' } },
  );
  t.is(error, undefined);
  t.is(lines.length, 1, lines.join('\n'));
  t.deepEqual(Object.keys(feed.progress.refused ?? {}), ['b.csv']);
});

test('a folder of which nothing is read is told', async (t) => {
  const { error, lines } = await runOver(t, { 'readings.txt': hoursOf('a', 3) });
  t.is(error, undefined);
  t.is(lines.length, 2, lines.join('\n'));
  t.regex(lines[0]!, /^readings\.txt is left out: /);
  t.regex(lines[1]!, /^there are no \.csv/);
});

/** A watch over counts and letters that a test sets. */
function watched(): {
  readonly uncounted: UncountedRecords;
  readonly lines: string[];
  readonly set: (counts: Partial<RecordCounts>, letters?: readonly Partial<LetterSample>[]) => void;
  readonly at: (ms: number) => void;
} {
  let counts: RecordCounts = { read: 0, late: 0, dead: {} };
  let letters: readonly LetterSample[] = [];
  let nowMs = 0;
  const { logger, lines } = listening();
  const source = {
    noun: 'record' as const,
    counts: () => counts,
    letters: () => letters,
    placesOf: (kind: LetterSample['kind']) => (kind === 'late' ? [] : ['topic app-dead']),
  };
  const base = { kind: 'dead', reason: 'future', message: 'too early', topic: 'in', partition: 0, offset: 7 } as const;
  return {
    uncounted: new UncountedRecords(source, logger, () => nowMs),
    lines,
    set(next, samples = []) {
      counts = { ...counts, ...next };
      letters = samples.map((each) => ({ ...base, text: null, atMs: 0, ...each }));
    },
    at(ms) {
      nowMs = ms;
    },
  };
}

test('a service warns at most once a minute, each time of what came since', (t) => {
  const { uncounted, lines, set, at } = watched();
  at(10_000);
  set({ read: 100, dead: { future: 50 } }, [{ atMs: 5_000 }]);
  uncounted.look();
  t.deepEqual(lines, [
    '50 of 100 records (50%) did not count: 50 future. The first: in-0, offset 7: too early. All of them: topic app-dead.',
  ]);
  at(69_000);
  set({ read: 200, dead: { future: 60, processing: 10 } });
  uncounted.look();
  t.is(lines.length, 1);
  at(71_000);
  uncounted.look();
  t.is(lines[1], '20 of 100 records (20%) did not count: 10 future, 10 processing. All of them: topic app-dead.');
  at(200_000);
  uncounted.look();
  t.is(lines.length, 2, 'nothing new');
  set({ read: 300, late: 3 });
  uncounted.end();
  t.is(lines[2], '3 of 100 records (3.0%) did not count, or not in all windows: 3 late. No letters of them are kept.');
});

test('a few records in a minute of many are told to nobody, however long it goes on', (t) => {
  const { uncounted, lines, set, at } = watched();
  for (let minute = 1; minute <= 5; minute++) {
    at(minute * 60_000);
    set({ read: minute * 1000, late: minute * 10 });
    uncounted.look();
  }
  uncounted.end();
  t.deepEqual(lines, []);
});
