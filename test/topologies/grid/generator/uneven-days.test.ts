import test from 'ava';
import { daysFromCivil } from '../../../../src/common/time/civil.ts';
import { eventsOfDay } from '../../../../topologies/grid/generator/uneven-days.ts';

/** Up to 5 % by chance. */
const chance = 5;

test('days have more events in winter than in summer, and fewer on Saturdays and Sundays', (t) => {
  const about = (day: number, percent: number): void => {
    const events = eventsOfDay(day, 10_000);
    t.true(Math.abs(events / 100 - percent) <= chance, `${events} is not about ${percent} %`);
    t.is(eventsOfDay(day, 10_000), events);
  };
  about(daysFromCivil(1970, 1, 15), 120); // A Thursday in the middle of January
  about(daysFromCivil(1970, 1, 17), 105); // Saturday: 15 % fewer
  about(daysFromCivil(1970, 1, 18), 95); // Sunday: 25 % fewer
  about(daysFromCivil(1970, 7, 16), 80); // A Thursday, 182 days later
});

test('a year of days is neither equal nor far from its average', (t) => {
  const days = Array.from({ length: 364 }, (_, i) => eventsOfDay(daysFromCivil(2023, 1, 1) + i, 10_000));
  t.true(new Set(days).size > 30);
  // Season and chance even out; of seven days one has 15 % and one 25 % less: 100 - 40 / 7 = 94.3 %.
  const average = days.reduce((sum, n) => sum + n, 0) / days.length;
  t.true(Math.abs(average - 9430) < 200, String(average));
});
