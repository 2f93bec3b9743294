import test from 'ava';
import { FileLedger, newEntry } from '../../src/files/file-ledger.ts';
import { ReadBefore } from '../../src/files/read-before.ts';

test('a file that was read into the midst of a row of several records is not read again', (t) => {
  const ledger = new FileLedger('in', ['a'], Uint8Array.of(0));
  ledger.put(newEntry('a.csv', false, 0));
  t.notThrows(() => new ReadBefore('in', 'events', ledger).checkThere(() => true));
  ledger.put({ ...newEntry('b.csv', false, 1), line: 7, record: 2 });
  t.throws(() => new ReadBefore('in', 'events', ledger).checkThere(() => true), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /of line 7 of b\.csv the state has 2 records, and not the others/,
  });
});
