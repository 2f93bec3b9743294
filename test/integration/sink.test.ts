import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import test, { type ExecutionContext } from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import type { SinkTarget } from '../../src/sink/target.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const seed = Number(process.env['SINK_SEED'] ?? Date.now() % 1_000_000);
const kills = Number(process.env['SINK_KILLS'] ?? 6);
const eventsOfADay = 8640;
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
      await killedSink(t, to, {});
      await hasGoldenDays(t, await openTarget(to, { timeoutMs: 10_000, logger }));
    },
    test.serial,
  );

  kafka.test(
    'a sink into HDFS that is killed, and whose DataNode goes away and comes back, has each event once',
    async (t) => {
      if (hdfs instanceof PartMissing) return skipWithout(t, hdfs);
      const to = hdfs.url('archive/events');
      await killedSink(t, to, {}, async () => {
        await hdfs.dataNode('stop');
        await delay(1500);
        await hdfs.dataNode('start');
      });
      await hasGoldenDays(t, await openTarget(to, { timeoutMs: 30_000, logger }));
    },
    test.serial,
  );

  kafka.test(
    'a sink into S3 that is killed again and again has each event once',
    async (t) => {
      if (s3 instanceof PartMissing) return skipWithout(t, s3);
      Object.assign(process.env, s3.env);
      const client = new S3Client({ endpoint: s3.endpoint, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: 'archive' }));
      client.destroy();
      await killedSink(t, 's3://archive/events', s3.env);
      await hasGoldenDays(t, await openTarget('s3://archive/events', { timeoutMs: 30_000, logger }));
    },
    test.serial,
  );

  async function killedSink(
    t: ExecutionContext,
    to: string,
    env: Readonly<Record<string, string>>,
    disturb: () => Promise<void> = async () => {},
  ): Promise<void> {
    const words = ['sink', ...brokers(), '--to', to, '--roll-size', '64KiB', ...quick];
    let random = seed;
    for (let round = 0; round < kills; round++) {
      random = (random * 48_271) % 2_147_483_647;
      const process = new WeirProcess(words, env);
      await delay(700 + (random % 2500));
      await process.signal('SIGKILL');
      const target = await openTarget(to, { timeoutMs: 30_000, logger });
      await isOnce(t, target);
      await target.close();
    }
    const disturbed = new WeirProcess([...words, '--until-caught-up', '--json'], env);
    await disturb();
    t.is(await disturbed.ended(), 0, disturbed.stderr.slice(-2000));
    const again = new WeirProcess([...words, '--until-caught-up', '--json'], env);
    t.is(await again.ended(), 0, again.stderr.slice(-2000));
    t.is((JSON.parse(again.stdout) as { rows: number }).rows, 0, 'a caught-up sink has nothing to do');
  }
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

/** All rows of the visible files, by the date of their folder. */
async function rowsByDay(target: SinkTarget): Promise<Map<string, string[]>> {
  const days = new Map<string, string[]>();
  for (const { path } of await target.list('')) {
    const day = path.slice(0, 8);
    const [header, ...rows] = Buffer.from(await target.read(path))
      .toString()
      .trimEnd()
      .split('\n');
    if (header !== 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div')
      throw new Error(`${path} has the header ${header}`);
    days.set(day, [...(days.get(day) ?? []), ...rows]);
  }
  return days;
}

async function isOnce(t: ExecutionContext, target: SinkTarget): Promise<void> {
  for (const [day, rows] of await rowsByDay(target)) t.is(new Set(rows).size, rows.length, `rows twice in ${day}`);
}

async function hasGoldenDays(t: ExecutionContext, target: SinkTarget): Promise<void> {
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
  await target.close();
}
