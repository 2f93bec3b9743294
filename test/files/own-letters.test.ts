import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  csvFormat,
  EmbeddedStreams,
  FolderFeed,
  Serdes,
  StreamsBuilder,
  silentLogger,
  TimeWindows,
} from '../../src/index.ts';

const format = csvFormat({
  columns: { key: 'key', atMs: { column: 'at', decimal: '.' } },
  key: ({ key }) => key,
  value: ({ atMs }) => atMs,
  timestamp: (atMs) => atMs,
});

/** Counts in windows of 10 ms without a grace. */
async function count(stateDir: string, directory: string): Promise<FolderFeed<string, number>> {
  const builder = new StreamsBuilder();
  builder
    .stream('rows', { name: 'rows', keySerde: Serdes.string, valueSerde: Serdes.float64 })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'counts' });
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir, logger: silentLogger });
  const feed = new FolderFeed({ topic: 'rows', directory, format });
  try {
    await streams.run([feed]);
  } finally {
    await streams.close();
  }
  return feed;
}

async function folders(t: ExecutionContext): Promise<{ state: string; events: string }> {
  const root = await mkdtemp(join(tmpdir(), 'weir-own-letters-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const events = join(root, 'events');
  await mkdir(events);
  return { state: join(root, 'state'), events };
}

async function linesOf(state: string, kind: string): Promise<readonly number[]> {
  const text = await readFile(join(state, `rows-${kind}.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { line: number }).line);
}

test('bad and late rows are kept beside the state where nothing is said of them, each once over several runs', async (t) => {
  const { state, events } = await folders(t);
  await writeFile(join(events, 'a.csv'), 'key,at\na,1\na,none\na,25\na,2\n');
  const first = await count(state, events);
  t.deepEqual([first.progress.rows, first.progress.dead, first.progress.late], [4, 1, 1]);
  await appendFile(join(events, 'a.csv'), 'a,nothing\na,3\na,41\n');
  const second = await count(state, events);
  t.deepEqual([second.progress.rows, second.progress.dead, second.progress.late], [7, 2, 2]);
  t.deepEqual(await linesOf(state, 'dead'), [3, 6]);
  t.deepEqual(await linesOf(state, 'late'), [5, 7]);
});

test('letters that are gone are told, and not begun anew', async (t) => {
  const { state, events } = await folders(t);
  await writeFile(join(events, 'a.csv'), 'key,at\na,none\na,1\n');
  await count(state, events);
  await rm(join(state, 'rows-dead.jsonl'));
  await appendFile(join(events, 'a.csv'), 'a,2\n');
  await t.throwsAsync(count(state, events), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /rows-dead\.jsonl is 0 bytes long/,
  });
});
