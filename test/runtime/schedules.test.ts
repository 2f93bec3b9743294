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

test('schedules of a name come back as they were saved, in the order in which they are made', (t) => {
  const make = (): Schedules => {
    const schedules = new Schedules();
    for (const every of [10, 25]) schedules.add('a', 0, every, () => {});
    return schedules;
  };
  const before = make();
  while (before.fireNext(30));
  t.deepEqual(before.save(), { a: [40, 50] });
  const after = make();
  after.restore(before.save());
  t.deepEqual(after.save(), { a: [40, 50] });
  t.is(after.nextMs, 40);
  t.false(after.fireNext(39));
});

test('a cancelled schedule is due no more', (t) => {
  const schedules = new Schedules();
  const fired: string[] = [];
  const first = schedules.add('a', 0, 10, () => fired.push('first'));
  schedules.add('a', 5, 10, () => fired.push('second'));
  first.cancel();
  t.false(schedules.fireNext(4));
  t.is(schedules.nextMs, 5);
  t.deepEqual(schedules.save(), { a: [5] });
  t.true(schedules.fireNext(5));
  t.deepEqual(fired, ['second']);
});

test('schedules belong to names: in another order, beside new ones and without old ones they go on as they were', (t) => {
  const made = (...names: readonly string[]): Schedules => {
    const schedules = new Schedules();
    for (const name of names) schedules.add(name, 0, name === 'slow' ? 100 : 10, () => {});
    return schedules;
  };
  const before = made('slow', 'fast', 'gone');
  while (before.fireNext(30));
  t.deepEqual(before.save(), { slow: [100], fast: [40], gone: [40] });
  const after = made('new', 'fast', 'slow');
  after.restore(before.save());
  t.deepEqual(after.save(), { new: [0], fast: [40], slow: [100] });
  t.is(after.nextMs, 0);
  // Two of a name of which there was one: which of them it was cannot be said.
  const doubled = made('fast', 'fast');
  doubled.restore(before.save());
  t.deepEqual(doubled.save(), { fast: [0, 0] });
});

test('what earlier versions saved in the order of the nodes goes on in that order', (t) => {
  const schedules = new Schedules();
  for (const name of ['a', 'b']) schedules.add(name, 0, 10, () => {});
  schedules.restore([30, 40]);
  t.deepEqual(schedules.save(), { a: [30], b: [40] });
  schedules.restore([1, 2, 3]);
  t.deepEqual(schedules.save(), { a: [30], b: [40] });
});
