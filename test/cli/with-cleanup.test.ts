import test from 'ava';
import { withCleanup } from '../../src/cli/with-cleanup.ts';

test('what is deferred is done after the work, the last first', async (t) => {
  const order: string[] = [];
  const result = await withCleanup(async (defer) => {
    defer(() => order.push('first'));
    defer(async () => order.push('second'));
    order.push('work');
    return 7;
  });
  t.is(result, 7);
  t.deepEqual(order, ['work', 'second', 'first']);
});

test('all of it is done when the work fails, or when one of it fails, and the first error is thrown', async (t) => {
  const order: string[] = [];
  const failing = (name: string) => (): never => {
    order.push(name);
    throw new Error(name);
  };
  await t.throwsAsync(
    withCleanup(async (defer) => {
      defer(failing('a'));
      defer(failing('b'));
      throw new Error('work');
    }),
    { message: 'work' },
  );
  await t.throwsAsync(
    withCleanup(async (defer) => {
      defer(failing('c'));
      defer(failing('d'));
    }),
    { message: 'd' },
  );
  t.deepEqual(order, ['b', 'a', 'd', 'c']);
});
