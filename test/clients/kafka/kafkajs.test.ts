import { createRequire } from 'node:module';
import test from 'ava';
import { kafkajs, newDecoder, newEncoder, type RequestName } from '../../../src/clients/kafka/kafkajs.ts';
import * as written from '../../../src/clients/kafka/requests.ts';

/*
 * kafkajs says nothing of its inner modules. What is used of them stands in one file; here it is held against the version that is installed.
 */

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };

test('the version of kafkajs is the one whose inner modules were read', (t) => {
  t.is(version, '2.2.4');
});

test('an encoder writes what a decoder reads', (t) => {
  const encoder = newEncoder()
    .writeInt8(-1)
    .writeInt16(-2)
    .writeInt32(-3)
    .writeInt64('-4')
    .writeBoolean(true)
    .writeString('é')
    .writeString(null)
    .writeBytes(Buffer.from('b'))
    .writeBuffer(Buffer.from('xy'))
    .writeEncoder(newEncoder().writeInt8(9))
    .writeArray([7, 8])
    .writeUVarInt(300)
    .writeUVarIntString('c')
    .writeUVarIntString(null);
  // int8 | int16 | int32 | int64 | boolean | length, text | no text | length, bytes | bytes as they are | int8 | 2 int32 | 300 | length plus one, text | no text
  const expected =
    'ff fffe fffffffd fffffffffffffffc 01 0002c3a9 ffff 0000000162 7879 09 000000020000000700000008 ac02 0263 00';
  t.is(encoder.buffer.toString('hex'), expected.replaceAll(' ', ''));
  const decoder = newDecoder(encoder.buffer);
  t.deepEqual([decoder.readInt8(), decoder.readInt16(), decoder.readInt32()], [-1, -2, -3]);
  t.is(Number(decoder.readInt64()), -4);
  t.true(decoder.readBoolean());
  t.deepEqual([decoder.readString(), decoder.readString()], ['é', null]);
  t.deepEqual(decoder.readBytes(), Buffer.from('b'));
  t.is(decoder.buffer.toString('latin1', decoder.offset, decoder.offset + 2), 'xy');
  decoder.forward(2);
  t.is(decoder.readInt8(), 9);
  t.deepEqual(
    decoder.readArray((of) => of.readInt32()),
    [7, 8],
  );
  t.is(decoder.readUVarInt(), 300);
  t.deepEqual([decoder.readUVarIntString(), decoder.readUVarIntString()], ['c', null]);
  t.is(decoder.offset, encoder.buffer.length);
});

test('requests that are used have a number, versions, and a way to write the newest', (t) => {
  const used = Object.values(written).flatMap((api) => (typeof api === 'function' ? [] : [api.name]));
  const names = new Set<string>([...used, 'ApiVersions', 'Fetch']);
  t.true(names.has('JoinGroup') && names.has('EndTxn'));
  for (const name of names) {
    t.is(typeof kafkajs().apiKeys[name], 'number', name);
    const { versions, protocol } = kafkajs().requests[name as RequestName];
    t.true(versions.length > 0 && versions.every((each) => Number.isInteger(Number(each))), name);
    t.is(typeof protocol({ version: Math.max(...versions.map(Number)) }), 'function', name);
  }
});

test('a connection has the methods that are called, and a queue whose timer can be held back', (t) => {
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };
  const connection = new (kafkajs().Connection)({
    host: '127.0.0.1',
    port: 1,
    logger,
    socketFactory: () => {
      throw new Error('not connected here');
    },
    ssl: null,
    sasl: null,
    clientId: 'test',
    connectionTimeout: 1000,
    requestTimeout: 1000,
    enforceRequestTimeout: false,
  });
  const methods = [
    'connect',
    'isConnected',
    'isAuthenticated',
    'authenticate',
    'setVersions',
    'setSupportAuthenticationProtocol',
    'nextCorrelationId',
    'rejectRequests',
    'disconnect',
  ] as const;
  for (const method of methods) t.is(typeof connection[method], 'function', method);
  const { requestQueue } = connection;
  t.deepEqual(requestQueue.pending, []);
  for (const method of ['scheduleCheckPendingRequests', 'maybeThrottle', 'push'] as const)
    t.is(typeof requestQueue[method], 'function', method);
  t.false(connection.isConnected());
  t.is(connection.nextCorrelationId() + 1, connection.nextCorrelationId());
});
