import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import { sinkTargetConformance } from '../../src/testing/sink-target-conformance.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { filesOf, weir } from './helpers/weir.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const options = { timeoutMs: 30_000, logger };

const hdfs = await HdfsCluster.start().catch(missingPart);
const s3 = await S3Server.start().catch(missingPart);
test.after.always(async () => {
  if (!(hdfs instanceof PartMissing)) await hdfs.stop();
  if (!(s3 instanceof PartMissing)) await s3.stop();
});

function missingPart(error: unknown): PartMissing {
  if (error instanceof PartMissing) return error;
  throw error;
}

const onHdfs = sinkTargetConformance(async () => {
  const url = (hdfs as HdfsCluster).url(`grid/${randomBytes(6).toString('hex')}`);
  const open = () => openTarget(url, options);
  return { fresh: open, again: open };
});
for (const { title, run } of onHdfs)
  test.serial(`HDFS: ${title}`, async (t) =>
    hdfs instanceof PartMissing ? skipWithout(t, hdfs) : t.notThrowsAsync(run()),
  );

const onS3 = sinkTargetConformance(async () => {
  const server = s3 as S3Server;
  const bucket = `b-${randomBytes(6).toString('hex')}`;
  await server.createBucket(bucket);
  const open = () => openTarget(`s3://${bucket}/archive/events`, options);
  return { fresh: open, again: open };
});
for (const { title, run } of onS3)
  test.serial(`S3: ${title}`, async (t) => (s3 instanceof PartMissing ? skipWithout(t, s3) : t.notThrowsAsync(run())));

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
if (existsSync(golden)) {
  const scratch = mkdtempSync(join(tmpdir(), 'weir-export-'));
  const state = join(scratch, 'state');
  test.before(() => weir(['replay', '--events', `${golden}/events`, '--park', `${golden}/park`, '--state', state]));
  test.after.always(() => rm(scratch, { recursive: true, force: true }));

  test.serial('statistics exported to a folder, killed again and again, are there whole or not at all', (t) =>
    exportsWhole(t, state, join(scratch, 'exported'), {}),
  );
  test.serial('statistics exported to HDFS, killed again and again, are there whole or not at all', (t) =>
    hdfs instanceof PartMissing ? skipWithout(t, hdfs) : exportsWhole(t, state, hdfs.url('statistics/20180131'), {}),
  );
  test.serial('statistics exported to S3, killed again and again, are there whole or not at all', async (t) => {
    if (s3 instanceof PartMissing) return skipWithout(t, s3);
    await s3.createBucket('statistics');
    await exportsWhole(t, state, 's3://statistics/20180131', s3.env);
  });
}

async function exportsWhole(
  t: ExecutionContext,
  state: string,
  to: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const words = ['export', '--state', state, '--to', to];
  const expected = await filesOf(`${golden}/statistics`);
  const target = await openTarget(to, options);
  t.teardown(() => target.close());
  let cut = 0;
  for (let sealed = 1; ; sealed += 8) {
    const exporting = new WeirProcess(words, env);
    while (exporting.running && (await target.sealed()).length < sealed && (await target.list('')).length === 0);
    await exporting.signal('SIGKILL');
    const names = (await target.list('')).map(({ path }) => path);
    t.log(`killed with ${names.length} files visible and ${(await target.sealed()).length} complete`);
    if (names.includes('_SUCCESS')) break;
    cut++;
    if (sealed > 24) {
      await weir(words);
      break;
    }
  }
  t.true(cut > 1, 'kills hit the export');
  const found: Record<string, string> = {};
  for (const { path } of await target.list('')) found[path] = Buffer.from(await target.read(path)).toString();
  t.deepEqual(found, { ...expected, _SUCCESS: '' });
  t.deepEqual(await target.sealed(), []);
}
