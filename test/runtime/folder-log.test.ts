import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { silentLogger } from '../../src/common/logger.ts';
import { Serdes, StreamsBuilder } from '../../src/index.ts';
import { FolderLog } from '../../src/runtime/folder-log.ts';
import { StateFolder } from '../../src/runtime/state-folder.ts';

test('a commit that cost much is followed by the next after four times its cost, or at the next interval once there is nothing to read', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-log-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const folder = await StateFolder.open(directory, { create: true });
  t.teardown(() => folder.close());
  const builder = new StreamsBuilder();
  builder.table('in', { name: 'in', keySerde: Serdes.string, valueSerde: Serdes.string });
  let idleAtMs = Number.NEGATIVE_INFINITY;
  const log = new FolderLog(folder, builder.build(), {
    applicationId: 'weir',
    partitions: 1,
    settings: undefined,
    create: true,
    syncWrites: false,
    commitIntervalMs: 600_000,
    idleAtMs: () => idleAtMs,
    logger: silentLogger,
  });
  const commit = async (flushMs: number): Promise<void> => {
    const flushed = { batch: await log.batch(), rows: 0, flushMs, changed: true, commitSeconds: 0 };
    await (await log.take(flushed))!.write();
  };
  const dueAfter = (ms: number): boolean => log.isDue(Date.now() + ms);
  t.true(dueAfter(0));
  await commit(0);
  t.false(dueAfter(300_000));
  t.true(dueAfter(600_000));
  // It began 1,000 s ago: the next is due 4,000 s after that.
  await commit(1_000_000);
  t.false(dueAfter(2_500_000));
  t.true(dueAfter(3_100_000));
  idleAtMs = Date.now();
  t.true(dueAfter(0));
  // Ten intervals at most.
  idleAtMs = Number.NEGATIVE_INFINITY;
  await commit(5_000_000);
  t.false(dueAfter(0));
  t.true(dueAfter(1_100_000));
});
