import test from 'ava';
import { decodeNote, encodeNote } from '../../src/sink/commit-note.ts';

test('a note comes back as it was, days before 1970 included', (t) => {
  for (const periods of [[], [17_532], [-3, 0, 17_531, 17_532]]) {
    const note = { last: 8639, periods, dead: periods.length === 1, form: 'csv dated by day Europe/Paris event' };
    t.deepEqual(decodeNote(encodeNote(note)), note);
  }
});

test('metadata of another program is no note, and that of a later version is refused', (t) => {
  for (const metadata of ['', 'text', '{}', 'null', '{"v":1}']) t.is(decodeNote(metadata), undefined);
  t.throws(() => decodeNote('{"weir":2,"last":1}'), { message: /version 2/ });
});
