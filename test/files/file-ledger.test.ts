import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { emptyFingerprint } from '../../src/files/file-fingerprint.ts';
import { FileLedger, newEntry } from '../../src/files/file-ledger.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';

const counters = { rows: 3, dead: 1, late: 0, skipped: 0, deadByReason: { id: 1 }, deadBytes: 70, lateBytes: 0 };
const prefix = Buffer.from('p/');

test('entries and counters come back as they were saved, and other keys are left alone', async (t) => {
  const database = await openMemoryDatabase();
  const ledger = new FileLedger('topic', ['a', 'b'], prefix);
  t.is(await ledger.load(database), undefined);
  const entry = {
    ...newEntry('é.csv', true, 0),
    line: 7,
    skipping: true,
    layout: { fields: 3, order: [2, 0] },
    content: { ...emptyFingerprint, length: 12, crc: 99 },
    disk: { ...emptyFingerprint, length: 5 },
  };
  ledger.put(entry);
  const batch = database.batch();
  batch.put(Buffer.from('q/f'), Buffer.of(0));
  ledger.save(batch, counters);
  await batch.write({ sync: false });
  const again = new FileLedger('topic', ['a', 'b'], prefix);
  t.deepEqual(await again.load(database), counters);
  t.deepEqual([...again.entries()], [JSON.parse(JSON.stringify(entry))]);
});

test('each row is a version byte and JSON under the key prefix', async (t) => {
  const database = await openMemoryDatabase();
  const ledger = new FileLedger('topic', ['a'], prefix);
  ledger.put(newEntry('x.csv', false, 0));
  const batch = database.batch();
  ledger.save(batch, counters);
  await batch.write({ sync: false });
  const keys: string[] = [];
  for await (const page of database.pages({})) {
    for (const [key, value] of page) {
      keys.push(Buffer.from(key).toString());
      t.is(value[0], 1);
      JSON.parse(Buffer.from(value.subarray(1)).toString());
    }
  }
  t.deepEqual(keys, ['p/c', 'p/fx.csv']);
});

test('a row of a newer format is refused', async (t) => {
  const database = await openMemoryDatabase();
  const batch = database.batch();
  batch.put(Buffer.from('p/fx.csv'), Buffer.from('\x02{}'));
  await batch.write({ sync: false });
  const error = await t.throwsAsync(new FileLedger('topic', ['a'], prefix).load(database));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_STATE_NEWER');
});
