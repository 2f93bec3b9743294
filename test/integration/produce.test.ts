import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { readToEnd } from '../../src/runtime/kafka/read-to-end.ts';
import { clockAt } from '../common/time/oracle.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { tryWeir, weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const kills = Number(process.env['CRASH_KILLS'] ?? 20);
const zone = 'Europe/Paris';
const folder = await mkdtemp(join(tmpdir(), 'weir-produce-'));
const kafka = await KafkaPart.start({ throughProxy: false });

const client = (): Broker => kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
const brokers = (): readonly string[] => ['--brokers', kafka.server.bootstrap];

/** A message as a text: `key value timestamp`. */
type Message = string;

/** What a reader gets of a topic, by partition, once no transaction is open. */
async function messagesOf(broker: Broker, topic: string): Promise<readonly (readonly Message[])[]> {
  const count = (await broker.admin.partitionCounts([topic])).get(topic) ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const ends = await broker.admin.offsets(partitions, 'latest');
  await until(`${topic} is stable`, async () =>
    (await broker.admin.offsets(partitions, 'stable')).every((end, i) => end >= ends[i]!),
  );
  const messages = partitions.map((): Message[] => []);
  await readToEnd(
    broker,
    partitions,
    ({ partition, length, bytes, keyStarts, keyEnds, valueStarts, valueEnds, timestamps }) => {
      for (let i = 0; i < length; i++) {
        const key = bytes.toString('utf8', keyStarts[i], keyEnds[i]);
        const value = bytes.toString('utf8', valueStarts[i], valueEnds[i]);
        messages[partition]!.push(`${key} ${value} ${timestamps[i]}`);
      }
    },
  );
  return messages;
}

/** Rows that are committed. */
async function committedRows(broker: Broker, topic: string): Promise<number> {
  const messages = await messagesOf(broker, topic).catch(() => []);
  return messages.reduce((sum, { length }) => sum + length, 0);
}

/** The rows of files without quotes and in the usual order of columns, as messages, in the order of the files. */
async function expectedOf(events: string): Promise<Message[]> {
  const messages: Message[] = [];
  for (const name of (await readdir(events)).sort()) {
    const rows = (await readFile(join(events, name), 'utf8')).split('\n');
    rows.forEach((row, line) => {
      if (line === 0 || row === '') return;
      const [, occurred, , , type, id] = row.split(',');
      messages.push(`${type}:${id} ${row} ${instantOf(occurred!)}`);
    });
  }
  return messages;
}

const known = new Map<string, number>();

/** The instant of a civil time: the offset of its hour is asked of Intl. */
function instantOf(civil: string): number {
  const hour = civil.slice(0, 13);
  let offset = known.get(hour);
  const asUtc = Date.parse(`${civil.replace(' ', 'T')}Z`);
  if (offset === undefined) {
    offset = [3_600_000, 7_200_000].find((ms) => clockAt(zone, asUtc - ms) === asUtc);
    if (offset === undefined) throw new Error(`no clock shows ${civil}`);
    known.set(hour, offset);
  }
  return asUtc - offset;
}

kafka.test(
  'the golden events are in the topic once, in the order of the files, each equipment in one partition',
  async (t) => {
    if (!existsSync(golden)) {
      t.log(`${golden} is not there: set GOLDEN_DATA`);
      t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
      return;
    }
    const topic = newName('golden');
    const out = await weir([
      ...['produce', ...brokers(), '--events', `${golden}/events`, '--topic', topic, '--partitions', '3'],
      ...['--dead', join(folder, 'golden.jsonl'), '--json'],
    ]);
    const expected = await expectedOf(`${golden}/events`);
    t.like(JSON.parse(out), { rows: expected.length, sent: expected.length, dead: 0, files: 48 });
    const broker = client();
    const messages = await messagesOf(broker, topic);
    const partitionOf = new Map<string, number>();
    for (const [partition, texts] of messages.entries())
      for (const text of texts) partitionOf.set(text.slice(0, text.indexOf(' ')), partition);
    t.true(messages.every(({ length }) => length > 0));
    for (const [partition, texts] of messages.entries()) {
      const wanted = expected.filter((text) => partitionOf.get(text.slice(0, text.indexOf(' '))) === partition);
      t.is(texts.length, wanted.length);
      t.is(
        texts.findIndex((text, i) => text !== wanted[i]),
        -1,
        `partition ${partition}`,
      );
    }
    const again = await weir([
      ...['produce', ...brokers(), '--events', `${golden}/events`, '--topic', topic],
      ...['--dead', join(folder, 'golden.jsonl'), '--json'],
    ]);
    t.like(JSON.parse(again), { rows: 0, sent: 0 });
    t.is(await committedRows(broker, topic), expected.length);
  },
  test.serial,
);

kafka.test(
  'a produce killed again and again leaves the topic and the letters of one that was not',
  async (t) => {
    t.timeout(15 * 60_000);
    const random = seededRandom(seed);
    t.log(`seed ${seed} (CRASH_SEED), ${kills} kills (CRASH_KILLS)`);
    const data = await madeData({ days: 20, eventsPerDay: 20_000, damage: 0.01, late: true, seed });
    const broker = client();
    const line = (topic: string, events: string): readonly string[] => [
      ...['produce', ...brokers(), '--events', events, '--topic', topic, '--partitions', '2'],
      ...['--dead', join(folder, `${topic}.jsonl`), '--move-done', join(folder, `${topic}-done`)],
      ...['--set', 'commit.interval.ms=20', '--json'],
    ];
    const freshEvents = async (topic: string): Promise<string> => {
      const events = join(folder, `${topic}-events`);
      await cp(join(data, 'events'), events, { recursive: true });
      return events;
    };
    const calm = newName('calm');
    await weir(line(calm, await freshEvents(calm)));
    const expected = await messagesOf(broker, calm);
    const total = expected[0]!.length + expected[1]!.length;
    const letters = await readFile(join(folder, `${calm}.jsonl`), 'utf8');
    const files = await readdir(join(folder, `${calm}-done`));
    t.is(files.length, 20);
    t.true(letters.split('\n').length > 1000);

    const check = async (topic: string): Promise<void> => {
      t.true(sameMessages(await messagesOf(broker, topic), expected), topic);
      t.true((await readFile(join(folder, `${topic}.jsonl`), 'utf8')) === letters, `letters of ${topic}`);
      t.deepEqual((await readdir(join(folder, `${topic}-done`))).sort(), files.sort());
      t.deepEqual(await readdir(join(folder, `${topic}-events`)), []);
    };
    let topic = newName('killed');
    let events = await freshEvents(topic);
    let inside = 0;
    let rounds = 0;
    for (let done = 0; done < kills; ) {
      const written = async (): Promise<number> => {
        const partitions = [0, 1].map((partition) => ({ topic, partition }));
        const ends = await broker.admin.offsets(partitions, 'latest').catch(() => [0, 0]);
        return ends[0]! + ends[1]!;
      };
      const before = await written();
      const producing = new WeirProcess(line(topic, events));
      while (producing.running && (await written()) === before) await delay(2);
      await delay(Math.floor(random() * 400));
      if (producing.running) {
        await producing.signal('SIGKILL');
        done++;
        const rows = await committedRows(broker, topic);
        t.log(`kill ${done}: ${rows} of ${total} rows committed`);
        if (rows > 0 && rows < total) inside++;
        if (rows < total) continue;
      }
      // It got to the end, or to the last commit: the rest is one more run, and the next round starts over.
      await weir(line(topic, events));
      await check(topic);
      rounds++;
      topic = newName('killed');
      events = await freshEvents(topic);
    }
    await weir(line(topic, events));
    await check(topic);
    t.log(`${kills} kills, ${inside} strictly inside, ${rounds + 1} whole rounds`);
    t.true(inside >= kills / 2, 'half of the kills are strictly inside');
    await rm(data, { recursive: true });
  },
  test.serial,
);

kafka.test(
  'a broker that is killed while files are sent is waited for, and nothing is lost or doubled',
  async (t) => {
    t.timeout(5 * 60_000);
    const data = await madeData({ days: 30, eventsPerDay: 20_000, damage: 0.001, late: true, seed });
    const words = (topic: string): readonly string[] => [
      ...['produce', ...brokers(), '--events', `${data}/events`, '--topic', topic, '--partitions', '2'],
      ...['--dead', join(folder, `${topic}.jsonl`), '--set', 'commit.interval.ms=20'],
    ];
    const [topic, calm] = [newName('broken'), newName('calm')];
    const broker = client();
    await weir(words(calm));
    const expected = await messagesOf(broker, calm);
    const total = expected[0]!.length + expected[1]!.length;
    const producing = new WeirProcess([...words(topic), '--follow']);
    t.teardown(() => producing.signal('SIGKILL'));
    await until('something is committed', async () => (await committedRows(broker, topic)) > 0);
    await kafka.server.kill('SIGKILL');
    await delay(1000);
    await kafka.server.restart();
    const rows = await committedRows(broker, topic);
    t.log(`${rows} of ${total} rows were committed when the broker came back`);
    await until('all is sent', async () => (await committedRows(broker, topic)) >= total);
    t.is(await producing.stop(), 0, producing.stderr);
    t.true(sameMessages(await messagesOf(broker, topic), expected));
    const letters = await Promise.all([topic, calm].map((name) => readFile(join(folder, `${name}.jsonl`), 'utf8')));
    t.true(letters[0] === letters[1]);
  },
  test.serial,
);

kafka.test(
  'a produce that is stopped for a while finds that another one has taken over, and ends',
  async (t) => {
    t.timeout(2 * 60_000);
    const topic = newName('taken');
    const events = join(folder, `${topic}-events`);
    await mkdir(events);
    const data = await madeData({ days: 4, eventsPerDay: 2000, damage: 0.01, late: false, seed });
    const names = (await readdir(`${data}/events`)).sort();
    const words = [
      ...['produce', ...brokers(), '--events', events, '--topic', topic, '--follow'],
      ...['--dead', join(folder, `${topic}.jsonl`)],
    ];
    const broker = client();
    const older = new WeirProcess(words);
    t.teardown(() => older.signal('SIGKILL'));
    await cp(`${data}/events/${names[0]}`, join(events, names[0]!));
    await until('the first file is sent', async () => (await committedRows(broker, topic)) > 1900);
    await older.signal('SIGSTOP');
    await cp(`${data}/events/${names[1]}`, join(events, names[1]!));
    const newer = new WeirProcess(words);
    t.teardown(() => newer.signal('SIGKILL'));
    await until('the second file is sent', async () => (await committedRows(broker, topic)) > 3800);
    await older.signal('SIGCONT');
    await cp(`${data}/events/${names[2]}`, join(events, names[2]!));
    t.is(await older.ended(), 1);
    t.true(older.stderr.includes('STREAMS_TASK_MIGRATED: another produce sends to this topic now'), older.stderr);
    await cp(`${data}/events/${names[3]}`, join(events, names[3]!));
    await until('all files are sent', async () => (await committedRows(broker, topic)) > 7700);
    t.is(await newer.stop(), 0, newer.stderr);
    const calm = newName('calm');
    await weir([
      ...['produce', ...brokers(), '--events', events, '--topic', calm, '--dead', join(folder, `${calm}.jsonl`)],
    ]);
    t.deepEqual(await messagesOf(broker, topic), await messagesOf(broker, calm));
    const letters = await Promise.all([topic, calm].map((name) => readFile(join(folder, `${name}.jsonl`), 'utf8')));
    t.is(letters[0], letters[1]);
  },
  test.serial,
);

kafka.test(
  'a park is loaded once, its corrections alone later, and --wait ends when they are applied',
  async (t) => {
    t.timeout(3 * 60_000);
    const [topic, parkTopic, application] = [newName('events'), newName('park'), newName('grid')];
    const data = await madeData({
      days: 3,
      eventsPerDay: 2000,
      damage: 0,
      late: false,
      seed,
      meters: 50,
      concentrators: 5,
    });
    const load = async (park: string, ...more: readonly string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await weir(['park', 'load', ...brokers(), '--park', park, '--topic', parkTopic, '--json', ...more]));
    const first = await load(`${data}/park`);
    t.like(first, { changed: 0, removed: 0, unchanged: 0 });
    t.true((first['added'] as number) > 40);
    t.like(await load(`${data}/park`), { added: 0, changed: 0, removed: 0, unchanged: first['added'] });
    await weir([
      ...['produce', ...brokers(), '--events', `${data}/events`, '--topic', topic, '--partitions', '2'],
      ...['--dead', join(folder, `${topic}.jsonl`)],
    ]);
    const running = new WeirProcess([
      ...['run', ...brokers(), '--topic', topic, '--park-topic', parkTopic, '--application-id', application],
      ...['--state', join(folder, `${application}-state`), '--port', '0'],
    ]);
    t.teardown(() => running.signal('SIGKILL'));
    await running.ready();
    // An empty park: every place is unknown.
    const none = join(folder, 'no-park');
    await cp(`${data}/park`, none, { recursive: true });
    for (const name of ['installation_c.csv', 'installation_k.csv']) {
      const text = await readFile(join(none, name), 'utf8');
      await writeFile(join(none, name), `${text.split('\n')[0]}\n`);
    }
    const wait = ['--wait', '--application-id', application];
    t.like(await load(none, ...wait), { removed: first['added'], waited: true });
    t.like(await load(`${data}/park`, ...wait), { changed: first['added'], waited: true });
    t.is(await running.stop(), 0, running.stderr);
    const late = await tryWeir([
      ...['park', 'load', ...brokers(), '--park', none, '--topic', parkTopic, ...wait, '--timeout', '1s'],
    ]);
    t.is(late.code, 1);
    t.true(late.stderr.includes('STREAMS_TIMEOUT: '), late.stderr);
  },
  test.serial,
);

/** Whether two topics hold the same; a difference of megabytes would be shown for ever. */
function sameMessages(a: readonly (readonly Message[])[], b: readonly (readonly Message[])[]): boolean {
  return (
    a.length === b.length &&
    a.every((texts, partition) => {
      const others = b[partition]!;
      return texts.length === others.length && texts.every((text, i) => text === others[i]);
    })
  );
}
