import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import type { StreamsError } from '../../../src/common/errors.ts';
import { ScriptedBroker } from './scripted-broker.ts';

/** Takes connections and does with them what is wanted. */
async function server(t: ExecutionContext, connected: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const listening: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected(socket);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return `127.0.0.1:${(listening.address() as { port: number }).port}`;
}

test('addresses at which no broker has ever answered are given up after bootstrapTimeoutMs, whatever the timeout of a call', async (t) => {
  let tried = 0;
  const silent = await server(t, () => {});
  const cutting = await server(t, (socket) => {
    tried++;
    socket.destroy();
  });
  const broker = openKafkaBroker({
    bootstrapServers: [silent, cutting],
    ...{ clientId: 'test', timeoutMs: 2 ** 31 - 1, bootstrapTimeoutMs: 3000 },
  });
  t.teardown(() => broker.close());
  for (let round = 1; round <= 2; round++) {
    tried = 0;
    const error = await t.throwsAsync<StreamsError>(broker.admin.partitionCounts(['t']), { code: 'STREAMS_BROKER' });
    t.regex(error!.message, /^none of the 2 brokers of bootstrap\.servers .* has answered for 3 s/);
    t.false(error!.retriable);
    t.true(tried > 0, 'one that says nothing does not use up the time of the others');
  }
});

test('a broker that says its versions and nothing more, as one that wants a login does, has not answered', async (t) => {
  const scripted = await ScriptedBroker.start();
  t.teardown(() => scripted.stop());
  scripted.on(3, () => 'cut');
  const broker = openKafkaBroker({
    bootstrapServers: [`127.0.0.1:${scripted.port}`],
    ...{ clientId: 'test', timeoutMs: 2 ** 31 - 1, bootstrapTimeoutMs: 3000 },
  });
  t.teardown(() => broker.close());
  const error = await t.throwsAsync<StreamsError>(broker.admin.partitionCounts(['t']), { code: 'STREAMS_BROKER' });
  t.regex(
    error!.message,
    /^no broker of bootstrap\.servers .* Closed connection.* security\.protocol is that of its listener/,
  );
});

test('each address that fails is named with its reason', async (t) => {
  const first = await server(t, (socket) => socket.destroy());
  const second = await server(t, (socket) => socket.destroy());
  const broker = openKafkaBroker({
    bootstrapServers: [first, second],
    ...{ clientId: 'test', timeoutMs: 2 ** 31 - 1, bootstrapTimeoutMs: 3000 },
  });
  t.teardown(() => broker.close());
  const error = await t.throwsAsync<StreamsError>(broker.admin.partitionCounts(['t']), { code: 'STREAMS_BROKER' });
  for (const address of [first, second]) t.true(error!.message.includes(address), error!.message);
});

for (const [who, says, told] of [
  [
    'an HTTP server',
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    /not a Kafka broker: it says "HTTP\/1\.1 400 Bad Request"\. Check/,
  ],
  ['an SSH server', 'SSH-2.0-OpenSSH_9.2\r\n', /not a Kafka broker: it says "SSH-2\.0-OpenSSH_9\.2"/],
  // A fatal alert: unexpected message.
  [
    'a listener with TLS',
    '\x15\x03\x03\x00\x02\x02\x0a',
    /TLS is spoken there\. Set security\.protocol to ssl or sasl_ssl/,
  ],
] as const)
  test(`${who} behind the port of a broker is named as such`, async (t) => {
    const address = await server(t, (socket) => socket.once('data', () => socket.end(Buffer.from(says, 'latin1'))));
    const broker = openKafkaBroker({
      bootstrapServers: [address],
      ...{ clientId: 'test', timeoutMs: 2 ** 31 - 1, bootstrapTimeoutMs: 3000 },
    });
    t.teardown(() => broker.close());
    const error = await t.throwsAsync<StreamsError>(broker.admin.partitionCounts(['t']), { code: 'STREAMS_BROKER' });
    t.regex(error!.message, told);
    t.true(error!.message.includes(address));
  });
