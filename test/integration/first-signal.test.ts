import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../helpers/parts.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { madeData } from './helpers/made-data.ts';

/** What a user waits at most, ms, with room for a machine that has other things to do. */
const stopMs = 10_000;
const commitMs = 14_000;
const answerMs = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'weir-signal-'));
mkdirSync(join(folder, 'empty'));
let data = '';

const kafka = await KafkaPart.start({ throughProxy: true });
test.after.always(() => rm(folder, { recursive: true, force: true }));

let folders = 0;

/** A command, the code of its first SIGTERM, and its words where the brokers are at an address. */
interface Stopped {
  readonly name: string;
  readonly code: number;
  words(address: string): readonly string[];
}

const newFolder = (): string => join(folder, `f${++folders}`);
const eventsFolder = (): string => join(data, 'events');
const parkFolder = (): string => join(data, 'park');
const onBrokers: readonly Stopped[] = [
  {
    ...{ name: 'run', code: 0 },
    words: (at) => ['run', '--brokers', at, '--state', newFolder(), '--port', '0'],
  },
  {
    name: 'run to the end',
    code: 143,
    words: (at) => ['run', '--brokers', at, '--state', newFolder(), '--port', '0', '--until-caught-up'],
  },
  {
    name: 'produce',
    code: 143,
    words: (at) => ['produce', '--brokers', at, '--events', eventsFolder(), '--dead', newFolder()],
  },
  {
    ...{ name: 'produce --follow', code: 0 },
    words: (at) => ['produce', '--brokers', at, '--events', join(folder, 'empty'), '--follow', '--dead', newFolder()],
  },
  { name: 'sink', code: 0, words: (at) => ['sink', '--brokers', at, '--to', newFolder()] },
  { name: 'lag', code: 143, words: (at) => ['lag', '--brokers', at] },
  { name: 'lag --watch', code: 0, words: (at) => ['lag', '--brokers', at, '--watch', '1s'] },
  { name: 'reset', code: 143, words: (at) => ['reset', '--brokers', at] },
  { name: 'doctor', code: 143, words: (at) => ['doctor', '--brokers', at, '--state', newFolder()] },
  { name: 'park load', code: 143, words: (at) => ['park', 'load', '--brokers', at, '--park', parkFolder()] },
  { name: 'digest', code: 143, words: (at) => ['digest', '--brokers', at, '--application-id', 'grid'] },
  { name: 'query', code: 143, words: (at) => ['query', 'day', 'type', '--brokers', at, '--application-id', 'grid'] },
  {
    name: 'export',
    code: 143,
    words: (at) => ['export', '--out', newFolder(), '--brokers', at, '--application-id', 'grid'],
  },
];
const elsewhere: readonly Stopped[] = [
  { name: 'query --url', code: 143, words: (at) => ['query', 'day', 'type', '--url', `http://${at}`] },
  {
    name: 'park import',
    code: 143,
    words: (at) => ['park', 'import', '--from', `mysql://grid@${at}/parc`, '--state', newFolder()],
  },
  {
    ...{ name: 'park import --schedule', code: 0 },
    words: (at) => [
      ...['park', 'import', '--from', `postgres://grid@${at}/parc`, '--state', newFolder(), '--port', '0'],
      ...['--schedule', '* * * * * *'],
    ],
  },
];

/** Takes connections and says nothing, or cuts them at once. Resolves `seen` when somebody has connected. */
async function silentServer(t: ExecutionContext, cuts: boolean): Promise<{ address: string; seen: Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (cuts) socket.destroy();
    else sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, seen: once(server, 'connection') };
}

/** Starts a command that is gone at the end of the test. */
function start(t: ExecutionContext, words: readonly string[], env: Readonly<Record<string, string>> = {}): WeirProcess {
  const child = new WeirProcess(words, env);
  t.teardown(() => child.signal('SIGKILL'));
  return child;
}

/** Some at a time. */
async function inTurns<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const rest = [...all];
  const turns = Array.from({ length: 4 }, async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await act(next);
  });
  await Promise.all(turns);
}

async function endsAtFirstSignal(
  t: ExecutionContext,
  child: WeirProcess,
  code: number,
  limitMs: number,
): Promise<void> {
  const sent = performance.now();
  await child.signal('SIGTERM');
  const ended = await child.ended();
  const tookMs = performance.now() - sent;
  t.log(`${Math.round(tookMs)} ms`);
  t.is(ended, code, child.stderr);
  t.true(tookMs < limitMs, `${Math.round(tookMs)} ms\n${child.stderr}`);
}

test.serial('data is made', async (t) => {
  data = await madeData({ days: 3, eventsPerDay: 4000, damage: 0, late: false, seed: 7, meters: 20, concentrators: 4 });
  t.pass();
});

for (const { name, code, words } of [...onBrokers, ...elsewhere]) {
  test.serial(`the first SIGTERM ends ${name} that waits for a server that says nothing`, async (t) => {
    const { address, seen } = await silentServer(t, false);
    const child = start(t, words(address));
    await Promise.race([seen, child.ended()]);
    await endsAtFirstSignal(t, child, code, stopMs);
  });
}

for (const { name, code, words } of onBrokers) {
  if (name === 'doctor') continue; // It says which address does not answer, and has ended.
  test.serial(`the first SIGTERM ends ${name} that tries again and again to connect`, async (t) => {
    const { address, seen } = await silentServer(t, true);
    const child = start(t, words(address));
    await Promise.race([seen, child.ended()]);
    await endsAtFirstSignal(t, child, code, stopMs);
  });
}

test.serial('every command says in seconds that nobody listens at a mistyped port', async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  await inTurns(onBrokers, async ({ name, words }) => {
    const child = start(t, words(address));
    const began = performance.now();
    t.is(await child.ended(), 1, name);
    t.true(performance.now() - began < answerMs, name);
    t.true(`${child.stdout}${child.stderr}`.includes(address), child.stderr);
    if (name !== 'doctor') t.regex(child.stderr, /^STREAMS_BROKER: .*bootstrap\.servers.*ECONNREFUSED/m);
  });
});

test.serial('every command says in seconds that a name does not resolve', async (t) => {
  await inTurns(onBrokers, async ({ name, words }) => {
    const child = start(t, words('no-such-host.invalid:9092'));
    const began = performance.now();
    t.is(await child.ended(), 1, name);
    t.true(performance.now() - began < answerMs, name);
    t.regex(`${child.stdout}${child.stderr}`, /no-such-host\.invalid/);
  });
});

test.serial('serve and replay --follow end with 0 at the first SIGTERM', async (t) => {
  const state = newFolder();
  const replay = start(t, [
    'replay',
    '--events',
    eventsFolder(),
    '--park',
    parkFolder(),
    '--state',
    state,
    '--follow',
    '--serve',
    '--port',
    '0',
  ]);
  await replay.ready();
  await endsAtFirstSignal(t, replay, 0, stopMs);
  const serve = start(t, ['serve', '--state', state, '--port', '0']);
  await serve.ready();
  await endsAtFirstSignal(t, serve, 0, stopMs);
});

/** What the broker does when the signal comes. */
const brokerStates = {
  there: () => {},
  away: () => kafka.server.proxy!.refuse(),
  hanging: () => kafka.server.proxy!.freeze(),
};

kafka.test(
  'the topics of the tests are loaded',
  async (t) => {
    const brokers = ['--brokers', kafka.server.bootstrap];
    t.is(
      await start(t, [
        'produce',
        ...brokers,
        '--events',
        eventsFolder(),
        '--partitions',
        '2',
        '--dead',
        newFolder(),
      ]).ended(),
      0,
    );
    t.is(await start(t, ['park', 'load', ...brokers, '--park', parkFolder()]).ended(), 0);
  },
  test.serial,
);

for (const [state, become] of Object.entries(brokerStates)) {
  const there = state === 'there';
  const kafkaTest = (what: string, run: (t: ExecutionContext, at: string) => Promise<WeirProcess>): void =>
    kafka.test(
      `the first SIGTERM ends ${what} with 0 where the broker is ${state}`,
      async (t) => {
        t.teardown(() => {
          kafka.server.proxy!.accept();
          kafka.server.proxy!.thaw();
        });
        const child = await run(t, kafka.server.proxied!);
        become();
        await endsAtFirstSignal(t, child, 0, there ? stopMs : commitMs);
      },
      test.serial,
    );

  kafkaTest('run at work', async (t, at) => {
    const words = ['run', '--brokers', at, '--state', newFolder(), '--port', '0', '--application-id', newName('app')];
    const child = start(t, words);
    await child.ready();
    return child;
  });
  kafkaTest('run that has nothing to do', async (t, at) => {
    const empty = newName('empty');
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    await broker.admin.createTopics([{ topic: empty, partitions: 1, replicationFactor: -1, configs: {} }]);
    const words = ['run', '--brokers', at, '--state', newFolder(), '--port', '0', '--application-id', newName('app')];
    const child = start(t, [...words, '--topic', empty]);
    await child.ready();
    return child;
  });
  kafkaTest('produce --follow at work', async (t, at) => {
    const own = newFolder();
    await mkdir(own);
    const topic = newName('topic');
    const brokers = ['--brokers', at, '--topic', topic, '--partitions', '1'];
    const child = start(t, [
      'produce',
      ...brokers,
      '--events',
      own,
      '--follow',
      '--dead',
      newFolder(),
      '--log-level',
      'debug',
    ]);
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    await until('it has made its topics', async () => (await broker.admin.partitionCounts([topic])).has(topic));
    await writeFile(join(own, 'a.csv'), await firstFile());
    await until(
      'it has sent a row',
      async () => ((await broker.admin.offsets([{ topic, partition: 0 }], 'latest'))[0] ?? 0) > 0,
    );
    return child;
  });
  kafkaTest('sink at work', async (t, at) => {
    const to = newFolder();
    const child = start(t, ['sink', '--brokers', at, '--to', to, '--roll-after', '1s', '--group', newName('group')]);
    await until('it has written a file', () => {
      if (!child.running) throw new Error(child.stderr);
      return filesIn(to);
    });
    return child;
  });
  kafkaTest('lag --watch at work', async (t, at) => {
    const id = newName('app');
    const run = start(t, [
      'run',
      '--brokers',
      kafka.server.bootstrap,
      '--state',
      newFolder(),
      '--port',
      '0',
      '--application-id',
      id,
    ]);
    await run.ready();
    const child = start(t, ['lag', '--brokers', at, '--watch', '200ms', '--application-id', id]);
    await until('it has printed', () => child.stdout !== '');
    await run.stop();
    return child;
  });
}

async function firstFile(): Promise<string> {
  const [first] = (await readdir(eventsFolder())).sort();
  return readFile(join(eventsFolder(), first!), 'utf8');
}

async function filesIn(directory: string): Promise<boolean> {
  const found = await readdir(directory, { recursive: true }).catch(() => []);
  return found.length > 0;
}
