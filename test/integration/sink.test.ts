import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { copyTo, hasGoldenDays, isOnce, replaysToGolden } from './helpers/sunk-days.ts';
import { digestOf, weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const seed = Number(process.env['SINK_SEED'] ?? Date.now() % 1_000_000);
/** Of the golden events. */
const goldenRows = 48 * 8640;
const kills = Number(process.env['SINK_KILLS'] ?? 6);
const logger = { debug() {}, info() {}, warn() {}, error() {} };

if (existsSync(golden)) {
  const hdfs = await HdfsCluster.start().catch(missingPart);
  const s3 = await S3Server.start().catch(missingPart);
  // Last: AVA begins once a hook is declared and nothing is awaited any more.
  const kafka = await KafkaPart.start({ throughProxy: false });
  test.after.always(async () => {
    if (!(hdfs instanceof PartMissing)) await hdfs.stop();
    if (!(s3 instanceof PartMissing)) await s3.stop();
  });

  const brokers = (): string[] => ['--brokers', kafka.server.bootstrap];
  const quick = ['--set', 'session.timeout.ms=6000', '--set', 'heartbeat.interval.ms=500'];

  kafka.test(
    'the golden events are in a topic of two partitions',
    async (t) => {
      t.log(`seed ${seed} (SINK_SEED)`);
      const dead = join(await folderOf(t), 'dead.jsonl');
      await weir(['produce', ...brokers(), '--events', `${golden}/events`, '--partitions', '2', '--dead', dead]);
      t.pass();
    },
    test.serial,
  );

  kafka.test(
    'a sink into a folder that is killed again and again has each event of the topic once, in its day',
    async (t) => {
      const to = await folderOf(t);
      await killedSink(t, to, { lifeMs: 30 });
      const target = await openTarget(to, { timeoutMs: 10_000, logger });
      await hasGoldenDays(t, golden, target);
      await target.close();
      await replaysToGolden(t, golden, to, await folderOf(t));
    },
    test.serial,
  );

  kafka.test(
    'a sink into HDFS that is killed, and whose DataNode goes away and comes back, has each event once',
    async (t) => {
      if (hdfs instanceof PartMissing) return skipWithout(t, hdfs);
      const to = hdfs.url('archive/events');
      await killedSink(t, to, {
        lifeMs: 1000,
        async disturb() {
          await hdfs.dataNode('stop');
          await delay(1500);
          await hdfs.dataNode('start');
        },
      });
      await hasGoldenRows(t, to);
    },
    test.serial,
  );

  kafka.test(
    'a sink into S3 that is killed again and again has each event once',
    async (t) => {
      if (s3 instanceof PartMissing) return skipWithout(t, s3);
      await s3.createBucket('archive');
      await killedSink(t, 's3://archive/events', { env: s3.env, lifeMs: 1000 });
      await hasGoldenRows(t, 's3://archive/events');
    },
    test.serial,
  );

  kafka.test(
    'by hour in Hive layout, one file a partition and hour: replayed and produced again, the events give the same digest',
    async (t) => {
      const [to, scratch] = [await folderOf(t), await folderOf(t)];
      const words = ['--by', 'hour', '--layout', 'hive', '--until-caught-up'];
      await weir(['sink', ...brokers(), '--to', to, ...words]);
      await replaysToGolden(t, golden, to, scratch);
      const [dead, state] = [join(scratch, 'dead.jsonl'), join(scratch, 'again')];
      const topic = ['--topic', 'grid-events-again'];
      await weir(['produce', ...brokers(), ...topic, '--events', to, '--partitions', '3', '--dead', dead]);
      const second = join(scratch, 'second');
      await weir(['sink', ...brokers(), ...topic, '--to', second, '--until-caught-up']);
      await weir(['replay', '--events', second, '--park', `${golden}/park`, '--state', state, '--partitions', '3']);
      t.is(await digestOf(state), await digestOf(join(scratch, 'state-1')));
    },
    test.serial,
  );

  kafka.test(
    'a sink with --port says over HTTP how far it is, as promtool wants it',
    async (t) => {
      const words = ['--to', await folderOf(t), '--roll-size', '1MiB', '--roll-after', '1s', '--port', '0'];
      const sinking = new WeirProcess(['sink', ...brokers(), ...words]);
      const value = (text: string, name: string): number =>
        [...text.matchAll(new RegExp(`^streams_sink_${name}{.*} (\\S+)$`, 'gm'))].reduce(
          (sum, [, n]) => sum + Number(n),
          0,
        );
      let text = '';
      while (sinking.running && (value(text, 'rows_total') < goldenRows || value(text, 'lag_records') > 0)) {
        await delay(100);
        if (sinking.url !== undefined) text = await (await fetch(`${sinking.url}/metrics`)).text();
      }
      t.deepEqual(
        ['rows_total', 'dead_records_total', 'lag_records'].map((name) => value(text, name)),
        [goldenRows, 0, 0],
      );
      t.true(value(text, 'files_total') >= 2 * 48);
      t.is((await fetch(`${sinking.url}/healthz`)).status, 200);
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      if (checked.error !== undefined) return skipWithout(t, new PartMissing('promtool is not installed.'));
      // It has something to say about names that prom-client gives the process's own metrics.
      t.notRegex(checked.stderr, /streams_/);
      t.is(await sinking.stop(), 0);
    },
    test.serial,
  );

  /** The rows of each day are there, and give the golden statistics when they are replayed. */
  async function hasGoldenRows(t: ExecutionContext, to: string): Promise<void> {
    const target = await openTarget(to, { timeoutMs: 30_000, logger });
    await hasGoldenDays(t, golden, target);
    const copy = await folderOf(t);
    await copyTo(copy, target);
    await target.close();
    await replaysToGolden(t, golden, copy, await folderOf(t));
  }

  /** Kills a sink again and again, each time within `lifeMs` after it has made a file visible, as long as there is something to write; then lets one end. */
  async function killedSink(
    t: ExecutionContext,
    to: string,
    { env = {}, lifeMs, disturb = async () => {} }: KilledSink,
  ): Promise<void> {
    const words = ['sink', ...brokers(), '--to', to, '--roll-size', '64KiB', ...quick];
    const target = await openTarget(to, { timeoutMs: 30_000, logger });
    let random = seed;
    let killed = 0;
    for (let rows = 0; killed < kills && rows < goldenRows; killed++) {
      random = (random * 48_271) % 2_147_483_647;
      const before = (await target.list('')).length;
      const process = new WeirProcess(words, env);
      while (process.running && (await target.list('')).length === before) await delay(2);
      await delay(random % lifeMs);
      await process.signal('SIGKILL');
      rows = await isOnce(t, target);
      const sealed = (await target.sealed()).length;
      t.log(`kill ${killed + 1}, ${random % lifeMs} ms: ${rows} rows visible, ${sealed} complete files not yet`);
    }
    await target.close();
    t.true(killed > kills / 2, `it had written all after ${killed} of ${kills} kills`);
    const disturbed = new WeirProcess([...words, '--until-caught-up', '--json'], env);
    await disturb();
    t.is(await disturbed.ended(), 0, disturbed.stderr.slice(-2000));
    const again = new WeirProcess([...words, '--until-caught-up', '--json'], env);
    t.is(await again.ended(), 0, again.stderr.slice(-2000));
    t.is((JSON.parse(again.stdout) as { rows: number }).rows, 0, 'a caught-up sink has nothing to do');
  }
}

interface KilledSink {
  readonly env?: Readonly<Record<string, string>>;
  readonly lifeMs: number;
  /** Done while the last one runs. */
  readonly disturb?: () => Promise<void>;
}

function missingPart(error: unknown): PartMissing {
  if (error instanceof PartMissing) return error;
  throw error;
}

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-sink-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
