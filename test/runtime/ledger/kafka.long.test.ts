import test from 'ava';
import fc from 'fast-check';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, TimeWindows } from '../../../src/index.ts';
import { check } from '../../files/helpers/properties.ts';
import { Disk } from '../kafka/disk.ts';
import { app, drained, kill, rowsOf, startClient, stop, type TestClient, text, until } from '../kafka/kit.ts';
import { anyRecord, type Fate, type LedgerRow, ledgerTopology, maxFutureMs, Recount, tally } from './ledger-rows.ts';

const bad = (value: string): LedgerRow => ({ kind: 'bad', bytes: Buffer.from(value), reason: 'deserialization' });
const hostile = fc.constantFrom(bad(''), bad('{'), bad('\0\ufffe'), bad('{"at":1'), bad('x'.repeat(5000)));
const row = fc.oneof({ weight: 5, arbitrary: anyRecord }, { weight: 1, arbitrary: hostile });
const world = fc.record({
  /** What comes before each restart, and how the instance ends before it. */
  parts: fc.array(fc.record({ rows: fc.array(row, { maxLength: 25 }), end: fc.constantFrom('stop', 'kill') }), {
    minLength: 1,
    maxLength: 3,
  }),
  commitIntervalMs: fc.constantFrom(1, 20, 200),
});

const codes: Readonly<Record<string, string>> = {
  LATE: 'late',
  FUTURE: 'future',
  INVALID_TIMESTAMP: 'invalid_timestamp',
  NULL_KEY: 'null_key',
  STREAMS_DESERIALIZATION: 'deserialization',
  STREAMS_PROCESSING: 'processing',
};

/** Letters as `offset reason`, as committed. */
function lettersOf(cluster: MemoryCluster): string[] {
  return [`${app}-dead-letters`, `${app}-late`].flatMap((topic) =>
    cluster.read(topic, 0).map(({ headers }) => {
      const of = (name: string): string =>
        text(headers.find(({ key }) => key === `__streams.errors.${name}`)?.value ?? undefined);
      return `${of('offset')} ${codes[of('code')]}`;
    }),
  );
}

function write(cluster: MemoryCluster, rows: readonly LedgerRow[]): void {
  const records = rows.map((each) =>
    each.kind === 'bad'
      ? { key: 'a', value: each.bytes, timestamp: 1 }
      : { ...(each.key !== undefined && { key: each.key }), value: JSON.stringify(each.entry), timestamp: 1 },
  );
  if (records.length > 0) cluster.write('rows', 0, records);
}

/** Letters that a process has counted since it began, all reasons together, as `streams_..._letter_records_total` tell them. */
const counted = ({ streams }: TestClient): Record<string, number> => {
  const { deadLetters, lateLetters } = streams.kafkaStats();
  return { ...deadLetters, ...(lateLetters > 0 && { late: lateLetters }) };
};

test('each record of hostile topics has one fate, whatever the commits, stops and kills: records = processed + dead + late', async (t) => {
  const property = fc.asyncProperty(world, async ({ parts, commitIntervalMs }) => {
    const cluster = new MemoryCluster();
    cluster.createTopic('rows');
    const disk = new Disk();
    const topology = ledgerTopology();
    const recount = new Recount();
    const options = { disk, commitIntervalMs, maxFutureMs, processingHandler: (): 'continue' => 'continue' };
    let client: TestClient | undefined;
    try {
      for (const { rows, end } of parts) {
        client = await startClient(t, cluster, topology, options);
        write(cluster, rows);
        const fates: Fate[] = rows.map((each) => recount.take(each));
        if (end === 'kill') {
          kill(cluster, client);
        } else {
          await drained(cluster, topology);
          const { counted: _, ...letters } = tally(recount.fates);
          const all = tally(lettersOf(cluster).map((letter) => letter.split(' ')[1]!));
          t.deepEqual(all, letters);
          // Another process may have been killed with rows of this part left over: those are this one's too.
          const told = counted(client);
          for (const [reason, count] of Object.entries(tally(fates)))
            if (reason !== 'counted') t.true(told[reason]! >= count, `${reason}: ${told[reason]} of ${count}`);
          await stop(client);
        }
        client = undefined;
      }
      client = await startClient(t, cluster, topology, options);
      await drained(cluster, topology);
      const expected = recount.fates
        .map((fate, offset) => `${offset} ${fate}`)
        .filter((fate) => !fate.endsWith(' counted'));
      t.deepEqual(lettersOf(cluster).sort(), expected.sort());
      t.deepEqual(await rowsOf([client], 'counts'), recount.counts());
    } finally {
      if (client !== undefined) await stop(client);
      disk.remove();
    }
  });
  await check(t, property, Number(process.env['LEDGER_RUNS'] ?? 10));
});

test('the counts of letters are those of this process: after a restart, and after a commit that failed', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('rows');
  const topology = ledgerTopology();
  const disk = new Disk();
  t.teardown(() => disk.remove());
  const first = await startClient(t, cluster, topology, { disk });
  write(cluster, [{ kind: 'bad', bytes: Buffer.from('{'), reason: 'deserialization' }]);
  await until(() => counted(first)['deserialization'] === 1, 'the letter is committed');
  await stop(first);
  const second = await startClient(t, cluster, topology, { disk });
  t.teardown(() => stop(second));
  t.deepEqual(counted(second), {});
  write(cluster, [{ kind: 'record', key: undefined, entry: { at: 1, arrived: 1, what: '' } }]);
  await drained(cluster, topology);
  t.deepEqual(counted(second), { null_key: 1 });
});

test('a record that is late for several windows is late once, and one that fails as well is dead alone', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('rows');
  const builder = new StreamsBuilder();
  const rows = builder.stream('rows', { keySerde: Serdes.string, valueSerde: Serdes.string });
  rows.groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(10).advanceBy(2)).count({ name: 'counts' });
  rows.peek(
    (_key, value) => {
      if (value === 'fail') throw new Error('it cannot be');
    },
    { name: 'look' },
  );
  const topology = builder.build();
  const disk = new Disk();
  t.teardown(() => disk.remove());
  const client = await startClient(t, cluster, topology, { disk, processingHandler: () => 'continue' });
  t.teardown(() => stop(client));
  cluster.write('rows', 0, [
    { key: 'a', value: '', timestamp: 100 },
    { key: 'a', value: '', timestamp: 9 },
    { key: 'a', value: 'fail', timestamp: 9 },
    { key: 'a', value: '', timestamp: 93 },
  ]);
  await drained(cluster, topology);
  t.deepEqual(lettersOf(cluster), ['2 processing', '1 late', '3 late']);
  t.deepEqual(counted(client), { processing: 1, late: 2 });
  // 9 lies in the 5 windows from 0 to 8, twice; 93 in those from 84 to 92, of which 84, 86, 88 and 90 have ended by 100.
  t.is(client.streams.stats().tasks[0]!.dropped.late, 14);
  t.deepEqual(await rowsOf([client], 'counts'), ['a@100 1', 'a@92 2', 'a@94 1', 'a@96 1', 'a@98 1']);
});
