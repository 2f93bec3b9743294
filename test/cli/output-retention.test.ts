import test from 'ava';
import { retentionChecks } from '../../src/cli/output-retention.ts';
import type { Broker } from '../../src/clients/broker.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';

const day = 86_400_000;
const year2018 = Date.UTC(2018, 0, 31);

function topology(): Topology {
  const builder = new StreamsBuilder();
  const options = { keySerde: Serdes.string, valueSerde: Serdes.string };
  builder.stream('in', options).to('results', options);
  return builder.build();
}

async function told(
  configs: Readonly<Record<string, string>>,
  records: readonly number[],
  committed?: number,
  letters: readonly string[] = [],
): Promise<string[]> {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  for (const topic of ['results', ...letters]) cluster.createTopic(topic, 1, configs);
  cluster.write(
    'in',
    1,
    records.map((timestamp) => ({ key: 'k', value: 'v', timestamp })),
  );
  const broker: Broker = cluster.connect();
  if (committed !== undefined)
    await broker.admin.setCommitted('app', [{ topic: 'in', partition: 1, offset: committed, metadata: '' }]);
  const checks = await retentionChecks(broker, topology(), 'app', letters);
  await broker.close();
  return checks.map(({ result, about, text, remedy }) => `${result} ${about}: ${text}. ${remedy}`);
}

const week = { 'retention.ms': String(7 * day) };

test('a topic of results that deletes by event time is a warning where what is processed next is older, with the command that mends it', async (t) => {
  const [line, ...others] = await told(week, [year2018, Date.now()]);
  t.deepEqual(others, []);
  t.regex(
    line!,
    /^warning topic results: retention\.ms is 604800000 with message\.timestamp\.type CreateTime, .* of 2018-01-31T00:00:00\.000Z/,
  );
  t.regex(line!, /kafka-configs\.sh --alter --topic results --add-config retention\.ms=-1\.$/);
});

test('topics of letters are looked at alike', async (t) => {
  const lines = await told(week, [year2018], undefined, ['app-dead-letters', 'app-late']);
  t.deepEqual(
    lines.map((line) => line.split(':')[0]),
    ['warning topic results', 'warning topic app-dead-letters', 'warning topic app-late'],
  );
});

test('nothing is told of a topic that keeps its records, or whose times are those of arrival', async (t) => {
  for (const configs of [
    { 'retention.ms': '-1' },
    { ...week, 'cleanup.policy': 'compact' },
    { ...week, 'message.timestamp.type': 'LogAppendTime' },
    { 'retention.ms': String(Date.now()) },
  ])
    t.deepEqual(await told(configs, [year2018]), []);
  t.is((await told({ ...week, 'cleanup.policy': 'compact,delete' }, [year2018])).length, 1);
});

test('nothing is told where what is processed next is recent, whatever was processed before, and where there is nothing yet', async (t) => {
  const now = Date.now();
  t.deepEqual(await told(week, [now - day, now]), []);
  t.deepEqual(await told(week, []), []);
  t.deepEqual(await told(week, [year2018, now], 1), []);
  t.is((await told(week, [now, year2018, now], 1)).length, 1);
  // All is processed: the last record tells what the next ones will be like.
  t.deepEqual(await told(week, [year2018, now], 2), []);
  t.is((await told(week, [year2018], 1)).length, 1);
});

test('a topic that refuses old records is a warning too', async (t) => {
  const lines = await told({ 'retention.ms': '-1', 'message.timestamp.before.max.ms': String(day) }, [year2018]);
  t.regex(
    lines.join(),
    /^warning topic results: message\.timestamp\.before\.max\.ms is 86400000, .* the broker refuses/,
  );
});
