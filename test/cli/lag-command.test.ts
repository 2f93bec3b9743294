import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { groupChecks } from '../../src/cli/doctor-group.ts';
import { type ApplicationLag, applicationLag } from '../../src/cli/lag.ts';
import { lagCommand } from '../../src/cli/lag-command.ts';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { app } from '../runtime/kafka/kit.ts';
import { threadedClient } from '../runtime/kafka/threaded.ts';
import { counts as byKey } from '../runtime/kafka/topologies.ts';
import { CountsWorld, counts, countsSpec, startCounts } from './fixtures/counted.ts';

function lagOf(world: CountsWorld): ReturnType<typeof lagCommand> {
  return lagCommand(countsSpec, async () => world.cluster.connect());
}

async function lagJson(world: CountsWorld): Promise<ApplicationLag> {
  const { stdout } = await counts(lagOf(world), 'lag --json');
  return JSON.parse(stdout) as ApplicationLag;
}

test('a stopped application is behind by what was written since, and without an owner', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 3000], ['bat', 2000]);
  world.say(0, ['cow', 9000], ['cat', 9001]);
  world.say(1, ['dog', 9002]);
  const { code, stdout, stderr } = await counts(lagOf(world), 'lag');
  t.is(code, 0, stderr);
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
  t.is(lines[0], 'task topic partition position end lag event_time owner');
  t.is(lines[1], '0_0 words 0 3 5 2 1970-01-01T00:00:03Z -');
  t.is(lines[2], '0_1 words 1 - 1 1 - -');
  t.is(lines.at(-2), 'total lag 3 over 4 partitions; group counts is Empty, no instance runs');
});

test('who has caught up is not behind, although transactions have left markers in an internal topic', async (t) => {
  const world = new CountsWorld(t);
  world.say(0, ['ant', 1000], ['ape', 1001]);
  await world.start('a');
  await world.counted();
  const { lag, partitions } = await lagJson(world);
  t.is(lag, 0);
  const letters = partitions.filter(({ topic }) => topic === 'counts-letter-repartition');
  const ends = letters.reduce((sum, { end }) => sum + end!, 0);
  const records = [0, 1].reduce((sum, each) => sum + world.cluster.read('counts-letter-repartition', each).length, 0);
  t.true(ends > records, `${ends} positions for ${records} records`);
});

test('each partition is told with the instance that has its task, and its endpoint', async (t) => {
  const world = new CountsWorld(t);
  world.say(0, ['ant', 1000]);
  world.say(1, ['bee', 1000]);
  const instances = [await world.start('one', 'one:8080'), await world.start('two', 'two:8080')];
  await world.counted();
  while (instances.some(({ state }) => state !== 'RUNNING')) await delay(2);
  const { group, partitions } = await lagJson(world);
  t.deepEqual(group, { state: 'Stable', instances: 2, members: 2 });
  t.is(partitions.length, 4);
  for (const { task, owner } of partitions) {
    const [one, two] = instances.map((each) => each.stats().tasks.some(({ taskId }) => taskId === task));
    t.not(one, two, task);
    t.deepEqual([owner?.clientId, owner?.endpoint], one ? ['one', 'one:8080'] : ['two', 'two:8080'], task);
  }
});

test('stream threads of one instance are one instance', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 3);
  const { streams } = threadedClient(t, cluster, byKey, { numStreamThreads: 3 });
  await streams.start();
  while (!streams.kafkaStats().threads.every(({ active }) => active === 1) || streams.state !== 'RUNNING')
    await delay(2);
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const { group } = await applicationLag(broker, byKey(), app);
  t.deepEqual(group, { state: 'Stable', instances: 1, members: 3 });
  const [check] = await groupChecks(broker, byKey(), app);
  t.regex(check!.text, /^1 instance \([^,]*\), 0 records behind$/);
});

test('records of an open transaction are no lag: nobody can read them yet', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const producer = world.client().producer({ transactionalId: 'somebody', transactional: true });
  await producer.init();
  producer.append('words', 0, 2000, Buffer.from('bee'), Buffer.from(''));
  await producer.flush();
  t.is((await lagJson(world)).lag, 0);
  await producer.commit();
  // Its marker lies behind the record.
  t.is((await lagJson(world)).lag, 2);
});

test('without a position all that a topic still holds is lag', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  world.cluster.createTopic('other', 1);
  world.cluster.write('other', 0, [{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
  await world.client().admin.deleteRecords([{ topic: 'other', partition: 0, offset: 1 }]);
  const { stdout } = await counts(lagOf(world), 'lag --topic other --json');
  const { partitions } = JSON.parse(stdout) as ApplicationLag;
  const { task, position, start, end, lag } = partitions.find(({ topic }) => topic === 'other')!;
  t.deepEqual(
    { task, position, start, end, lag },
    { task: '2_0', position: undefined, start: 1, end: 3, lag: 2 },
    'the task of another topic is another one',
  );
});

test('an application that has never run ends with 3 and its name', async (t) => {
  const world = new CountsWorld(t);
  const { code, stdout, stderr } = await counts(lagOf(world), 'lag --application-id cuonts');
  t.is(code, 3);
  t.is(stdout, '');
  t.regex(stderr, /^STREAMS_STATE_MISSING: there is no group cuonts on the broker/);
});

test('a topic that does not exist is named', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const { code, stderr } = await counts(lagOf(world), 'lag --topic wrods');
  t.is(code, 1);
  t.regex(stderr, /^STREAMS_MISSING_SOURCE_TOPIC: topic wrods does not exist/);
});

test('with --watch it looks again until the signal, and ends with 0', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const { stdout, ended, signal } = startCounts(lagOf(world), 'lag --watch 100ms --json');
  const seen = (): number[] =>
    stdout.text
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as ApplicationLag).lag);
  while (seen().length < 1) await delay(5);
  world.say(0, ['bee', 2000]);
  while (seen().at(-1) !== 1) await delay(5);
  signal('SIGINT');
  t.is((await ended).code, 0);
  t.is(seen()[0], 0);
});
