import test from 'ava';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, TimeWindows, type Topology, untilWindowCloses } from '../../../../src/index.ts';
import { drained, messages, sleep, startClient, until } from '../kit.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };
const hour = 3_600_000;
/** Windows of an hour that all ended before the wall clock less any idle time of these tests. */
const long = Date.UTC(2020, 0, 1);

/** @param taken - called with each record. */
function finals(taken: () => void = () => {}): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .peek(taken)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(hour, 0))
    .count({ name: 'counts' })
    .suppress(untilWindowCloses({ name: 'final' }))
    .toStream()
    .map((window, count) => [window.key, String(count)])
    .to('out', texts);
  return builder.build();
}

function cluster(): MemoryCluster {
  const made = new MemoryCluster();
  made.createTopic('in');
  made.createTopic('out');
  made.write('in', 0, [
    { key: 'a', value: '', timestamp: long },
    { key: 'a', value: '', timestamp: long + 1 },
  ]);
  return made;
}

test('a window closes without a further record once nothing has come for so long', async (t) => {
  const brokers = cluster();
  const client = await startClient(t, brokers, finals(), { windowIdleCloseMs: 30 });
  await until(() => messages(brokers, 'out').length > 0, 'the window has closed');
  t.deepEqual(messages(brokers, 'out'), ['a=2']);
  // Its window is over now, as if a later record had been seen.
  brokers.write('in', 0, [{ key: 'a', value: '', timestamp: long + 2 }]);
  await until(() => client.streams.stats().tasks[0]!.dropped.late === 1, 'the record is late');
  t.deepEqual(messages(brokers, 'out'), ['a=2']);
});

test('by default a window waits for the record that closes it', async (t) => {
  const brokers = cluster();
  await startClient(t, brokers, finals());
  await drained(brokers, finals());
  await sleep(60);
  t.deepEqual(messages(brokers, 'out'), []);
  brokers.write('in', 0, [{ key: 'b', value: '', timestamp: long + hour }]);
  await until(() => messages(brokers, 'out').length > 0, 'the window has closed');
  t.deepEqual(messages(brokers, 'out'), ['a=2']);
});

test('an asynchronous punctuation that this sets off is waited for, and its failure is the end of the client', async (t) => {
  const brokers = cluster();
  const seen: string[] = [];
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process(() => ({
    init(context) {
      context.schedule(hour, 'stream-time', async (now) => {
        if (now < long + hour) return;
        seen.push('begins');
        await sleep(50);
        seen.push('fails');
        throw new Error('as it must');
      });
    },
    process: ({ key }) => {
      seen.push(String(key));
    },
  }));
  const client = await startClient(t, brokers, builder.build(), { windowIdleCloseMs: 30, commitIntervalMs: 60_000 });
  await client.streams.untilEnded();
  t.deepEqual(seen, ['a', 'a', 'begins', 'fails']);
  t.regex(String(client.streams.failure), /as it must/);
});

test('windows stay open while no broker answers: what comes meanwhile counts once it is read', async (t) => {
  const brokers = new MemoryCluster();
  for (const topic of ['in', 'out']) brokers.createTopic(topic);
  let taken = 0;
  // At once: on a busy machine the window would be over before a test had looked.
  const topology = finals(() => {
    if (++taken === 1) brokers.pause(client.broker);
  });
  const client = await startClient(t, brokers, topology, { windowIdleCloseMs: 300 });
  brokers.write('in', 0, [{ key: 'a', value: '', timestamp: long }]);
  await until(() => taken === 1, 'the record is taken');
  brokers.write('in', 0, [{ key: 'a', value: '', timestamp: long + 1 }]);
  await sleep(1000);
  brokers.resume(client.broker);
  await until(() => messages(brokers, 'out').length > 0, 'the window has closed');
  t.deepEqual(messages(brokers, 'out'), ['a=2']);
  t.is(client.streams.stats().tasks[0]!.dropped.late, 0);
});
