import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { silentLogger } from '../../../src/common/logger.ts';
import { csvFormat } from '../../../src/files/csv-format.ts';
import { FolderFeed } from '../../../src/files/folder-feed.ts';
import { Letters } from '../../../src/files/letters.ts';
import { BadRow } from '../../../src/files/row-format.ts';
import { EmbeddedStreams } from '../../../src/runtime/embedded-streams.ts';
import type { FeedProgress } from '../../../src/runtime/feed.ts';
import type { ReadOnlyWindowStore } from '../../../src/runtime/read-only-stores.ts';
import type { Database } from '../../../state/database.ts';
import { check } from '../../files/helpers/properties.ts';
import { Disk } from '../kafka/disk.ts';
import { anyRecord, type Entry, type LedgerRow, ledgerTopology, maxFutureMs, Recount, tally } from './ledger-rows.ts';

const format = csvFormat({
  columns: ['key', 'at', 'what'],
  key: ({ key }) => (key === '' ? undefined : key),
  value: ({ at, what }): Entry => {
    if (what === 'throw') throw new TypeError('the row is not to my taste');
    if (at === 'never') throw new BadRow('date', 'it says that it never happened');
    return { at: Number(at), arrived: 100, what };
  },
  timestamp: ({ at }) => at,
});

const bad = (bytes: string | Buffer, reason: string): LedgerRow => ({ kind: 'bad', bytes: Buffer.from(bytes), reason });
const hostile = fc.constantFrom(
  bad('a,5', 'columns'),
  bad('a,5,x,y', 'columns'),
  bad('a,5\r,x,\0', 'columns'),
  bad('a\rb', 'columns'),
  bad('a,never,x', 'date'),
  bad('"never\n2",never,x', 'date'),
  bad('a,5,throw', 'deserialization'),
  bad('a"b,5,x', 'quote'),
  bad(Buffer.from([0x61, 0xff, 0x2c, 0x35, 0x2c]), 'utf8'),
  bad(Buffer.from('\ufeffa;5;x', 'utf16le').subarray(0, 12), 'utf8'),
);
const tooLong = fc.constant(bad(`a,5,${'x'.repeat(1 << 20)}`, 'too-long'));
const file = fc.record({
  rows: fc.array(
    fc.oneof(
      { weight: 300, arbitrary: anyRecord },
      { weight: 100, arbitrary: hostile },
      { weight: 1, arbitrary: tooLong },
    ),
    { maxLength: 40 },
  ),
  lineEnd: fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\n'),
  bom: fc.boolean(),
  gzip: fc.boolean(),
});
const world = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 4 }),
  /** How each run ends: it is killed at its n-th write, or stops cleanly after it. The last one ends at the end of the input. */
  runs: fc.array(fc.record({ writes: fc.integer({ min: 1, max: 6 }), kill: fc.boolean() }), { maxLength: 4 }),
  commitRecords: fc.constantFrom(1, 2, 3, 7, 20, 1000),
  batchRows: fc.constantFrom(1, 2, 5, 4096),
  chunkBytes: fc.constantFrom(64, 1000, 1 << 20),
  ranged: fc.boolean(),
});
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function rowBytes(row: LedgerRow): Buffer {
  if (row.kind === 'bad') return row.bytes;
  const { key = '', entry } = row;
  return Buffer.from(`"${key.replaceAll('"', '""')}",${entry.at},${entry.what}`);
}

/** A file's content, and the line at which each row begins. */
function contentOf({ rows, lineEnd, bom, gzip }: File): { readonly bytes: Buffer; readonly lines: readonly number[] } {
  const parts: Buffer[] = [Buffer.from(`${bom ? '\ufeff' : ''}key,at,what${lineEnd}`)];
  const lines: number[] = [];
  for (const row of rows) {
    lines.push(Buffer.concat(parts).toString('latin1').split('\n').length);
    parts.push(rowBytes(row), Buffer.from(lineEnd));
  }
  const bytes = Buffer.concat(parts);
  return { bytes: gzip ? gzipSync(bytes) : bytes, lines };
}

/** A file that says what another begins with is a copy or a part of it, and not read: its rows would not count. */
function areOthers({ files }: World): boolean {
  const contents = files.map((each) => contentOf({ ...each, bom: false, gzip: false }).bytes.toString('latin1'));
  return contents.every((one, i) => contents.every((other, j) => i === j || !other.startsWith(one)));
}

const stopped = new Error('the write was the last');

/** A database that fails at its n-th write, as for a process that is killed there. */
async function failingAt(
  disk: Disk,
  location: string,
  writes: number,
  kill: boolean,
  stop: () => void,
): Promise<Database> {
  const database = await disk.openDatabase(location);
  let count = 0;
  return new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'batch') return typeof value === 'function' ? value.bind(target) : value;
      return () => {
        const batch = target.batch();
        const { write } = batch;
        batch.write = async (options) => {
          if (++count < writes) return write(options);
          if (kill) throw stopped;
          stop();
          return write(options);
        };
        return batch;
      };
    },
  });
}

interface Ended {
  readonly progress: FeedProgress;
  readonly counts: readonly string[];
}

async function run(disk: Disk, shape: World, end: World['runs'][number] | undefined): Promise<Ended | undefined> {
  const { commitRecords, batchRows, ranged } = shape;
  // A row of more than 1 MiB goes over many chunks of 64 KiB as well, and 16,000 chunks of 64 bytes would take seconds in each run.
  const long = shape.files.some(({ rows }) => rows.some((row) => row.kind === 'bad' && row.reason === 'too-long'));
  const chunkBytes = long ? Math.max(shape.chunkBytes, 1 << 16) : shape.chunkBytes;
  const abort = new AbortController();
  const { writes = Number.POSITIVE_INFINITY, kill = false } = end ?? {};
  const streams = await EmbeddedStreams.open(ledgerTopology(), {
    logger: silentLogger,
    stateDir: disk.stateDir,
    openDatabase: (location) => failingAt(disk, location, writes, kill, () => abort.abort()),
    commitIntervalRecords: commitRecords,
    maxFutureMs,
    processingExceptionHandler: () => 'continue',
  });
  const dead = await Letters.open(join(disk.stateDir, 'dead.jsonl'), { state: disk.stateDir });
  const late = await Letters.open(join(disk.stateDir, 'late.jsonl'), { state: disk.stateDir });
  const feed = new FolderFeed({
    topic: 'rows',
    directory: join(disk.stateDir, 'events'),
    format,
    dead,
    late,
    batchRows,
    chunkBytes,
    ...(ranged && { fromMs: 3, toMs: 45 }),
  });
  try {
    await streams.run([feed], { signal: abort.signal });
    const counts: string[] = [];
    const store = streams.store('counts') as ReadOnlyWindowStore<string, number>;
    for await (const {
      windowed: { key, startMs },
      value,
    } of store.fetchAll(0, 100_000))
      counts.push(`${key}@${startMs} ${value}`);
    return { progress: feed.progress, counts: counts.sort() };
  } catch (error) {
    if (error !== stopped) throw error;
    return undefined;
  } finally {
    await streams.close();
    await dead.close();
    await late.close();
  }
}

const lettersOf = (path: string): { file: string; line: number; reason: string; message: string }[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test('each row of hostile files has one fate, whatever the commits, kills and chunks: rows = counted + dead + late + skipped', async (t) => {
  const property = fc.asyncProperty(world.filter(areOthers), async (shape) => {
    const disk = new Disk();
    try {
      const recount = shape.ranged ? new Recount({ fromMs: 3, toMs: 45 }) : new Recount();
      const expected: string[] = [];
      mkdirSync(join(disk.stateDir, 'events'));
      for (const [i, each] of shape.files.entries()) {
        const { bytes, lines } = contentOf(each);
        writeFileSync(join(disk.stateDir, 'events', `${i}.csv${each.gzip ? '.gz' : ''}`), bytes);
        for (const [n, row] of each.rows.entries()) {
          const fate = recount.take(row);
          if (fate !== 'counted' && fate !== 'skipped') expected.push(`${i}.csv:${lines[n]} ${fate}`);
        }
      }
      for (const end of shape.runs) await run(disk, shape, end);
      const { progress, counts } = (await run(disk, shape, undefined))!;
      const dead = lettersOf(join(disk.stateDir, 'dead.jsonl'));
      const late = lettersOf(join(disk.stateDir, 'late.jsonl'));
      const shown = [...dead, ...late].map(({ file: name, line, reason }) => `${name}:${line} ${reason}`);
      t.deepEqual(shown.sort(), expected.sort());
      t.true([...dead, ...late].every(({ message }) => message.length > 5));
      t.deepEqual(counts, recount.counts());
      const { counted = 0, late: lateRows = 0, skipped = 0, ...deadRows } = tally(recount.fates);
      const { rows, dead: deadCount, late: lateCount, skipped: skippedCount, deadByReason } = progress;
      t.is(rows, recount.fates.length);
      t.deepEqual(
        { late: lateCount, skipped: skippedCount, deadByReason },
        { late: lateRows, skipped, deadByReason: deadRows },
      );
      t.is(rows, counted + deadCount + lateCount + skippedCount);
    } finally {
      rmSync(disk.stateDir, { recursive: true, force: true });
    }
  });
  await check(t, property, 50);
});
