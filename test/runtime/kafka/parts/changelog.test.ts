import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type { FetchedRecords } from '../../../../src/clients/fetched-records.ts';
import { recordsOf } from '../../../../src/clients/memory/records-of.ts';
import { Serdes } from '../../../../src/index.ts';
import type { StoreSpec } from '../../../../src/processor/node.ts';
import { changelogApplier, changelogWriter } from '../../../../src/runtime/kafka/changelog.ts';
import { OutputCounts } from '../../../../src/runtime/kafka/output-counts.ts';
import { type ByteRows, keyValueRows, windowRows } from '../../../../src/runtime/stores/byte-rows.ts';
import { MemoryDatabase } from '../../../../state/memory-database.ts';
import { encodeHistory, VersionedBytesStore } from '../../../../state/versioned-store.ts';
import { type Appended, fakeProducer } from './fake-producer.ts';

const prefix = Uint8Array.of(1, 0, 7);
const at = { topic: 'app-rows-changelog', partition: 3 };

const specOf = (kind: StoreSpec['kind']): StoreSpec => ({
  name: 'rows',
  kind,
  keySerde: Serdes.bytes,
  valueSerde: Serdes.bytes,
  cached: true,
  result: true,
});

const hex = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '-' : Buffer.from(bytes).toString('hex'));
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A row: event time, then the value. */
function rowOf(timeMs: number, value: Uint8Array): Uint8Array {
  const row = Buffer.alloc(8 + value.length);
  row.writeBigInt64BE(BigInt(timeMs));
  row.set(value, 8);
  return row;
}

interface Write {
  readonly startMs: number;
  readonly key: Uint8Array;
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
  readonly timeMs: number;
}

/** What the changelog of a store gets. */
function written(kind: StoreSpec['kind'], writes: readonly Write[], outputs = new OutputCounts()): readonly Appended[] {
  const { producer, appended } = fakeProducer();
  const write = changelogWriter(specOf(kind), at, producer, outputs.of(at.topic));
  for (const { startMs, key, value, timeMs } of writes)
    write(startMs, latin1(key), value && rowOf(timeMs, value), timeMs);
  return appended;
}

async function applied(kind: StoreSpec['kind'], chunks: readonly FetchedRecords[]): Promise<MemoryDatabase> {
  const database = new MemoryDatabase();
  const applier = changelogApplier(specOf(kind), database, prefix);
  for (const records of chunks) {
    const batch = database.batch();
    applier.apply(batch, records);
    applier.seal(batch);
    await batch.write({ sync: false });
    applier.written();
  }
  return database;
}

/** All rows: `start key value`. */
async function rowsOf(rows: ByteRows): Promise<string[]> {
  const shown: string[] = [];
  for await (const page of rows.pages(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
    for (const { startMs, key, value } of page) shown.push(`${startMs} ${hex(key)} ${hex(value)}`);
  return shown.sort();
}

const a = Uint8Array.of(0x61);
const x = Uint8Array.of(0x78);

test('the value goes without its event time, which is that of the record', (t) => {
  const [put, deleted] = written('key-value', [
    { startMs: 0, key: a, value: x, timeMs: 5 },
    { startMs: 0, key: a, value: undefined, timeMs: 6 },
  ]);
  t.like(put, { ...at, timestamp: 5, key: a, value: x });
  t.like(deleted, { ...at, timestamp: 6, key: a, value: undefined });
});

test('the key of a windowed row is followed by the start of its window and four zero bytes', (t) => {
  const writes = [{ startMs: 0x0102_0304_0506, key: a, value: x, timeMs: 5 }];
  t.is(hex(written('window', writes)[0]!.key as Uint8Array), '61 0000010203040506 00000000'.replaceAll(' ', ''));
  t.is(hex(written('window', writes)[0]!.value as Uint8Array), '78');
});

test('a deletion before anything was seen has time 0: brokers take no negative ones', (t) => {
  t.is(written('key-value', [{ startMs: 0, key: a, value: undefined, timeMs: -1 }])[0]!.timestamp, 0);
});

test('records and bytes of keys and values are counted', (t) => {
  const outputs = new OutputCounts();
  written(
    'window',
    [
      { startMs: 1, key: a, value: x, timeMs: 5 },
      { startMs: 1, key: a, value: undefined, timeMs: 5 },
    ],
    outputs,
  );
  t.deepEqual(outputs.all(), [{ topic: at.topic, records: 2, bytes: 13 + 1 + 13 }]);
});

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const key = fc.oneof(
  { weight: 9, arbitrary: bytes(3) },
  // Longer than the buffers that are used again.
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 240, maxLength: 600, size: 'max' }) },
);
const writes = fc.array(
  fc.record({
    startMs: fc.integer({ min: 0, max: 3 }).map((n) => n * 3_600_000),
    key,
    value: fc.option(fc.oneof(bytes(5), fc.uint8Array({ minLength: 1000, maxLength: 3000, size: 'max' })), {
      nil: undefined,
    }),
    timeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  }),
  { maxLength: 40 },
);

for (const kind of ['key-value', 'window'] as const)
  test(`a ${kind} store's rows come back from its changelog`, async (t) => {
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: 1, max: 9 }), async (all, chunk) => {
        const log = written(kind, all);
        const chunks: FetchedRecords[] = [];
        for (let i = 0; i < log.length; i += chunk)
          chunks.push(recordsOf(at.topic, at.partition, log.slice(i, i + chunk)));
        const database = await applied(kind, chunks);
        const expected = new Map<string, string>();
        for (const { startMs, key: bytesOfKey, value, timeMs } of all) {
          const id = `${kind === 'window' ? startMs : 0} ${hex(bytesOfKey)}`;
          if (value === undefined) expected.delete(id);
          else expected.set(id, `${id} ${hex(rowOf(timeMs, value))}`);
        }
        const rows = (kind === 'window' ? windowRows : keyValueRows)(database, prefix);
        assert.deepEqual(await rowsOf(rows), [...expected.values()].sort());
      }),
    );
    t.pass();
  });

test("a versioned store's histories come back from its changelog", async (t) => {
  const history = [
    { validFromMs: 100, value: a },
    { validFromMs: 200, value: null },
    { validFromMs: 300, value: x },
  ];
  const log = written('versioned', [
    { startMs: 0, key: a, value: encodeHistory(history.slice(0, 1)), timeMs: 100 },
    { startMs: 0, key: x, value: encodeHistory(history.slice(0, 1)), timeMs: 100 },
    { startMs: 0, key: a, value: encodeHistory(history), timeMs: 300 },
    { startMs: 0, key: x, value: undefined, timeMs: 300 },
  ]);
  const database = await applied('versioned', [recordsOf(at.topic, at.partition, log)]);
  const store = new VersionedBytesStore(database, prefix);
  t.deepEqual(
    store.history(a).map(({ validFromMs, value }) => [validFromMs, value && hex(value)]),
    [
      [100, '61'],
      [200, null],
      [300, '78'],
    ],
  );
  t.deepEqual(store.history(x), []);
});

test('a record that the application did not write is refused, with its place', async (t) => {
  const foreign: [StoreSpec['kind'], string | undefined][] = [
    ['key-value', undefined],
    ['versioned', undefined],
    ['window', undefined],
    ['window', 'too short'],
  ];
  for (const [kind, text] of foreign) {
    const records = recordsOf(at.topic, at.partition, [{ key: text, value: '1', offset: 41 }]);
    const error = await t.throwsAsync(applied(kind, [records]), { code: 'STREAMS_INTERNAL_TOPIC' }, `${kind} ${text}`);
    t.regex(error.message, /partition 3, offset 41.*weir reset/);
  }
});
