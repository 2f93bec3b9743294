import test from 'ava';
import { Schedules } from '../../src/runtime/schedules.ts';

test('a schedule goes on at multiples of its interval after its first time, whatever jumps there are', (t) => {
  const fired: number[] = [];
  const schedules = new Schedules();
  schedules.add('a', 0, 10, (now) => fired.push(now));
  t.is(schedules.nextMs, 0);
  t.true(schedules.fireNext(3));
  t.is(schedules.nextMs, 10);
  t.false(schedules.fireNext(9));
  schedules.fireNext(35);
  t.is(schedules.nextMs, 40);
  schedules.fireNext(40);
  t.deepEqual(fired, [3, 35, 40]);
});

test('schedules come back as they were saved, in the order in which they are made', (t) => {
  const make = (): Schedules => {
    const schedules = new Schedules();
    for (const every of [10, 25]) schedules.add('a', 0, every, () => {});
    return schedules;
  };
  const before = make();
  while (before.fireNext(30));
  t.deepEqual(before.save(), [40, 50]);
  const after = make();
  after.restore(before.save());
  t.deepEqual(after.save(), [40, 50]);
  t.is(after.nextMs, 40);
  t.false(after.fireNext(39));
});

test('a cancelled schedule is due no more', (t) => {
  const schedules = new Schedules();
  const first = schedules.add('a', 0, 10, () => {});
  schedules.add('a', 5, 10, () => {});
  first.cancel();
  t.is(schedules.nextMs, 5);
  t.deepEqual(schedules.save(), [5]);
});
