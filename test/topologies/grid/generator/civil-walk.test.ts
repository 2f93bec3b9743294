import test from 'ava';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { CivilWalk } from '../../../../topologies/grid/generator/civil-walk.ts';

test('a date is the date that luxon gives, however it is reached', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -40_000, max: 90_000 }), fc.nat(400), (day, steps) => {
      const walk = new CivilWalk(day);
      for (let i = 0; i < steps; i++) walk.next();
      const expected = DateTime.fromMillis((day + steps) * 86_400_000, { zone: 'utc' });
      t.is(walk.day, day + steps);
      t.is(walk.text, expected.toISODate()!);
      t.is(walk.compact, expected.toFormat('yyyyMMdd'));
      t.is(walk.weekText, expected.startOf('week').toISODate()!);
      t.is(walk.monthText, expected.startOf('month').toISODate()!);
      t.is(walk.yearText, expected.startOf('year').toISODate()!);
    }),
    { numRuns: 300 },
  );
});
