import test from 'ava';
import { Schedules } from '../../src/runtime/schedules.ts';

test('a schedule goes on at multiples of its interval after its first time, whatever jumps there are', (t) => {
  const fired: number[] = [];
  const schedules = new Schedules();
  schedules.add('a', 0, 10, (now) => fired.push(now));
  t.is(schedules.nextMs, 0);
  t.is(schedules.fire(3), 1);
  t.is(schedules.nextMs, 10);
  t.is(schedules.fire(9), 0);
  schedules.fire(35);
  t.is(schedules.nextMs, 40);
  schedules.fire(40);
  t.deepEqual(fired, [3, 35, 40]);
});

test('schedules come back as they were saved, in the order in which they are made', (t) => {
  const make = (): Schedules => {
    const schedules = new Schedules();
    for (const every of [10, 25]) schedules.add('a', 0, every, () => {});
    return schedules;
  };
  const before = make();
  before.fire(30);
  t.deepEqual(before.save(), [40, 50]);
  const after = make();
  after.restore(before.save());
  t.deepEqual(after.save(), [40, 50]);
  t.is(after.nextMs, 40);
  t.is(after.fire(39), 0);
});

test('a cancelled schedule is due no more', (t) => {
  const schedules = new Schedules();
  const first = schedules.add('a', 0, 10, () => {});
  schedules.add('a', 5, 10, () => {});
  first.cancel();
  t.is(schedules.nextMs, 5);
  t.deepEqual(schedules.save(), [5]);
});
