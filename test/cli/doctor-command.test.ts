import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { limitChecks, type Reach } from '../../src/cli/doctor-brokers.ts';
import type { Check } from '../../src/cli/doctor-check.ts';
import { doctorCommand } from '../../src/cli/doctor-command.ts';
import { spaceCheck } from '../../src/cli/doctor-folder.ts';
import { nodeCheck } from '../../src/cli/doctor-host.ts';
import { copiesChecks } from '../../src/cli/doctor-internal.ts';
import { tableChecks } from '../../src/cli/doctor-topics.ts';
import type { Broker } from '../../src/clients/broker.ts';
import type { BrokerProbe } from '../../src/clients/kafka/probe.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { unreadableAt } from '../helpers/unreadable-broker.ts';
import { CountsWorld, counts, countsSpec } from './fixtures/counted.ts';
import type { Ran } from './fixtures/run.ts';

const answers: BrokerProbe = { answeredMs: 3, unspoken: [], configs: {} };

interface Examined extends Ran {
  readonly checks: readonly Check[];
}

/** Runs `doctor --json` against the cluster in memory; `probe` stands for the way to single brokers. */
async function examine(
  world: CountsWorld,
  line = '',
  probe: Reach['probe'] = async () => answers,
  wrap: (broker: Broker) => Broker = (broker) => broker,
): Promise<Examined> {
  const command = doctorCommand(countsSpec, async () => ({ broker: wrap(world.cluster.connect()), probe }));
  const state = line.includes('--state') ? '' : ` --state ${world.folder('a')}`;
  const brokers = line.includes('--brokers') ? '' : ' --brokers memory:1';
  const ran = await counts(command, `doctor --json${brokers}${state} ${line}`.trim());
  return { ...ran, checks: (JSON.parse(ran.stdout) as { checks: Check[] }).checks };
}

const bad = (checks: readonly Check[]): string[] =>
  checks
    .filter(({ result }) => result !== 'ok')
    .map(({ about, result, text, remedy = '' }) => `${result} ${about}: ${text}. ${remedy}`);

test('of an application that runs as it should all is well, and it ends with 0', async (t) => {
  const world = new CountsWorld(t);
  world.say(0, ['ant', 1000]);
  world.cluster.write('names', 0, [{ key: 'ant', value: Buffer.alloc(8) }]);
  await world.start('a');
  await world.counted();
  const { code, checks } = await examine(world);
  t.deepEqual(bad(checks), []);
  t.is(code, 0);
  const told = checks.map(({ about, text }) => `${about}: ${text}`).join('\n');
  for (const each of [
    /^configuration: application counts, exactly_once/m,
    /^state folder: .*a is in use: an instance runs$/m,
    /^address memory:1: answers in 3 ms$/m,
    /^cluster: memory, 1 broker$/m,
    /^topic words: 2 partitions, keeps records for ever$/m,
    /^topic names: holds a table, compacted$/m,
    /^internal topics: 3 of 3 are there, as 4 tasks need them$/m,
    /^group counts: 1 instance \(a at .*\), 0 records behind$/m,
  ])
    t.regex(told, each);
});

test('it changes nothing: no topic, no position, no group, no file', async (t) => {
  const world = new CountsWorld(t, {});
  const before = await world.topics();
  await examine(world);
  t.deepEqual(await world.topics(), before);
  t.is((await world.client().admin.describeGroup('counts')).state, 'Dead');
  t.deepEqual(readdirSync(world.root), []);
});

test('before the first start it says what that will make', async (t) => {
  const world = new CountsWorld(t);
  const { code, checks } = await examine(world);
  t.is(code, 0);
  t.true(
    checks.some(({ text }) => text === '0 of 3 are there, as 4 tasks need them; the first start makes the others'),
  );
  t.true(checks.some(({ text }) => text === 'does not exist: the application has not run yet'));
});

test('without brokers it looks at the machine alone', async (t) => {
  const world = new CountsWorld(t);
  const command = doctorCommand(countsSpec, async () => t.fail('a broker is asked') as never);
  const { code, stdout } = await counts(command, `doctor --state ${world.folder('a')}`);
  t.is(code, 0);
  t.regex(stdout, /^ok {7}configuration: application counts/);
  t.regex(stdout, /^skipped {2}brokers: none is named\. Give --brokers host:port\.$/m);
  t.regex(stdout, /^\d ok, 0 warnings, 0 failed\n$/m);
});

test('no address answers: it fails, and topics and group are not asked for', async (t) => {
  const world = new CountsWorld(t);
  const down = async (address: string): Promise<BrokerProbe> => {
    throw new StreamsError('STREAMS_BROKER', `asking ${address}: refused. Check that the brokers run.`);
  };
  const { code, checks } = await examine(world, '', down);
  t.is(code, 1);
  t.deepEqual(bad(checks), [
    'failed address memory:1: asking memory:1: refused. Check that the brokers run. ',
    'skipped cluster: no broker answers: topics and group are not looked at. ',
  ]);
});

test('one address of several that does not answer is a warning', async (t) => {
  const world = new CountsWorld(t);
  const half = async (address: string): Promise<BrokerProbe> => {
    if (address !== 'other:1') return answers;
    throw new StreamsError('STREAMS_BROKER', 'refused. Start it.');
  };
  const { code, checks } = await examine(world, '--brokers other:1,memory:2', half);
  t.is(code, 0);
  const addresses = checks.filter(({ about }) => about.startsWith('address'));
  t.deepEqual(
    addresses.map(({ about, result, text }) => `${result} ${about}: ${text}`),
    ['warning address other:1: refused. Start it', 'ok address memory:2: answers in 3 ms'],
  );
  t.true(checks.some(({ about }) => about === 'group counts'));
});

test('a broker that cannot be reached where it says it is, or is too old, is a failure', async (t) => {
  const world = new CountsWorld(t);
  const advertised = await examine(world, '', async (_address, nodeId) => {
    if (nodeId === undefined) return answers;
    throw new StreamsError('STREAMS_BROKER', 'asking memory:0: refused. Check that it runs.');
  });
  t.is(advertised.code, 1);
  t.regex(bad(advertised.checks)[0]!, /^failed broker 1: cannot be reached at the address that it advertises/);
  const old = await examine(world, '', async () => ({ ...answers, unspoken: ['OffsetFetch 7'] }));
  t.is(old.code, 1);
  t.regex(
    bad(old.checks)[0]!,
    /^failed broker 1: memory:0 does not understand OffsetFetch 7\. Take a broker of Kafka 3\.7/,
  );
});

test('limits of the broker are held against the settings', (t) => {
  const limits = {
    'transaction.max.timeout.ms': '900000',
    'group.min.session.timeout.ms': '6000',
    'group.max.session.timeout.ms': '1800000',
    'transaction.state.log.replication.factor': '3',
    'offsets.topic.replication.factor': '1',
  };
  const failures = (flags: Record<string, string>, brokers: number, topics: string[] = []): string[] =>
    bad(limitChecks(loadConfig({ flags, runtime: 'kafka' }), { brokers, configs: limits }, new Set(topics)));
  t.deepEqual(failures({}, 3), []);
  t.deepEqual(failures({}, 1, ['__transaction_state']), []);
  t.regex(
    failures({}, 1)[0]!,
    /^failed transactions: the broker is to make __transaction_state with 3 copies, and there are 1 brokers/,
  );
  t.regex(failures({ 'transaction.timeout.ms': '900001' }, 3)[0]!, /900001, and the broker allows 900000/);
  t.deepEqual(failures({ 'transaction.timeout.ms': '900000' }, 3), []);
  t.regex(
    failures({ 'session.timeout.ms': '5999' }, 3)[0]!,
    /session\.timeout\.ms is 5999, and the broker allows 6000 to 1800000/,
  );
});

test('internal topics that are to have more copies than there are brokers are a failure', (t) => {
  const config = (factor: string): ReturnType<typeof loadConfig> =>
    loadConfig({ flags: { 'replication.factor': factor }, runtime: 'kafka' });
  const configs = { 'default.replication.factor': '2' };
  t.is(copiesChecks(config('3'), { brokers: 2, configs })[0]?.result, 'failed');
  t.is(copiesChecks(config('-1'), { brokers: 1, configs })[0]?.result, 'failed');
  t.is(copiesChecks(config('1'), { brokers: 2, configs })[0]?.result, 'warning');
  t.deepEqual(copiesChecks(config('-1'), { brokers: 2, configs }), []);
  t.deepEqual(copiesChecks(config('1'), { brokers: 1, configs }), []);
});

test('an input that is missing is a failure', async (t) => {
  const world = new CountsWorld(t);
  const { code, checks } = await examine(world, '--topic wrods');
  t.is(code, 1);
  t.true(
    bad(checks).includes(
      'failed topic wrods: does not exist. Create it, or name the topic that has the records with --topic.',
    ),
  );
  t.true(bad(checks).some((line) => line.startsWith('skipped internal topics')));
});

test('an input that deletes by age is a warning where its records are older than that', async (t) => {
  const week = String(7 * 86_400_000);
  const recent = new CountsWorld(t, { 'retention.ms': week });
  recent.say(0, ['ant', Date.now() - 6 * 86_400_000]);
  t.deepEqual(
    bad((await examine(recent)).checks).filter((line) => line.includes('topic words')),
    [],
  );
  const old = new CountsWorld(t, { 'retention.ms': week });
  old.say(1, ['ant', Date.UTC(2018, 0, 1)]);
  const { code, checks } = await examine(old);
  t.is(code, 0);
  t.regex(
    bad(checks).find((line) => line.includes('topic words'))!,
    /^warning topic words: retention\.ms is 604800000 and it holds records of 2018-01-01T00:00:00.000Z: .*kafka-configs\.sh --alter --topic words --add-config retention\.ms=-1/,
  );
});

test('a batch of a topic that is read which cannot be read here is a failure, be it the first or the last of a partition', async (t) => {
  const world = new CountsWorld(t);
  world.say(1, ['ant', 1000], ['bee', 2000], ['cow', 3000]);
  world.cluster.write('names', 0, [{ key: 'ant', value: Buffer.alloc(8) }]);
  for (const [topic, partition, offset, kind] of [
    ['words', 1, 0, 'damaged'],
    ['words', 1, 2, 'unsupported'],
    ['names', 0, 0, 'unsupported'],
  ] as const) {
    const place = { topic, partition, offset, kind };
    const { code, checks } = await examine(world, '', undefined, (broker) => unreadableAt(broker, place));
    t.is(code, 1);
    t.regex(
      bad(checks).join(),
      new RegExp(`failed topic ${topic}: .*partition ${partition}: the batch at offset ${offset} is ${kind}`),
    );
  }
});

test('an input that is compacted, or replaces or bounds the times of records, is a warning', async (t) => {
  const world = new CountsWorld(t, {
    'cleanup.policy': 'compact',
    'message.timestamp.type': 'LogAppendTime',
    'message.timestamp.before.max.ms': '86400000',
    'message.timestamp.after.max.ms': '60000',
  });
  const { code, checks } = await examine(world);
  t.is(code, 0);
  const found = bad(checks).filter((line) => line.startsWith('warning topic words'));
  for (const name of [
    'cleanup.policy',
    'message.timestamp.type',
    'message.timestamp.before.max.ms',
    'message.timestamp.after.max.ms',
  ])
    t.is(found.filter((line) => line.startsWith(`warning topic words: ${name} is `)).length, 1, name);
});

test("a table's topic whose rows go by age is a failure, one that is empty or missing a warning", async (t) => {
  const world = new CountsWorld(t);
  world.cluster.createTopic('aging', 1, { 'cleanup.policy': 'delete' });
  const aging = await examine(world, '--names-topic aging');
  t.is(aging.code, 1);
  t.true(
    bad(aging.checks).some((line) =>
      line.startsWith('failed topic aging: cleanup.policy is delete: rows of the table go by age'),
    ),
  );
  const empty = await examine(world);
  t.is(empty.code, 0);
  t.true(bad(empty.checks).some((line) => line.startsWith('warning topic names: is empty')));
  const missing = await examine(world, '--names-topic nmaes');
  t.is(missing.code, 0);
  t.true(bad(missing.checks).some((line) => line.startsWith('warning topic nmaes: does not exist')));
});

test('internal topics with another number of partitions, or that delete by age, are failures', async (t) => {
  const world = new CountsWorld(t);
  world.cluster.createTopic('counts-by-word-changelog', 3, { 'cleanup.policy': 'compact' });
  world.cluster.createTopic('counts-letter-repartition', 2, { 'cleanup.policy': 'delete' });
  const { code, checks } = await examine(world);
  t.is(code, 1);
  const found = bad(checks).filter((line) => /counts-.*-(changelog|repartition)/.test(line));
  t.is(found.length, 2);
  t.regex(found.find((line) => line.includes('by-word'))!, /has 3 partitions, but the topology needs 2/);
  t.regex(found.find((line) => line.includes('letter'))!, /retention\.ms=604800000/);
});

test('an internal topic that is lost is a failure, and a changelog may be made again from the state', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  await world.client().admin.deleteTopics(['counts-by-word-changelog']);
  const { code, checks } = await examine(world);
  t.is(code, 1);
  const found = bad(checks).find((line) =>
    line.startsWith('failed topic counts-by-word-changelog: does not exist, though'),
  );
  t.regex(found ?? '', /weir reset --refill makes it again/);
});

test('positions beyond the end of a topic that was recreated are a failure, deleted records a warning', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 1001]);
  const { admin } = world.client();
  world.say(0, ['cow', 1002], ['dog', 1003]);
  await admin.deleteRecords([{ topic: 'words', partition: 0, offset: 3 }]);
  const deleted = await examine(world);
  t.is(deleted.code, 0);
  t.true(
    bad(deleted.checks).some((line) =>
      line.includes('the records 2 to 2 of partition 0 were deleted before they were read'),
    ),
  );
  await admin.deleteTopics(['words']);
  world.cluster.createTopic('words', 2, { 'retention.ms': '-1' });
  // What a deletion forgets, a late commit brings back.
  await admin.setCommitted('counts', [{ topic: 'words', partition: 0, offset: 2, metadata: '' }]);
  const anew = await examine(world);
  t.is(anew.code, 1);
  t.true(
    bad(anew.checks).some((line) =>
      line.includes('partition 0 ends at 0, and the application has committed 2: the topic was recreated'),
    ),
  );
});

test('another program in the group is a failure', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const broker = world.client();
  const joined = new Promise<void>((resolve) => {
    const member = broker.member({
      groupId: 'counts',
      topics: ['words'],
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      userData: () => new Uint8Array(),
      assign: async (members) =>
        new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: new Uint8Array() }])),
      rebalancing: () => {},
      assigned: async () => resolve(),
      lost: () => {},
      failed: (error) => t.fail(error.message),
    });
    t.teardown(() => member.leave());
    member.start();
  });
  await joined;
  const { code, checks } = await examine(world);
  t.is(code, 1);
  t.true(bad(checks).some((line) => line.startsWith('failed group counts: other programs are members of it')));
});

test('the state folder of a stopped instance says whose it is; that of another application is a failure', async (t) => {
  const world = new CountsWorld(t);
  const folder = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  const own = await examine(world);
  t.true(
    own.checks.some(
      ({ about, result, text }) =>
        about === 'state folder' && result === 'ok' && text === `${folder} holds 4 tasks of counts`,
    ),
  );
  const other = await examine(world, '--application-id other');
  t.is(other.code, 1);
  t.true(
    bad(other.checks).some((line) =>
      line.startsWith(`failed state folder: ${folder} belongs to application counts, not to other`),
    ),
  );
});

test('a state folder that is damaged, is a file, or cannot be made is a failure', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  rmSync(join(world.folder('a'), 'global', 'db', 'CURRENT'));
  const damaged = await examine(world);
  t.is(damaged.code, 1);
  t.true(bad(damaged.checks).some((line) => line.startsWith('failed state folder') && line.includes('CURRENT')));
  const file = join(world.root, 'file');
  writeFileSync(file, '');
  t.is((await examine(world, `--state ${file}`)).code, 1);
  t.is((await examine(world, `--state ${join(file, 'below')}`)).code, 1);
  if (process.getuid?.() === 0) return;
  const sealed = join(world.root, 'sealed');
  mkdirSync(sealed);
  chmodSync(sealed, 0o500);
  t.is((await examine(world, `--state ${join(sealed, 'state')}`)).code, 1);
});

test('little room is a warning, none a failure', (t) => {
  const mib = 2 ** 20;
  t.is(spaceCheck(99 * mib).result, 'failed');
  t.is(spaceCheck(100 * mib).result, 'warning');
  t.is(spaceCheck(1024 * mib).result, 'ok');
});

test('Node before 20.19 is a failure', (t) => {
  for (const version of ['18.20.8', '20.18.3']) t.is(nodeCheck(version).result, 'failed', version);
  for (const version of ['20.19.0', '22.0.0', '26.10.0']) t.is(nodeCheck(version).result, 'ok', version);
});

test('settings under which results differ are warnings', async (t) => {
  const world = new CountsWorld(t);
  const { code, checks } = await examine(
    world,
    '--set processing.guarantee=at_least_once --set auto.offset.reset=latest --set security.protocol=ssl --set ssl.verify=false',
  );
  t.is(code, 0);
  for (const name of ['processing.guarantee', 'auto.offset.reset', 'ssl.verify'])
    t.true(
      bad(checks).some((line) => line.startsWith(`warning configuration: ${name} is `)),
      name,
    );
});

test('topics that delete by size are told: a warning of inputs and letters, a failure of tables', async (t) => {
  const world = new CountsWorld(t, { 'retention.ms': '-1', 'retention.bytes': '1000000' });
  const sized = { 'retention.ms': '-1', 'retention.bytes': '1000' };
  world.cluster.createTopic('counts-late', 1, sized);
  const found = bad((await examine(world)).checks).join('\n');
  t.regex(
    found,
    /^warning topic words: retention\.bytes is 1000000: .*--topic words --add-config retention\.bytes=-1/m,
  );
  t.regex(found, /^warning topic counts-late: retention\.bytes is 1000: /m);
  const facts = { partitions: 1, configs: sized, records: 1, oldestMs: undefined, unreadable: undefined };
  t.like(tableChecks('names', facts)[0], {
    result: 'failed',
    text: 'cleanup.policy is delete: rows of the table go by size',
  });
});

test('letters that go by age are a warning', async (t) => {
  const world = new CountsWorld(t);
  world.cluster.createTopic('counts-late', 1);
  const { checks } = await examine(world);
  t.true(bad(checks).some((line) => line.startsWith('warning topic counts-late: retention.ms is 604800000')));
});
