import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { Zone } from '../../src/common/time/zone.ts';
import { CsvEncoder } from '../../src/sink/csv-encoder.ts';
import { FileNames } from '../../src/sink/file-names.ts';
import { MemoryFiles, MemoryTarget } from '../../src/sink/memory-target.ts';
import { Periods } from '../../src/sink/periods.ts';
import { PlainRows } from '../../src/sink/sink-rows.ts';
import type { PendingFile, SinkTarget } from '../../src/sink/target.ts';
import { TopicSink } from '../../src/sink/topic-sink.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Waits before it seals a file of partition 1. */
class SlowSeal extends MemoryTarget {
  readonly asked: Promise<void>;
  #ask: () => void = () => {};
  readonly #gate: Promise<void>;
  readonly #fails: boolean;
  go: () => void = () => {};

  /** @param fails - Whether the file is gone then: who takes a partition over removes what was not sealed. */
  constructor(files: MemoryFiles, fails: boolean) {
    super(files);
    this.#fails = fails;
    this.asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
    this.#gate = new Promise((resolve) => {
      this.go = resolve;
    });
  }

  override async open(owner: string): Promise<PendingFile> {
    const file = await super.open(owner);
    if (owner !== 'events-1') return file;
    const seal = async (path: string): Promise<void> => {
      this.#ask();
      await this.#gate;
      if (this.#fails) throw new StreamsError('STREAMS_SINK', 'the file is gone');
      await file.seal(path);
    };
    return { append: (bytes) => file.append(bytes), seal, abort: () => file.abort() };
  }
}

function sinkOf(t: ExecutionContext, cluster: MemoryCluster, target: SinkTarget, rollBytes: number): TopicSink {
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const periods = new Periods(Zone.of('UTC'), 'day');
  const setup = {
    target,
    names: new FileNames({ topic: 'events', prefix: 'event', layout: 'dated', format: 'csv', periods }),
    periods,
    form: 'csv by day',
    rows: () => new PlainRows(),
    encoder: () => new CsvEncoder(new PlainRows().columns, false),
  };
  return new TopicSink({
    broker,
    topic: 'events',
    groupId: 'files',
    setup,
    roll: { bytes: rollBytes, afterMs: 3_600_000 },
    sessionTimeoutMs: 1000,
    rebalanceTimeoutMs: 2000,
    logger,
  });
}

function offsetsOf(files: MemoryFiles): number[] {
  const texts = [...files.visible].filter(([path]) => path.includes('-events-1-')).map(([, bytes]) => bytes);
  const rows = texts.flatMap((bytes) => Buffer.from(bytes).toString().trimEnd().split('\n').slice(1));
  return rows.map((row) => Number(row.split(',')[1])).sort((a, b) => a - b);
}

/** One instance seals a range of partition 1, and another is given the partition meanwhile. */
async function takenMeanwhile(
  t: ExecutionContext,
  during: (first: TopicSink) => Promise<void> | undefined,
  fails = false,
): Promise<MemoryFiles> {
  const cluster = new MemoryCluster();
  cluster.createTopic('events', 2);
  const records = Array.from({ length: 10 }, (_, i) => ({ key: 'k', value: `v${i}`, timestamp: i }));
  cluster.write('events', 1, records);
  const files = new MemoryFiles();
  const slow = new SlowSeal(files, fails);
  // Header 36 bytes, rows of 33: the fourth record fills a file.
  const first = sinkOf(t, cluster, slow, 150);
  await first.start();
  await slow.asked;
  const closing = during(first);
  const second = sinkOf(t, cluster, new MemoryTarget(files), 1 << 20);
  await second.start();
  while (!second.stats().partitions.some(({ partition, position }) => partition === 1 && position === 10))
    await Promise.race([delay(5), second.failed, first.failed]);
  slow.go();
  await closing;
  const all = second.untilCaughtUp(AbortSignal.timeout(20_000));
  await Promise.race([all, second.failed, first.failed]);
  await Promise.race([delay(20), first.failed]);
  await Promise.all([first.close(), second.close()]);
  return files;
}

test('a range that is sealed when the partition is already the one of another instance does not become visible', async (t) => {
  const files = await takenMeanwhile(t, () => undefined);
  t.deepEqual(offsetsOf(files), [...Array(10).keys()]);
});

test('an instance that closes makes nothing visible of a partition that another has taken over meanwhile', async (t) => {
  const files = await takenMeanwhile(t, (first) => first.close());
  t.deepEqual(offsetsOf(files), [...Array(10).keys()]);
});

for (const [what, during] of [
  ['goes on', () => undefined],
  ['closes', (first: TopicSink) => first.close()],
] as const)
  test(`an instance ${what} where the new owner of a partition has removed the files that it seals`, async (t) => {
    const files = await takenMeanwhile(t, during, true);
    t.deepEqual(offsetsOf(files), [...Array(10).keys()]);
  });
