import test from 'ava';
import { Zone } from '../../src/common/time/zone.ts';
import { Periods } from '../../src/sink/periods.ts';

/** What a clock in the zone shows, by Intl. */
function shown(zone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' },
  });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    return `date=${parts['year']}-${parts['month']}-${parts['day']}/hour=${parts['hour']}/event`;
  };
}

test('an hour is the one that the clock shows, also right behind one that the clock jumped over', (t) => {
  const paris = new Periods(Zone.of('Europe/Paris'), 'hour');
  const pathAt = (time: string): string => paris.path(paris.of(Date.parse(time)), 'hive', 'event');
  t.is(pathAt('2018-03-25T00:59:59Z'), 'date=2018-03-25/hour=01/event');
  t.is(pathAt('2018-03-25T01:00:00Z'), 'date=2018-03-25/hour=03/event');
  t.is(pathAt('2018-10-28T00:30:00Z'), 'date=2018-10-28/hour=02/event');
  t.is(pathAt('2018-10-28T01:30:00Z'), 'date=2018-10-28/hour=02/event');
  t.is(pathAt('2018-10-28T02:00:00Z'), 'date=2018-10-28/hour=03/event');
});

for (const [name, year] of [
  ['Europe/Paris', 2018],
  ['America/Sao_Paulo', 2018],
  ['Australia/Lord_Howe', 2018],
  ['Antarctica/Troll', 2018],
  ['America/Caracas', 2016],
] as const) {
  test(`each quarter of an hour of ${year} is in the folder of its hour in ${name}`, (t) => {
    const periods = new Periods(Zone.of(name), 'hour');
    const want = shown(name);
    const wrong: string[] = [];
    for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += 900_000) {
      const path = periods.path(periods.of(ms), 'hive', 'event');
      if (path !== want(ms)) wrong.push(path);
    }
    t.deepEqual(wrong, []);
  });
}
