import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { Spool } from '../../src/sink/spool.ts';

test('what is spooled can be read again after a reader that has failed in the middle', async (t) => {
  const spool = await Spool.open();
  t.teardown(() => spool.close());
  const bytes = new Uint8Array(1_000_003).map((_, i) => (i * 7 + (i >> 9)) & 255);
  await spool.append(bytes.subarray(0, 400_000));
  await spool.append(bytes.subarray(400_000));
  const broken = spool.read();
  broken.once('data', () => broken.destroy(new Error('the connection was cut')));
  await t.throwsAsync(buffer(broken), { message: 'the connection was cut' });
  t.deepEqual(new Uint8Array(await buffer(spool.read())), bytes);
  t.deepEqual(await spool.bytesOf(399_999, 400_002), bytes.slice(399_999, 400_002));
});
