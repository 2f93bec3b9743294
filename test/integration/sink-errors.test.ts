import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { TcpRelay } from '../helpers/tcp-relay.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { hasGoldenDays } from './helpers/sunk-days.ts';
import { weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const logger = { debug() {}, info() {}, warn() {}, error() {} };

if (existsSync(golden)) {
  const hdfs = await HdfsCluster.start().catch(missingPart);
  const s3 = await S3Server.start().catch(missingPart);
  const guarded = await S3Server.start({ knowsKeys: true }).catch(missingPart);
  // Last: AVA begins once a hook is declared and nothing is awaited any more.
  const kafka = await KafkaPart.start({ throughProxy: false });
  test.after.always(async () => {
    for (const part of [hdfs, s3, guarded]) if (!(part instanceof PartMissing)) await part.stop();
  });

  const words = (to: string, ...more: readonly string[]): string[] => {
    const given = ['--brokers', kafka.server.bootstrap, '--to', to, '--until-caught-up', ...more];
    return ['sink', ...given, '--set', 'task.timeout.ms=20000'];
  };

  kafka.test(
    'the golden events are in a topic of two partitions',
    async (t) => {
      const dead = join(await folderOf(t), 'dead.jsonl');
      const brokers = ['--brokers', kafka.server.bootstrap];
      await weir(['produce', ...brokers, '--events', `${golden}/events`, '--partitions', '2', '--dead', dead]);
      t.pass();
    },
    test.serial,
  );

  kafka.test(
    'an S3 server that goes away and comes back gets each event once',
    async (t) => {
      if (s3 instanceof PartMissing) return skipWithout(t, s3);
      const relay = new TcpRelay(s3.port);
      await relay.listen();
      t.teardown(() => relay.close());
      await s3.createBucket('coming-back');
      const env = { ...s3.env, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${relay.port}` };
      const sinking = new WeirProcess(words('s3://coming-back/events', '--roll-size', '256KiB'), env);
      const target = await openTarget('s3://coming-back/events', { timeoutMs: 10_000, logger });
      t.teardown(() => target.close());
      while ((await target.list('')).length === 0 && sinking.running) await delay(50);
      relay.away();
      while (!sinking.stderr.includes('trying again') && sinking.running) await delay(50);
      await delay(1000);
      relay.back();
      t.is(await sinking.ended(), 0, sinking.stderr.slice(-2000));
      t.regex(sinking.stderr, /cannot be (written|made visible).*trying again/);
      await hasGoldenDays(t, golden, target);
    },
    test.serial,
  );

  kafka.test(
    'a bucket that is missing is named, with what to do',
    async (t) => {
      if (s3 instanceof PartMissing) return skipWithout(t, s3);
      await fails(t, words('s3://nowhere/events'), s3.env, [
        /STREAMS_SINK: .* at s3:\/\/nowhere\/events\/: .*bucket.*\. Make the bucket, or name another/,
      ]);
    },
    test.serial,
  );

  kafka.test(
    'credentials that are wrong, or are not there, are asked for',
    async (t) => {
      if (guarded instanceof PartMissing) return skipWithout(t, guarded);
      await fails(t, words('s3://guarded/events'), guarded.env, [
        /STREAMS_SINK: .* at s3:\/\/guarded\/events\/: .*\. Give credentials that may write there \(AWS_ACCESS_KEY_ID/,
      ]);
      const none = {
        ...guarded.env,
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_EC2_METADATA_DISABLED: 'true',
      };
      await fails(t, words('s3://guarded/events'), none, [/STREAMS_SINK: .*Give credentials that may write there/]);
    },
    test.serial,
  );

  kafka.test(
    'a folder of HDFS that may not be written is an error with the user in it, and nothing is visible',
    async (t) => {
      if (hdfs instanceof PartMissing) return skipWithout(t, hdfs);
      const url = new URL(hdfs.url('owned/events'));
      url.username = 'somebody';
      await fails(t, words(url.href), {}, [
        /STREAMS_SINK: .*Permission denied: user=somebody.*Grant that user the right to write there, or name another user in the URL/,
      ]);
      const target = await openTarget(hdfs.url('owned/events'), { timeoutMs: 10_000, logger });
      t.teardown(() => target.close());
      t.deepEqual(await target.list(''), []);
    },
    test.serial,
  );

  kafka.test(
    'a full disk ends the sink, nothing half is visible, and with room again each event is there once',
    async (t) => {
      const to = await folderOf(t);
      const limited = new WeirProcess(words(to), {}, { fileBytes: 128 * 1024 });
      t.is(await limited.ended(), 1);
      t.regex(
        limited.stderr,
        /STREAMS_SINK: a file cannot be written at .*: EFBIG.*\. Make room on the disk and start again/,
      );
      const target = await openTarget(to, { timeoutMs: 10_000, logger });
      t.deepEqual(await target.list(''), []);
      await weir(words(to));
      await hasGoldenDays(t, golden, target);
      t.deepEqual(await readdir(join(to, '_pending')), []);
    },
    test.serial,
  );

  kafka.test(
    'a folder that cannot be written, or is a file, is named',
    async (t) => {
      const file = join(await folderOf(t), 'file');
      await writeFile(file, '');
      await fails(t, words(join(file, 'sub')), {}, [
        /STREAMS_SINK: the folder cannot be made at .*\/file\/sub: .*\. \w+/,
      ]);
      // The system's own folder takes no others, not even from root.
      await fails(t, words('/sys/weir'), {}, [
        /STREAMS_SINK: the folder cannot be made at \/sys\/weir: .*Grant the right to write there, or name another folder/,
      ]);
    },
    test.serial,
  );
}

async function fails(
  t: ExecutionContext,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  messages: readonly RegExp[],
): Promise<void> {
  const sinking = new WeirProcess(words, env);
  t.is(await sinking.ended(), 1, sinking.stderr.slice(-2000));
  for (const message of messages) t.regex(sinking.stderr, message);
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
