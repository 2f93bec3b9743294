import test from 'ava';
import { formatCivil, parseCivil, Zone } from '../../../src/index.ts';

const minute = 60_000;

test('a civil time is the day and what its clock shows, in the form that is given', (t) => {
  // 17251 days after 1970-01-01, by Date.UTC.
  const day = Date.UTC(2017, 2, 26) / 86_400_000;
  t.deepEqual(parseCivil('2017-03-26 02:30:15'), { day, msOfDay: 150 * minute + 15_000 });
  t.deepEqual(parseCivil('26.3.17 2h30', 'D.M.YY H[h]mm'), { day, msOfDay: 150 * minute });
  t.deepEqual(parseCivil('2017-03-26', 'YYYY-MM-DD'), { day, msOfDay: 0 });
  t.deepEqual(parseCivil('2017-03-25 24:00:00'), { day, msOfDay: 0 });
  t.is(parseCivil('2017-02-29 00:00:00'), undefined);
  t.is(parseCivil('2017-03-26T02:30:15'), undefined);
  t.throws(() => parseCivil('2017', 'YYYY'), { code: 'STREAMS_CONFIG' });
});

test('a civil time is written in the form that is given', (t) => {
  const at = { day: Date.UTC(2017, 2, 26) / 86_400_000, msOfDay: 150 * minute };
  t.is(formatCivil(at), '2017-03-26 02:30:00');
  t.is(formatCivil(at, 'D.M.YYYY HH:mm'), '26.3.2017 02:30');
});

test('a clock of twelve hours goes from 12 AM, which is 0:00, to 11 PM, which is 23:00', (t) => {
  const form = 'MM/DD/YYYY hh:mm A';
  const hours = ['12:05 AM', '01:05 AM', '11:05 AM', '12:05 PM', '01:05 PM', '11:05 PM'];
  const read = hours.map((hour) => parseCivil(`03/26/2017 ${hour}`, form));
  t.deepEqual(
    read.map((time) => time?.msOfDay),
    [0, 1, 11, 12, 13, 23].map((hour) => (hour * 60 + 5) * minute),
  );
  t.deepEqual(
    read.map((time) => formatCivil(time!, form)),
    hours.map((hour) => `03/26/2017 ${hour}`),
  );
  t.is(parseCivil('26.3.17 2:05pm', 'D.M.YY h:mma')?.msOfDay, (14 * 60 + 5) * minute);
  t.is(formatCivil(read[4]!, 'D.M.YY h:mma'), '26.3.17 1:05pm');
  for (const text of ['13:05 PM', '00:05 AM', '1:05 PM', '01:05', '01:05 XM'])
    t.is(parseCivil(`03/26/2017 ${text}`, form), undefined, text);
});

test('days, months and hours may have one digit, and years two', (t) => {
  const day = Date.UTC(2017, 2, 6) / 86_400_000;
  for (const text of ['6/3/2017', '06/03/2017']) t.deepEqual(parseCivil(text, 'D/M/YYYY'), { day, msOfDay: 0 }, text);
  t.deepEqual(parseCivil('6/3/17 2:05', 'D/M/YY H:mm'), { day, msOfDay: 125 * minute });
  t.is(parseCivil('6/3/2017', 'DD/MM/YYYY'), undefined);
});

test('a form that is not understood is refused with what is wrong and what there is', (t) => {
  const says = (form: string, problem: string): void => {
    const error = t.throws(() => parseCivil('2017-03-26', form), { code: 'STREAMS_CONFIG' } as never);
    t.is(
      (error as unknown as Error).message,
      `the form of times "${form}" ${problem}: it is made of YYYY or YY, MM or M, DD or D, HH or H (hh or h with A for AM and PM), mm, ss, SSS; other letters stand in brackets, as in "HH[h]mm".`,
    );
  };
  says('DD-MMM-YYYY', 'has MMM, and names of months are not read');
  says('D MMMM YYYY', 'has MMMM, and names of months are not read');
  says('dd/MM/YYYY', 'has dd');
  says('YYYY-MM-DD HH:mm:ss.SSSSSS', 'has SSSSSS');
  says('DD/MM/YYYY HH:MM', 'has the month twice (minutes are mm)');
  says('YYYY-MM-DD HH:hh A', 'has the hour twice');
  says('YYYY-MM-DD hh:mm A a', 'has AM or PM twice');
  says('MM/YYYY', 'lacks the day');
  says('YYYY-MM-DD hh:mm', 'has hours of 1 to 12 without A for AM or PM');
  says('YYYY-MM-DD HH:mm A', 'has AM or PM without hours of 1 to 12 (hh or h)');
});

test('forms beyond those that are remembered are read all the same', (t) => {
  for (let i = 0; i < 200; i++) t.is(parseCivil(`n${i} 1970-01-02`, `[n${i}] YYYY-MM-DD`)?.day, 1);
});

test('a zone tells how often a civil time was, and what its clock showed at an instant', (t) => {
  const paris = Zone.of('Europe/Paris');
  const instants = (text: string): readonly number[] => {
    const { day, msOfDay } = parseCivil(text, 'DD/MM/YYYY HH:mm')!;
    return paris.instantsOf(day, msOfDay);
  };
  // The clock went from 03:00 to 02:00 at 01:00 UTC on 29 October, and from 02:00 to 03:00 at 01:00 UTC on 26 March.
  t.deepEqual(instants('29/10/2017 02:30'), [Date.UTC(2017, 9, 29, 0, 30), Date.UTC(2017, 9, 29, 1, 30)]);
  t.deepEqual(instants('26/03/2017 02:30'), []);
  t.is(formatCivil(paris.civilAt(Date.UTC(2017, 2, 26, 1, 30))), '2017-03-26 03:30:00');
});
