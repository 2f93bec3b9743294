import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import test from 'ava';
import { openTarget } from '../../src/sink/open-target.ts';
import { sinkTargetConformance } from '../../src/testing/sink-target-conformance.ts';
import { HdfsCluster } from '../helpers/hdfs-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { S3Server } from '../helpers/s3-server.ts';

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
  Object.assign(process.env, server.env);
  const bucket = `b-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({ endpoint: server.endpoint, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const open = () => openTarget(`s3://${bucket}/archive/events`, options);
  return { fresh: open, again: open };
});
for (const { title, run } of onS3)
  test.serial(`S3: ${title}`, async (t) => (s3 instanceof PartMissing ? skipWithout(t, s3) : t.notThrowsAsync(run())));
