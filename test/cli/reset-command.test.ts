import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { resetCommand } from '../../src/cli/reset-command.ts';
import type { MemoryRequest } from '../../src/clients/memory/link.ts';
import { StateFolder } from '../../src/runtime/state-folder.ts';
import { CountsWorld, counts, countsSpec, internalTopics } from './fixtures/counted.ts';
import type { Ran } from './fixtures/run.ts';

const letters = ['counts-dead-letters', 'counts-late'];

function reset(world: CountsWorld, line = ''): Promise<Ran> {
  const command = resetCommand(countsSpec, async () => world.cluster.connect());
  return counts(command, `reset --brokers memory:1 ${line}`.trim());
}

async function positions(world: CountsWorld): Promise<readonly (number | undefined)[]> {
  const words = [0, 1].map((partition) => ({ topic: 'words', partition }));
  return (await world.client().admin.committed('counts', words)).map((each) => each?.offset);
}

test('without --execute it prints what it would delete, and changes nothing', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000], ['bee', 1001]);
  const before = await world.topics();
  const { code, stdout, stderr } = await reset(world, `--state ${state}`);
  t.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n').sort();
  const topics = internalTopics.map((topic) => `would delete topic ${topic} (2 partitions)`);
  t.deepEqual(
    lines.filter((line) => line.startsWith('would delete topic')),
    topics,
  );
  t.true(lines.some((line) => line.startsWith('would delete group counts (positions by topic: words 1')));
  for (const part of ['tasks', 'global']) t.true(lines.includes(`would delete folder ${join(state, part)}`));
  t.deepEqual(
    lines.filter((line) => line.startsWith('keeps')),
    [
      'keeps topic counts-dead-letters (letters)',
      'keeps topic counts-late (letters)',
      'keeps topic names (table)',
      'keeps topic words (input)',
    ],
  );
  t.regex(stderr, /Nothing was changed\. To do it, give --execute\./);
  t.deepEqual(await world.topics(), before);
  t.deepEqual(await positions(world), [2, undefined]);
  t.deepEqual(readdirSync(state).sort(), ['global', 'tasks']);
});

test('with --execute positions, internal topics and local state are gone, and nothing else', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000], ['bee', 1001]);
  writeFileSync(join(state, 'notes.txt'), 'mine');
  const { code, stdout, stderr } = await reset(world, `--state ${state} --execute`);
  t.is(code, 0, stderr);
  t.deepEqual(await world.topics(), [...letters, 'names', 'words']);
  t.deepEqual(await positions(world), [undefined, undefined]);
  t.deepEqual(readdirSync(state), ['notes.txt']);
  t.is(world.cluster.read('words', 0).length, 2);
  for (const topic of internalTopics) t.true(stdout.includes(`deleted topic ${topic} (2 partitions)\n`));
  t.false(stdout.includes('would'));
});

test('after a reset the application counts everything again, from the beginning', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['ant', 1001], ['bee', 1002]);
  t.is((await reset(world, `--state ${world.folder('a')} --execute`)).code, 0);
  await world.ranOnce('a', ['ant', 1003]);
  const streams = await world.start('a');
  const rows = [0, 1].map((partition) => streams.localRows('by-word', partition)!);
  const found = await Promise.all(
    rows.map(({ database, prefix }) => database.get(Buffer.concat([prefix, Buffer.from('ant')]))),
  );
  // time int64 | count int64
  t.is(Buffer.from(found.find((each) => each !== undefined)!).readBigInt64BE(8), 3n);
});

test('run again it finds nothing, and ends well', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  await reset(world, `--state ${state} --execute`);
  const { code, stdout } = await reset(world, `--state ${state} --execute`);
  t.is(code, 0);
  t.is(stdout.split('\n')[0], 'nothing to delete of application counts');
  t.false(stdout.includes('deleted'));
});

test('while an instance runs it refuses with 3, and nothing is touched', async (t) => {
  const world = new CountsWorld(t);
  world.say(0, ['ant', 1000]);
  await world.start('a');
  await world.counted();
  for (const line of ['', '--execute', `--execute --state ${world.folder('b')}`]) {
    const { code, stderr } = await reset(world, line);
    t.is(code, 3);
    t.regex(stderr, /^STREAMS_INPUT_REFUSED: application counts runs: its group has 1 member \(a at /);
  }
  t.deepEqual(await positions(world), [1, undefined]);
  for (const topic of internalTopics) t.true((await world.topics()).includes(topic));
});

test('while somebody has the folder open it refuses with 3, and nothing is touched', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const held = await StateFolder.open(join(world.folder('a'), 'global'), { create: false });
  t.teardown(() => held.close());
  const { code, stderr } = await reset(world, `--state ${world.folder('a')} --execute`);
  t.is(code, 3);
  t.regex(stderr, /^STREAMS_INPUT_REFUSED: .* is in use: an instance has it open/);
  t.deepEqual(await positions(world), [1, undefined]);
  t.true(existsSync(join(world.folder('a'), 'tasks')));
});

test('an instance that starts while topics are deleted is refused, and the reset comes to its end', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const broker = world.cluster.connect();
  const deleteTopics = broker.admin.deleteTopics.bind(broker.admin);
  broker.admin.deleteTopics = async (topics) => {
    await deleteTopics(topics);
    await t.throwsAsync(world.start('b'), { code: 'STREAMS_INTERNAL_TOPIC' });
  };
  const { code, stderr } = await counts(
    resetCommand(countsSpec, async () => broker),
    'reset --execute',
  );
  t.is(code, 0, stderr);
  t.deepEqual(await positions(world), [undefined, undefined]);
});

test('interrupted at any request to the broker, a second run completes it', async (t) => {
  // Requests that change something.
  const steps: readonly MemoryRequest[] = ['InitProducerId', 'DeleteTopics', 'DeleteGroups'];
  for (const step of steps) {
    const world = new CountsWorld(t);
    const state = world.folder('a');
    await world.ranOnce('a', ['ant', 1000]);
    const broker = world.cluster.connect({ requestTimeoutMs: 50 });
    world.cluster.cut(broker, 'before', step, 1_000_000);
    const first = await counts(
      resetCommand(countsSpec, async () => broker),
      `reset --state ${state} --execute`,
    );
    t.is(first.code, 1, `${step}: ${first.stderr}`);
    t.regex(first.stderr, /not complete: run it again/, step);
    const second = await reset(world, `--state ${state} --execute`);
    t.is(second.code, 0, second.stderr);
    t.deepEqual(await world.topics(), [...letters, 'names', 'words'], step);
    t.deepEqual(await positions(world), [undefined, undefined], step);
    t.deepEqual(readdirSync(state), [], step);
  }
});

test('a folder whose deletion was interrupted at its last step is deleted by the next run', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  // As a kill between the two steps for the last folder leaves it.
  rmSync(join(state, 'tasks'), { recursive: true });
  renameSync(join(state, 'global'), join(state, 'global-deleted'));
  rmSync(join(state, 'global-deleted', 'db', 'CURRENT'));
  const config = join(world.root, 'settings.yaml');
  writeFileSync(config, `state.dir: ${state}\n`);
  const { code, stdout } = await reset(world, `--config ${config} --execute`);
  t.is(code, 0);
  t.true(stdout.includes(`deleted folder ${join(state, 'global-deleted')}\n`));
  t.deepEqual(readdirSync(state), []);
});

test("topics of another application, whose name begins with this one's, are left and told", async (t) => {
  const world = new CountsWorld(t);
  world.cluster.createTopic('counts-2-by-word-changelog', 2);
  world.cluster.createTopic('counts-old-repartition', 2);
  await world.ranOnce('a', ['ant', 1000]);
  const { stdout } = await reset(world, '--execute');
  for (const topic of ['counts-2-by-word-changelog', 'counts-old-repartition']) {
    t.true(stdout.includes(`keeps topic ${topic} (called like an internal one, but not of this topology)\n`));
    t.true((await world.topics()).includes(topic));
  }
});

test("another application's folder is refused where it is named, and left where it is not", async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  const named = await reset(world, `--application-id other --state ${state} --execute`);
  t.is(named.code, 3);
  t.regex(named.stderr, /^STREAMS_STATE_INCOMPATIBLE: .* belongs to application counts, not to other/);
  // A setting may be meant for other commands.
  const config = join(world.root, 'settings.yaml');
  writeFileSync(config, `state.dir: ${state}\n`);
  const unnamed = await reset(world, `--application-id other --config ${config} --execute`);
  t.is(unnamed.code, 0, unnamed.stderr);
  t.true(unnamed.stdout.includes(`keeps local state: ${state} belongs to application counts\n`));
  t.deepEqual(readdirSync(state).sort(), ['global', 'tasks']);
});

test("a folder that is not named is deleted if it holds the application's state", async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  const config = join(world.root, 'settings.yaml');
  writeFileSync(config, `state.dir: ${state}\n`);
  t.is((await reset(world, `--config ${config} --execute`)).code, 0);
  t.deepEqual(readdirSync(state), []);
});

test('the state of a replay is never deleted', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('files');
  mkdirSync(join(state, 'db'), { recursive: true });
  const named = await reset(world, `--state ${state} --execute`);
  t.is(named.code, 3);
  t.regex(named.stderr, /^STREAMS_STATE_INCOMPATIBLE: .* holds the state of a replay/);
  const config = join(world.root, 'settings.yaml');
  writeFileSync(config, `state.dir: ${state}\n`);
  t.is((await reset(world, `--config ${config} --execute`)).code, 0);
  t.true(existsSync(join(state, 'db')));
});

test('damaged state is deleted where the folder is named, and left where it is not', async (t) => {
  const world = new CountsWorld(t);
  const state = world.folder('a');
  await world.ranOnce('a', ['ant', 1000]);
  rmSync(join(state, 'global', 'db', 'CURRENT'));
  const config = join(world.root, 'settings.yaml');
  writeFileSync(config, `state.dir: ${state}\n`);
  const unnamed = await reset(world, `--config ${config} --execute`);
  t.is(unnamed.code, 0, unnamed.stderr);
  t.regex(unnamed.stdout, /keeps local state: .* cannot be read/);
  t.true(existsSync(join(state, 'tasks')));
  t.is((await reset(world, `--state ${state} --execute`)).code, 0);
  t.deepEqual(readdirSync(state), []);
});

test('an instance that was stopped for long and wakes after the reset can commit nothing', async (t) => {
  const world = new CountsWorld(t);
  world.say(0, ['ant', 1000]);
  const zombie = world.cluster.connect({ clientId: 'zombie' });
  const producer = zombie.producer({ transactionalId: 'counts-0_0', transactional: true });
  await producer.init();
  producer.append('words', 1, 2000, Buffer.from('x'), Buffer.from('x'));
  await producer.commit('counts', [{ topic: 'words', partition: 0, offset: 1, metadata: '' }]);
  world.cluster.pause(zombie);
  t.is((await reset(world, '--execute')).code, 0);
  world.cluster.resume(zombie);
  producer.append('words', 1, 2000, Buffer.from('y'), Buffer.from('y'));
  await t.throwsAsync(producer.commit('counts', [{ topic: 'words', partition: 0, offset: 1, metadata: '' }]), {
    code: 'STREAMS_TASK_MIGRATED',
  } as never);
  await delay(5);
  t.deepEqual(await positions(world), [undefined, undefined]);
});

test('it says where the next start would not begin with the first record', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const { stderr } = await reset(world, '--to-earliest --set auto.offset.reset=latest');
  t.regex(stderr, /auto\.offset\.reset is latest: with it the next start leaves out what the topics hold now/);
});

test('a topology whose input is gone is reset all the same', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  await world.client().admin.deleteTopics(['words']);
  const { code, stderr } = await reset(world, '--execute');
  t.is(code, 0, stderr);
  t.deepEqual(await world.topics(), [...letters, 'names']);
});

/** How often a word was said, as an instance has it once that is so much; else as it has it after a while. */
async function countOf(
  streams: Awaited<ReturnType<CountsWorld['start']>>,
  store: string,
  key: string,
  expected: number,
): Promise<number> {
  // The copy follows the commit at once, and not in the same instant.
  for (const end = Date.now() + 60_000; Date.now() < end && countNow(streams, store, key) !== expected; )
    await delay(5);
  return countNow(streams, store, key);
}

function countNow(streams: Awaited<ReturnType<CountsWorld['start']>>, store: string, key: string): number {
  for (const partition of [0, 1]) {
    const { database, prefix } = streams.localRows(store, partition)!;
    const row = database.get(Buffer.concat([prefix, Buffer.from(key)]));
    // time int64 | count int64
    if (row !== undefined) return Number(Buffer.from(row).readBigInt64BE(8));
  }
  return 0;
}

/** What each kind of loss does to a changelog. */
const changelogLosses: Readonly<Record<string, (world: CountsWorld, topic: string) => void>> = {
  deleted: (world, topic) => world.cluster.deleteTopic(topic),
  recreated: (world, topic) => {
    world.cluster.deleteTopic(topic);
    world.cluster.createTopic(topic, 2, {
      'cleanup.policy': 'compact',
      'retention.ms': '-1',
      'message.timestamp.before.max.ms': '9223372036854775807',
      'message.timestamp.after.max.ms': '9223372036854775807',
    });
  },
  emptied: (world, topic) => world.cluster.deleteRecords(topic, 0),
};

for (const [name, lose] of Object.entries(changelogLosses))
  test(`a changelog that was ${name} is made again from a whole copy, and instances without one restore from it`, async (t) => {
    const world = new CountsWorld(t);
    await world.ranOnce('a', ['ant', 1000], ['ant', 1001], ['bee', 1002]);
    for (const store of ['by-word', 'by-letter']) lose(world, `counts-${store}-changelog`);
    const dry = await reset(world, `--refill --state ${world.folder('a')}`);
    t.is(dry.code, 0, dry.stderr);
    t.regex(dry.stdout, /would refill topic counts-by-word-changelog from /);
    const { code, stdout, stderr } = await reset(world, `--refill --state ${world.folder('a')} --execute`);
    t.is(code, 0, stderr);
    t.regex(stdout, /^refilled topic counts-by-word-changelog from /m);
    t.regex(stdout, /^refilled topic counts-by-letter-changelog from /m);
    await world.ranOnce('a', ['ant', 1003]);
    world.say(0, ['ant', 1004]);
    const streams = await world.start('empty');
    await world.counted();
    t.is(await countOf(streams, 'by-word', 'ant', 4), 4);
    t.is(await countOf(streams, 'by-word', 'bee', 1), 1);
    t.is(await countOf(streams, 'by-letter', 'a', 4), 4);
    t.is(await countOf(streams, 'by-letter', 'b', 1), 1);
  });

test('nothing is refilled from a copy that is missing, or older than what was committed', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  await world.ranOnce('b', ['ant', 1001]);
  world.cluster.deleteTopic('counts-by-word-changelog');
  const before = await world.topics();
  for (const folder of ['a', 'c']) {
    const { code, stderr } = await reset(world, `--refill --state ${world.folder(folder)} --execute`);
    t.is(code, 3);
    t.regex(stderr, /^STREAMS_INPUT_REFUSED: the changelogs cannot be made again: task 0_\d has no whole copy/);
  }
  t.deepEqual(await world.topics(), before);
  t.is((await reset(world, `--refill --state ${world.folder('b')} --execute`)).code, 0);
});

test('a refill that was interrupted is done again, and the application is refused until then', async (t) => {
  for (const step of ['Produce', 'OffsetCommit'] satisfies readonly MemoryRequest[]) {
    const world = new CountsWorld(t);
    const state = world.folder('a');
    await world.ranOnce('a', ['ant', 1000]);
    world.cluster.deleteTopic('counts-by-word-changelog');
    const broker = world.cluster.connect({ requestTimeoutMs: 50 });
    world.cluster.cut(broker, 'before', step, 1_000_000);
    const command = resetCommand(countsSpec, async () => broker);
    t.is((await counts(command, `reset --refill --state ${state} --execute`)).code, 1, step);
    await t.throwsAsync(world.start('a'), { code: 'STREAMS_INTERNAL_TOPIC' }, step);
    const again = await reset(world, `--refill --state ${state} --execute`);
    t.is(again.code, 0, again.stderr);
    const streams = await world.start('empty');
    t.is(await countOf(streams, 'by-word', 'ant', 1), 1, step);
    await streams.close();
  }
});
