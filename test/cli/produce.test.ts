import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';

import test from 'ava';
import { messagesFrom, ProduceWorld, readings, readingsSpec, rowsFrom, until } from './fixtures/produced.ts';

const forEver = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': '9223372036854775807' };

test('each row is a message: its key, its fields as CSV, its time; files in the order of their names', async (t) => {
  const world = new ProduceWorld(t);
  world.write('b.csv', readings('late,1000,x'));
  world.write('a.csv', readings('one,2000,x', 'two,3000,'));
  t.deepEqual(await world.good(t), { rows: 3, sent: 3, dead: 0, refused: 0, files: 2, moved: 0 });
  t.deepEqual(await world.messages(), ['one=one,2000,x@2000', 'two=two,3000,@3000', 'late=late,1000,x@1000']);
});

test('columns in another order, among others, and quoted fields give the same messages', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', 'more,text,at,name\n7,"a ""b"", c",5,one\n"7",plain,6,"two"\r\n');
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,5,"a ""b"", c"@5', 'two=two,6,plain@6']);
});

test('messages of another application are what its serde writes', async (t) => {
  const world = new ProduceWorld(t);
  world.spec = readingsSpec(true);
  world.write('a.csv', readings('one,5,x'));
  await world.good(t);
  t.deepEqual(await world.messages(), ['one={"at":5,"text":"x"}@5']);
});

test('a topic that is missing is made so that it loses no event, with the partitions that are asked for', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('foobar,1,x', 'abc,2,x', '21,3,x', 'a-little-bit-long-string,4,x'));
  await world.good(t, '--topic words --partitions 4');
  // murmur2 of Kafka's own tests: foobar -790332482, abc 479470107, 21 -973932308, a-little-bit-long-string -985981536.
  t.deepEqual(await world.messages('words', 2), ['foobar=foobar,1,x@1']);
  t.deepEqual(await world.messages('words', 3), ['abc=abc,2,x@2']);
  t.deepEqual(await world.messages('words', 0), [
    '21=21,3,x@3',
    'a-little-bit-long-string=a-little-bit-long-string,4,x@4',
  ]);
  const admin = world.cluster.connect().admin;
  const configs = await admin.topicConfigs(['words', 'words-produce-positions']);
  t.like(configs.get('words'), { ...forEver, 'cleanup.policy': 'delete', 'message.timestamp.type': 'CreateTime' });
  t.like(configs.get('words-produce-positions'), { 'cleanup.policy': 'compact', 'retention.ms': '-1' });
});

test('zstd is written where Node has it; elsewhere it is refused before any topic is made', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,2000,x'));
  const { code, stderr } = await world.run('--set compression.type=zstd');
  const topics = await world.cluster.connect().admin.listTopics();
  if ('zstdCompressSync' in zlib) t.deepEqual([code, await world.messages()], [0, ['one=one,2000,x@2000']]);
  else {
    t.deepEqual([code, topics], [2, []]);
    t.regex(stderr, /^STREAMS_CONFIG: compression\.type is zstd: .*Node 22\.15/);
  }
});

test('an event from 2099 and one from 1970 are sent as they are', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('far,4070908800000,x', 'first,0,x'));
  await world.good(t);
  t.deepEqual(await world.messages(), ['far=far,4070908800000,x@4070908800000', 'first=first,0,x@0']);
});

test('a later run sends what is new: rows of a file that grew, and new files', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  await world.good(t);
  t.deepEqual(await world.good(t), { rows: 0, sent: 0, dead: 0, refused: 0, files: 0, moved: 0 });
  world.append('a.csv', 'two,2,x\n');
  world.write('b.csv.gz', zlib.gzipSync(readings('three,3,x')));
  t.deepEqual(await world.good(t), { rows: 2, sent: 2, dead: 0, refused: 0, files: 1, moved: 0 });
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2', 'three=three,3,x@3']);
});

test('a file that was changed after it was sent is refused', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  await world.good(t);
  world.write('a.csv', readings('ONE,1,x'));
  const { code, stderr } = await world.run();
  t.is(code, 3);
  t.true(stderr.startsWith('STREAMS_FILE_REWRITTEN: '), stderr);
  t.deepEqual(await world.messages(), ['one=one,1,x@1']);
});

test('bad rows go to the dead letters, once over several runs', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x', 'two,oops,x', 'short,3', 'before 1970,-1,x', 'four,4,x'));
  t.deepEqual(await world.good(t), { rows: 5, sent: 2, dead: 3, refused: 0, files: 1, moved: 0 });
  world.write('b.csv', readings('bad,bad,x', 'five,5,x'));
  await world.good(t);
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'four=four,4,x@4', 'five=five,5,x@5']);
  t.deepEqual(world.letters(), [
    'a.csv:3 date two,oops,x',
    'a.csv:4 columns short,3',
    'a.csv:5 invalid_timestamp before 1970,-1,x',
    'b.csv:2 date bad,bad,x',
  ]);
});

test('the dead letters of a topic are in a file of its name if no other is named', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('bad,bad,x'));
  const name = `topic-${process.pid}`;
  t.teardown(async () => (await import('node:fs/promises')).rm(`.data/${name}-dead.jsonl`, { force: true }));
  const { produceCommand } = await import('../../src/cli/produce-command.ts');
  const { run } = await import('./fixtures/run.ts');
  const command = produceCommand(world.spec, async () => world.cluster.connect());
  const { code, stderr } = await run([command], `produce --events ${world.events} --topic ${name}`);
  t.is(code, 1);
  t.regex(stderr, /^STREAMS_BAD_ROW: the only row that this run read is in the dead letters/m);
  t.deepEqual(world.letters(`.data/${name}-dead.jsonl`), ['a.csv:2 date bad,bad,x']);
});

test('with --on-error fail the first bad row ends the run, and the row is met again by the next one', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x', 'two,oops,x', 'three,3,x'));
  for (let i = 0; i < 2; i++) {
    const { code, stderr } = await world.run('--on-error fail');
    t.is(code, 1);
    t.true(stderr.includes('STREAMS_BAD_ROW: a.csv:3:'), stderr);
  }
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'three=three,3,x@3']);
  t.deepEqual(world.letters(), ['a.csv:3 date two,oops,x']);
});

test('a row that the topic would not take for its size is a dead letter', async (t) => {
  const world = new ProduceWorld(t);
  world.cluster.createTopic('readings', 1, { ...forEver, 'max.message.bytes': '1000' });
  world.write('a.csv', readings('one,1,x', `two,2,${'y'.repeat(2000)}`, `three,3,${'y'.repeat(800)}`));
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,1,x@1', `three=three,3,${'y'.repeat(800)}@3`]);
  t.is(world.letters().length, 1);
  t.true(world.letters()[0]!.startsWith('a.csv:3 too-long two,2,yyy'));
});

test('a row that the broker refuses ends the run, or is passed over and counted, as the setting says', async (t) => {
  const world = new ProduceWorld(t);
  world.cluster.createTopic('readings', 1, { 'retention.ms': '-1' });
  world.write('a.csv', readings('one,1,x', 'far,4070908800000,x', 'two,2,x'));
  const { code, stderr } = await world.run();
  t.is(code, 1);
  t.true(stderr.includes('INVALID_TIMESTAMP'), stderr);
  t.deepEqual(await world.messages(), []);
  const summary = await world.good(t, '--set production.exception.handler=continue');
  t.deepEqual(summary, { rows: 3, sent: 2, dead: 0, refused: 1, files: 1, moved: 0 });
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2']);
});

test('several folders are topics of their own', async (t) => {
  const world = new ProduceWorld(t);
  const second = join(world.root, 'second');
  world.write('a.csv', readings('one,1,x', 'three,3,x', 'five,5,x'));
  world.write('a.csv', readings('two,2,x', 'four,4,x'), second);
  t.like(await world.good(t, `--events ${world.events} --events ${second}`), { rows: 5, sent: 5, files: 2 });
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'three=three,3,x@3', 'five=five,5,x@5']);
  t.deepEqual(await world.messages('readings-2'), ['two=two,2,x@2', 'four=four,4,x@4']);
  const { code, stderr } = await world.run(`--events ${world.events} --events ${world.events}`);
  t.is(code, 2);
  t.true(stderr.includes('the same folder'), stderr);
});

test('a topic that is less than it should be is warned of or refused', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  const ranOn = async (configs: Record<string, string>, line = ''): Promise<{ code: number; stderr: string }> => {
    const topic = `topic-${Object.values(configs).join('-').replaceAll(',', '.')}`;
    world.cluster.createTopic(topic, 2, configs);
    return world.run(`--topic ${topic} ${line}`);
  };
  const old = await ranOn({ 'retention.ms': '604800000' });
  t.is(old.code, 0);
  t.true(old.stderr.includes('will lose events: retention.ms=604800000'), old.stderr);
  const compacted = await ranOn({ 'cleanup.policy': 'compact' });
  t.true(compacted.stderr.includes('will lose events: cleanup.policy=compact'), compacted.stderr);
  const kept = await ranOn({ 'retention.ms': '-1', 'retention.bytes': '-1' });
  t.false(kept.stderr.includes('will lose events'), kept.stderr);
  const appended = await ranOn({ 'message.timestamp.type': 'LogAppendTime' });
  t.is(appended.code, 3);
  t.true(appended.stderr.startsWith('STREAMS_INPUT_REFUSED: '), appended.stderr);
  const mismatch = await ranOn({ 'retention.ms': '-1', 'segment.ms': '1000' }, '--partitions 3');
  t.is(mismatch.code, 1);
  t.true(mismatch.stderr.startsWith('STREAMS_PARTITION_MISMATCH: '), mismatch.stderr);
});

test('a topic that was recreated is not taken for the old one', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  await world.good(t);
  const { admin } = world.cluster.connect();
  await admin.deleteTopics(['readings']);
  const { code, stderr } = await world.run();
  t.is(code, 3);
  t.true(stderr.startsWith('STREAMS_INPUT_REFUSED: '), stderr);
  t.true(stderr.includes('readings-produce-positions'), stderr);
  await admin.deleteTopics(['readings-produce-positions']);
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,1,x@1']);
});

test('a topic of positions that would lose them is refused', async (t) => {
  const world = new ProduceWorld(t);
  world.cluster.createTopic('readings-produce-positions', 1, { 'cleanup.policy': 'delete' });
  const { code, stderr } = await world.run();
  t.is(code, 3);
  t.true(stderr.includes('STREAMS_INTERNAL_TOPIC: '), stderr);
});

test('compaction of the positions changes nothing', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings(...rowsFrom(0, 100), 'bad,bad,x'));
  await world.good(t);
  world.append('a.csv', 'n100,100,x\n');
  await world.good(t);
  world.cluster.compact('readings-produce-positions');
  world.write('b.csv', readings(...rowsFrom(101, 9)));
  await world.good(t);
  t.deepEqual(await world.messages(), messagesFrom(0, 110));
  t.is(world.letters().length, 1);
});

test('the zone is kept with the positions', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  await world.good(t, '--zone Asia/Tokyo');
  await world.good(t);
  await world.good(t, '--zone Asia/Tokyo');
  const { code, stderr } = await world.run('--zone Europe/Paris');
  t.is(code, 3);
  t.true(stderr.startsWith('STREAMS_STATE_INCOMPATIBLE: '), stderr);
});

test('with --follow files are sent as they come, and the first signal ends it with 0', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  const producing = world.start('--follow --json');
  await until(() => world.count === 1);
  world.append('a.csv', 'two,2,x\n');
  await until(() => world.count === 2);
  world.write('b.csv', readings('three,3,x', 'bad,bad,x'));
  await until(() => world.count === 3);
  producing.signal('SIGTERM');
  const { code, stdout } = await producing.ended;
  t.is(code, 0);
  t.like(JSON.parse(stdout), { rows: 4, sent: 3, dead: 1, files: 2 });
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2', 'three=three,3,x@3']);
  t.is(world.letters().length, 1);
  t.is((await world.good(t))['rows'], 0, 'all of it was committed');
});

test('a signal before the end commits what was sent, ends with 143, and the next run goes on', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings(...rowsFrom(0, 5), ...rowsFrom(10_000_000, 5)));
  // A second of events in a second: the second half is hours away.
  const producing = world.start('--speed 1x --json');
  await until(() => world.count === 5);
  producing.signal('SIGTERM');
  const { code, stdout } = await producing.ended;
  t.is(code, 143);
  t.is(stdout, '');
  await world.good(t, '--speed max');
  t.deepEqual(await world.messages(), [...messagesFrom(0, 5), ...messagesFrom(10_000_000, 5)]);
});

test('files are moved when they are read and committed, plain and gzip', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  world.write('b.csv.gz', zlib.gzipSync(readings('two,2,x')));
  world.write('c.csv', 'name,at,text\nthree,3,x\nfour,4');
  t.like(await world.good(t, `--move-done ${world.done}`), { files: 2, moved: 2 });
  t.deepEqual(readdirSync(world.done).sort(), ['a.csv', 'b.csv.gz']);
  t.deepEqual(readdirSync(world.events), ['c.csv'], 'its last line waits for its rest');
  world.append('c.csv', ',x\n');
  t.like(await world.good(t, `--move-done ${world.done}`), { rows: 1, moved: 1 });
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2', 'three=three,3,x@3', 'four=four,4,x@4']);
});

test('files of dated folders are moved to folders of the same names', async (t) => {
  const world = new ProduceWorld(t);
  for (const day of ['date=2018-01-02', 'date=2018-01-01'])
    world.write('event.csv', readings(`${day},1,x`), join(world.events, day));
  t.like(await world.good(t, `--move-done ${world.done}`), { files: 2, moved: 2 });
  t.deepEqual(await world.messages(), [
    'date=2018-01-01=date=2018-01-01,1,x@1',
    'date=2018-01-02=date=2018-01-02,1,x@1',
  ]);
  t.deepEqual(readdirSync(world.done).sort(), ['date=2018-01-01', 'date=2018-01-02']);
  t.deepEqual(readdirSync(join(world.done, 'date=2018-01-02')), ['event.csv']);
});

test('a moved file that is delivered again is known: not sent, and moved too; a changed one is refused', async (t) => {
  const world = new ProduceWorld(t);
  const file = readings('one,1,x');
  world.write('a.csv', file);
  await world.good(t, `--move-done ${world.done}`);
  world.write('a.csv', file);
  t.like(await world.good(t, `--move-done ${world.done}`), { rows: 0, moved: 1 });
  t.deepEqual(readdirSync(world.events), []);
  t.deepEqual(readdirSync(world.done), ['a.csv']);
  world.write('a.csv', `${file}two,2,x\n`);
  t.like(await world.good(t, `--move-done ${world.done}`), { rows: 1, sent: 1, moved: 1 });
  t.deepEqual(readdirSync(world.done).sort(), ['a.2.csv', 'a.csv']);
  world.write('a.csv', readings('other,1,x'));
  const { code } = await world.run(`--move-done ${world.done}`);
  t.is(code, 3);
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2']);
});

test('with --follow a file that is delivered again is moved again', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  const producing = world.start(`--follow --move-done ${world.done}`);
  const path = join(world.events, 'a.csv');
  await until(() => !existsSync(path));
  writeFileSync(path, readings('one,1,x'));
  await until(() => !existsSync(path));
  producing.signal('SIGINT');
  t.is((await producing.ended).code, 0);
  t.deepEqual(await world.messages(), ['one=one,1,x@1']);
});

test('files of several folders are moved to a folder for each topic', async (t) => {
  const world = new ProduceWorld(t);
  const second = join(world.root, 'second');
  world.write('a.csv', readings('one,1,x'));
  world.write('a.csv', readings('two,2,x'), second);
  const line = `--events ${world.events} --events ${second} --move-done ${world.done}`;
  t.like(await world.good(t, line), { moved: 2 });
  t.is(readFileSync(join(world.done, 'readings', 'a.csv'), 'utf8'), readings('one,1,x'));
  t.is(readFileSync(join(world.done, 'readings-2', 'a.csv'), 'utf8'), readings('two,2,x'));
  // The same names again: those of the first folder are known to its topic alone.
  world.write('b.csv', readings('three,3,x'));
  world.write('a.csv', readings('two,2,x'), second);
  t.like(await world.good(t, line), { rows: 1, moved: 2 });
});

test('a folder of events cannot be the one for done files', async (t) => {
  const world = new ProduceWorld(t);
  mkdirSync(join(world.events, 'sub'));
  const { code, stderr } = await world.run(`--move-done ${join(world.events, 'sub', '..')}`);
  t.is(code, 2);
  t.true(stderr.includes('STREAMS_USAGE: --move-done'), stderr);
});

test('without brokers, folders or with a wrong speed the command says what it needs', async (t) => {
  const world = new ProduceWorld(t);
  t.is((await world.run('--speed fast')).code, 2);
  const { produceCommand } = await import('../../src/cli/produce-command.ts');
  const { run } = await import('./fixtures/run.ts');
  const line = `produce --events ${world.events}`;
  const unnamed = await run([produceCommand(world.spec)], line);
  t.is(unnamed.code, 2);
  t.true(unnamed.stderr.includes('--brokers'), unnamed.stderr);
  t.is((await run([produceCommand(world.spec)], 'produce --brokers localhost:1')).code, 2);
});

test('a position that the broker refuses ends the run, also where rows that it refuses are passed over', async (t) => {
  const world = new ProduceWorld(t);
  world.cluster.createTopic('readings', 1, forEver);
  // Too small for the position of a file, which has its path and a digest.
  const positions = { ...forEver, 'cleanup.policy': 'compact', 'max.message.bytes': '120' };
  world.cluster.createTopic('readings-produce-positions', 1, positions);
  world.write('a.csv', readings('one,1,x', 'two,2,x'));
  const runs = [];
  for (let run = 0; run < 2; run++) runs.push(await world.run('--set production.exception.handler=continue'));
  t.deepEqual(await world.messages(), []);
  for (const { code, stderr } of runs) {
    t.is(code, 1);
    t.true(stderr.includes('MESSAGE_TOO_LARGE'), stderr);
  }
});
