import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { silentLogger } from '../../src/common/logger.ts';
import { S3Target } from '../../src/sink/s3-target.ts';

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' });

/** A bucket of a server that answers as it likes. */
async function bucketOf(t: ExecutionContext, answer: (response: ServerResponse) => void): Promise<S3Target> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const target = await S3Target.open(new URL('s3://bucket/files'), {
    timeoutMs: 200,
    silenceMs: 100,
    logger: silentLogger,
    endpoint: `http://127.0.0.1:${port}`,
  });
  t.teardown(() => target.close());
  return target;
}

test('a server that takes requests and answers nothing is given up after its time', async (t) => {
  const target = await bucketOf(t, () => {});
  await t.throwsAsync(target.list(''), { code: 'STREAMS_SINK', message: /the bucket cannot be listed/ });
  await t.throwsAsync(target.commit('day/file.csv'), { code: 'STREAMS_SINK' });
});

test('a server that stops in the midst of an answer is given up too', async (t) => {
  const target = await bucketOf(t, (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('the first bytes');
  });
  await t.throwsAsync(target.read('day/file.csv'), { code: 'STREAMS_SINK', message: /file.csv cannot be read/ });
});
