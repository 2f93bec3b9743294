import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { Zone } from '../../src/common/time/zone.ts';
import { collectorMetrics } from '../../src/observability/registry.ts';
import { CsvEncoder } from '../../src/sink/csv-encoder.ts';
import { FileNames } from '../../src/sink/file-names.ts';
import { MemoryFiles, MemoryTarget } from '../../src/sink/memory-target.ts';
import { Periods } from '../../src/sink/periods.ts';
import { sinkMetrics } from '../../src/sink/sink-metrics.ts';
import { PlainRows } from '../../src/sink/sink-rows.ts';
import type { SinkTarget } from '../../src/sink/target.ts';
import { TopicSink } from '../../src/sink/topic-sink.ts';
import { withoutApplication } from '../observability/scrapes.ts';
import { DyingTarget } from './dying-target.ts';

const day = 86_400_000;
const logger = { debug() {}, info() {}, warn() {}, error() {} };

function sinkOf(
  cluster: MemoryCluster,
  target: SinkTarget,
  rollBytes = 1 << 20,
  rollAfterMs = 60_000,
): { sink: TopicSink; die(): Promise<void> } {
  const broker = cluster.connect();
  const periods = new Periods(Zone.of('UTC'), 'day');
  const names = new FileNames({ topic: 'events', prefix: 'event', layout: 'dated', format: 'csv', periods });
  const setup = {
    target,
    names,
    periods,
    form: 'csv by day',
    rows: () => new PlainRows(),
    encoder: () => new CsvEncoder(new PlainRows().columns, false),
  };
  const sink = new TopicSink({
    broker,
    topic: 'events',
    groupId: 'files',
    setup,
    roll: { bytes: rollBytes, afterMs: rollAfterMs },
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    logger,
  });
  const die = (): Promise<void> => {
    cluster.endSessions(broker);
    return broker.close();
  };
  return { sink, die };
}

/** The offsets of a partition's rows in the visible files, in the order of the files' names. */
function rowsOf(files: MemoryFiles, partition: number): number[] {
  const offsets: number[] = [];
  for (const path of [...files.visible.keys()].sort()) {
    if (!path.includes(`-events-${partition}-`)) continue;
    const lines = Buffer.from(files.visible.get(path)!).toString().trimEnd().split('\n').slice(1);
    for (const line of lines) offsets.push(Number(line.split(',')[1]));
  }
  return offsets.sort((a, b) => a - b);
}

function write(cluster: MemoryCluster, from: number, count: number): void {
  for (const partition of [0, 1]) {
    const records = Array.from({ length: count }, (_, i) => ({
      key: `k${i}`,
      value: `v${from + i}`,
      timestamp: Math.floor((from + i) / 4) * day + partition,
    }));
    cluster.write('events', partition, records);
  }
}

async function caughtUp(t: ExecutionContext, cluster: MemoryCluster, files: MemoryFiles): Promise<void> {
  const { sink, die } = sinkOf(cluster, new MemoryTarget(files));
  t.teardown(die);
  await sink.start();
  await Promise.race([sink.untilCaughtUp(AbortSignal.timeout(20_000)), sink.failed]);
  await sink.close();
}

test('each record of a topic is in one file of its day', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 2);
  write(cluster, 0, 10);
  const files = new MemoryFiles();
  await caughtUp(t, cluster, files);
  t.deepEqual(
    [...files.visible.keys()].sort(),
    [0, 1]
      .flatMap((partition) =>
        ['01', '02', '03'].map(
          (date) => `197001${date}/event_197001${date}-events-${partition}-0000000000000000-0000000000000009.csv`,
        ),
      )
      .sort(),
  );
  t.is(
    Buffer.from(
      files.visible.get('19700103/event_19700103-events-1-0000000000000000-0000000000000009.csv')!,
    ).toString(),
    'partition,offset,timestamp,key,value\n1,8,1970-01-03T00:00:00.001Z,k8,v8\n1,9,1970-01-03T00:00:00.001Z,k9,v9\n',
  );
  write(cluster, 3, 2);
  await caughtUp(t, cluster, files);
  t.deepEqual(rowsOf(files, 0), [...Array(12).keys()]);
  t.true(
    files.visible.has('19700101/event_19700101-events-0-0000000000000010-0000000000000011.csv'),
    'a late event is in a further file of its day',
  );
});

/** Writes the ten records of each partition, and gives what the sink then says of a group that is at these positions. */
async function refusedAt(t: ExecutionContext, ...positions: readonly (number | undefined)[]): Promise<unknown> {
  const files = new MemoryFiles();
  const old = new MemoryCluster();
  old.createTopic('events', 2);
  write(old, 0, 10);
  await caughtUp(t, old, files);
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 2);
  write(cluster, 0, 10);
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  for (const [partition, offset] of positions.entries())
    if (offset !== undefined)
      await broker.admin.setCommitted('files', [{ topic: 'events', partition, offset, metadata: '' }]);
  const before = new Map(files.visible);
  const refused = await caughtUp(t, cluster, files).catch((error: unknown) => error);
  t.deepEqual(files.visible, before);
  return refused;
}

test('a group without a position does not write again what a folder has: its positions have expired, or the topic was made anew', async (t) => {
  const refused = (await refusedAt(t)) as Error;
  t.like(refused, { code: 'STREAMS_INPUT_REFUSED', details: { topic: 'events', offset: 10 } });
  t.regex(
    refused.message,
    /^memory: has files of events-[01] up to record 9, and group files has no position: going on would write records twice\. .* set the position to 10 \(/,
  );
});

test('a position that was set back does not write again what a folder has; the one behind its files goes on', async (t) => {
  const refused = (await refusedAt(t, 10, 4)) as Error;
  t.like(refused, { code: 'STREAMS_INPUT_REFUSED', details: { topic: 'events', partition: 1, offset: 10 } });
  t.regex(refused.message, /group files has the position 4: /);
  t.is(await refusedAt(t, 10, 10), undefined);
});

test('files that others have packed count as written', (t) => {
  const periods = new Periods(Zone.of('UTC'), 'day');
  const names = new FileNames({ topic: 'events', prefix: 'event', layout: 'dated', format: 'csv', periods });
  t.deepEqual(names.rangeOf('19700101/event_19700101-events-1-0000000000000003-0000000000000009.csv.gz'), {
    ...{ partition: 1, first: 3, last: 9 },
  });
});

/** Dies at a step, and another process goes on; whether there was such a step. */
async function diesAt(t: ExecutionContext, step: number): Promise<boolean> {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 2);
  write(cluster, 0, 10);
  const files = new MemoryFiles();
  const target = new DyingTarget(files, step);
  const { sink, die } = sinkOf(cluster, target);
  await sink.start();
  const ended = sink.untilCaughtUp(AbortSignal.timeout(20_000)).then(
    () => 'done',
    () => 'gone',
  );
  const outcome = await Promise.race([ended, target.died.then(() => 'died')]);
  // A reader who lists now sees files of a range that others of which are not there yet; each has all that it ever has.
  const seen = new Map(files.visible);
  for (const partition of [0, 1]) {
    const rows = rowsOf(files, partition);
    t.is(new Set(rows).size, rows.length, `twice after step ${step}`);
  }
  await die();
  write(cluster, 10, 3);
  await caughtUp(t, cluster, files);
  for (const partition of [0, 1]) t.deepEqual(rowsOf(files, partition), [...Array(13).keys()], `step ${step}`);
  t.is(files.sealed.size, 0);
  for (const [path, bytes] of seen) t.deepEqual(files.visible.get(path), bytes, path);
  return outcome === 'died';
}

test('a process that dies at any step leaves no record out and writes none twice', async (t) => {
  const atOnce = 8;
  let died = true;
  for (let from = 0; died; from += atOnce)
    died = (await Promise.all(Array.from({ length: atOnce }, (_, i) => diesAt(t, from + i)))).every(Boolean);
});

/** Waits before it makes a file visible. */
class SlowTarget extends MemoryTarget {
  readonly asked: Promise<void>;
  #ask: () => void = () => {};
  readonly #gate: Promise<void>;
  go: () => void = () => {};

  constructor(files: MemoryFiles) {
    super(files);
    this.asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
    this.#gate = new Promise((resolve) => {
      this.go = resolve;
    });
  }

  override async commit(path: string): Promise<void> {
    this.#ask();
    await this.#gate;
    await super.commit(path);
  }
}

test('an instance that joins while another finishes what a dead one began ends nobody', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  cluster.write(
    'events',
    0,
    Array.from({ length: 10 }, (_, i) => ({ key: 'k', value: 'v', timestamp: i })),
  );
  const files = new MemoryFiles();
  // Opened, sealed, told of in the position; to be made visible.
  const dying = new DyingTarget(files, 3);
  const first = sinkOf(cluster, dying);
  await first.sink.start();
  first.sink.untilCaughtUp(AbortSignal.timeout(20_000)).catch(() => {});
  await dying.died;
  await first.die();
  t.is(files.sealed.size, 1);
  const slow = new SlowTarget(files);
  const second = sinkOf(cluster, slow);
  t.teardown(second.die);
  await second.sink.start();
  await slow.asked;
  const third = sinkOf(cluster, new MemoryTarget(files));
  t.teardown(third.die);
  await third.sink.start();
  const { admin } = cluster.connect();
  for (;;) {
    const { state, members } = await admin.describeGroup('files');
    if (state === 'Stable' && members.length === 2) break;
    await delay(10);
  }
  slow.go();
  const caught = [second, third].map(({ sink }) => sink.untilCaughtUp(AbortSignal.timeout(20_000)));
  await Promise.race([Promise.all(caught), second.sink.failed, third.sink.failed]);
  await Promise.all([second.sink.close(), third.sink.close()]);
  t.deepEqual(rowsOf(files, 0), [...Array(10).keys()]);
  t.is(files.sealed.size, 0);
});

test('a range is closed by the record that fills a file, however small --roll-size is and however many records come at once', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  // Header 36 bytes, rows 33: the third one makes 135.
  cluster.write(
    'events',
    0,
    Array.from({ length: 8 }, (_, i) => ({ key: 'k', value: `v${i}`, timestamp: i })),
  );
  const files = new MemoryFiles();
  const { sink, die } = sinkOf(cluster, new MemoryTarget(files), 120);
  t.teardown(die);
  await sink.start();
  await Promise.race([sink.untilCaughtUp(AbortSignal.timeout(20_000)), sink.failed]);
  await sink.close();
  const ranges = [...files.visible.keys()].sort().map((path) => path.slice(-38, -4).replaceAll(/0+(?=\d)/g, ''));
  t.deepEqual(ranges, ['-0-2', '-3-5', '-6-7']);
});

test('the metrics of a sink count rows, dead records, files and bytes that are visible, and what is not visible is lag', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 2);
  write(cluster, 0, 10);
  cluster.write('events', 0, [{ key: Uint8Array.of(0xff), value: 'no text', timestamp: 0 }]);
  const files = new MemoryFiles();
  const { sink, die } = sinkOf(cluster, new MemoryTarget(files));
  t.teardown(die);
  const scrape = async (): Promise<Map<string, number>> => {
    const { body } = await collectorMetrics({
      applicationId: () => 'grid',
      collectors: [sinkMetrics('events', sink)],
      processMetrics: false,
    }).text();
    const samples = [...withoutApplication(body).matchAll(/^streams_sink_([^ ]+) (\S+)$/gm)];
    return new Map(samples.map(([, name, value]) => [name!, Number(value)]));
  };
  await sink.start();
  while (sink.stats().partitions.reduce((sum, { end }) => sum + (end ?? 0), 0) < 21) await delay(10);
  const before = await scrape();
  t.is(before.get('lag_records{topic="events",partition="0"}'), 11);
  t.is(before.get('lag_records{topic="events",partition="1"}'), 10);
  t.false([...before.keys()].some((name) => name.startsWith('last_commit')));
  const beganMs = Date.now();
  await sink.untilCaughtUp(AbortSignal.timeout(20_000));
  const after = await scrape();
  t.is(after.get('rows_total{topic="events"}'), 20);
  t.is(after.get('dead_records_total{topic="events"}'), 1);
  t.is(after.get('files_total{topic="events"}'), files.visible.size);
  t.is(
    after.get('bytes_total{topic="events"}'),
    [...files.visible.values()].reduce((sum, { length }) => sum + length, 0),
  );
  for (const partition of [0, 1]) {
    t.is(after.get(`lag_records{topic="events",partition="${partition}"}`), 0);
    const seconds = after.get(`last_commit_timestamp_seconds{topic="events",partition="${partition}"}`)!;
    t.true(seconds * 1000 >= beganMs - 1 && seconds * 1000 <= Date.now());
  }
  await sink.close();
});

test('how much of a partition waits is not told before its end is known', async (t) => {
  const of = { position: 4, committed: 4, lastCommitMs: undefined };
  const partitions = [
    { ...of, partition: 0, end: undefined },
    { ...of, partition: 1, end: 9 },
  ];
  const stats = (): ReturnType<TopicSink['stats']> => ({ rows: 0, dead: 0, files: 0, bytes: 0, partitions });
  const { body } = await collectorMetrics({
    applicationId: () => 'grid',
    collectors: [sinkMetrics('events', { stats })],
    processMetrics: false,
  }).text();
  const lags = withoutApplication(body).match(/^streams_sink_lag_records.*$/gm);
  t.deepEqual(lags, ['streams_sink_lag_records{topic="events",partition="1"} 5']);
});

test('files that are kept open for a month do not keep the process busy', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  cluster.write('events', 0, [{ key: 'k', value: 'v', timestamp: 0 }]);
  const warnings: string[] = [];
  const warned = ({ name }: Error): unknown => warnings.push(name);
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  const files = new MemoryFiles();
  const { sink, die } = sinkOf(cluster, new MemoryTarget(files), 1 << 20, 30 * day);
  t.teardown(die);
  await sink.start();
  while (sink.stats().partitions[0]?.position !== 1) await delay(5);
  await delay(50);
  t.false(warnings.includes('TimeoutOverflowWarning'));
  await sink.close();
  t.deepEqual(rowsOf(files, 0), [0]);
});

test('a range that is written again ends where it did, also where its last record was compacted away meanwhile', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1, { 'cleanup.policy': 'compact' });
  const record = (key: string, timestamp: number): { key: string; value: string; timestamp: number } => ({
    ...{ key, value: 'v', timestamp },
  });
  cluster.write('events', 0, ['a', 'b', 'c', 'd', 'e'].map(record));
  const files = new MemoryFiles();
  // Opened, sealed, told of in the position; to be made visible.
  const dying = new DyingTarget(files, 3);
  const first = sinkOf(cluster, dying);
  await first.sink.start();
  first.sink.untilCaughtUp(AbortSignal.timeout(20_000)).catch(() => {});
  await dying.died;
  await first.die();
  files.sealed.clear();
  cluster.write('events', 0, [record('e', 5)]);
  cluster.compact('events');
  await caughtUp(t, cluster, files);
  t.deepEqual(rowsOf(files, 0), [0, 1, 2, 3, 5]);
  t.deepEqual([...files.visible.keys()].sort(), [
    '19700101/event_19700101-events-0-0000000000000000-0000000000000004.csv',
    '19700101/event_19700101-events-0-0000000000000005-0000000000000005.csv',
  ]);
});

test('a position behind the end of a topic, which was made anew or cut, is refused and not called caught up', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  cluster.write('events', 0, [{ key: 'k', value: 'v', timestamp: 0 }]);
  const { admin } = cluster.connect();
  await admin.setCommitted('files', [{ topic: 'events', partition: 0, offset: 5, metadata: '' }]);
  await t.throwsAsync(caughtUp(t, cluster, new MemoryFiles()), { code: 'STREAMS_INPUT_REFUSED' });
});

test('members of a group share out partitions that were added, once', async (t) => {
  const looks: (() => void)[] = [];
  const { setInterval } = globalThis;
  globalThis.setInterval = ((look: () => void, ms: number) => {
    if (ms === 30_000) looks.push(look);
    return setInterval(look, ms);
  }) as typeof setInterval;
  t.teardown(() => {
    globalThis.setInterval = setInterval;
  });
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 1);
  const files = new MemoryFiles();
  const sinks = [0, 1].map(() => sinkOf(cluster, new MemoryTarget(files)));
  for (const { sink, die } of sinks) {
    t.teardown(die);
    await sink.start();
  }
  const partitions = (): number => sinks.reduce((sum, { sink }) => sum + sink.stats().partitions.length, 0);
  const { admin } = cluster.connect();
  const settled = async (count: number): Promise<void> => {
    for (;;) {
      const { state, members } = await admin.describeGroup('files');
      if (state === 'Stable' && members.length === 2 && partitions() === count) return;
      await delay(10);
    }
  };
  await settled(1);
  cluster.growTopic('events', 4);
  for (const look of looks) look();
  await settled(4);
  await delay(50);
  let rejoins = 0;
  for (const look of looks) look();
  for (let i = 0; i < 50; i++) {
    if ((await admin.describeGroup('files')).state !== 'Stable') rejoins++;
    await delay(1);
  }
  t.is(rejoins, 0);
});
