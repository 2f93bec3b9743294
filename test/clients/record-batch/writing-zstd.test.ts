import * as zlib from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { checkCodec, compress, decompress } from '../../../src/clients/record-batch/compression.ts';
import { uncompressZstd } from '../../../src/clients/record-batch/zstd.ts';
import { KafkaStreams } from '../../../src/index.ts';
import { MemoryCluster } from '../../../src/testing.ts';
import { copies } from '../../runtime/kafka/topologies.ts';

if ('zstdCompressSync' in zlib) test('what is written with zstd is read by Node and by JavaScript', roundTrip);
else test('zstd is refused at the start where Node does not write it, with the Node that does', refused);

function roundTrip(t: ExecutionContext): void {
  const mixed = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) % 251));
  for (const bytes of [Buffer.from('a'), Buffer.alloc(3_000_000, 'abc'), mixed]) {
    const written = compress('zstd', bytes);
    t.is(written.id, 4);
    t.is(written.bytes.readUInt32LE(0), 0xfd2fb528);
    t.true(decompress(written.id, written.bytes).equals(bytes));
    t.true(uncompressZstd(written.bytes, 3_000_000, true).equals(bytes));
  }
}

function refused(t: ExecutionContext): void {
  const refusal = {
    code: 'STREAMS_CONFIG',
    message: `compression.type is zstd: Node ${process.versions.node} reads zstd and does not write it. Run Node 22.15 or later, or set compression.type to gzip or none.`,
  };
  t.throws(() => checkCodec('zstd'), refusal);
  t.throws(() => compress('zstd', Buffer.from('a')), refusal);
  const kafka = openKafkaBroker({ bootstrapServers: ['127.0.0.1:1'], clientId: 'c' });
  const memory = new MemoryCluster().connect();
  t.teardown(async () => {
    await kafka.close();
    await memory.close();
  });
  for (const broker of [kafka, memory])
    t.throws(() => broker.producer({ transactional: false, compression: 'zstd' }), refusal);
  const options = { broker: memory, applicationId: 'app', stateDir: 'nowhere', compression: 'zstd' } as const;
  t.throws(() => new KafkaStreams(copies(), options), refusal);
}

test('all other codecs are written on every supported Node', (t) => {
  for (const codec of ['none', 'gzip', 'lz4', 'snappy'] as const) t.notThrows(() => checkCodec(codec));
});
