import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import test from 'ava';
import { runCli } from '../../src/cli/cli.ts';
import type { CommandSpec } from '../../src/cli/command-spec.ts';
import { defineCommand } from '../../src/cli/command-spec.ts';
import { jsonOption } from '../../src/cli/option-spec.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { settingNames } from '../../src/config/settings.ts';
import { Kept, run } from './fixtures/run.ts';

const replay = defineCommand({
  name: 'replay',
  summary: 'Replay files',
  description: 'Replays a folder of files into a state.',
  examples: ['grid replay --events data/events --state .data/state'],
  options: [
    { flags: '--events <dir>', description: 'folder of event files', repeatable: true },
    { flags: '--state <dir>', description: 'folder of the state', setting: 'state.dir' },
    { flags: '--port <number>', description: 'port to serve at', default: '8080', env: 'WEIR_PORT' },
    jsonOption,
  ],
  kind: 'batch',
  settings: settingNames,
  async run({ options, config, stdout }) {
    stdout.write(`${JSON.stringify({ ...options, interval: config.get('commit.interval.ms') })}\n`);
  },
});

function doing(work: CommandSpec['run'], kind: CommandSpec['kind'] = 'batch'): CommandSpec {
  return { name: 'work', summary: 'Work', examples: ['grid work'], kind, run: work };
}

function throwing(error: unknown): CommandSpec {
  return doing(async () => {
    throw error;
  });
}

test('a command gets its options, its settings and writes results to stdout alone', async (t) => {
  const { code, stdout, stderr } = await run(
    [replay],
    'replay --events a --events b --state s --set commit.interval.ms=20',
  );
  t.is(code, 0);
  t.is(stderr, '');
  const { events, state, port, json, interval } = JSON.parse(stdout);
  t.deepEqual(
    { events, state, port, json, interval },
    { events: ['a', 'b'], state: 's', port: '8080', json: false, interval: 20 },
  );
});

test('the help of a command has its description, examples, defaults and variables', async (t) => {
  const { code, stdout } = await run([replay], 'replay --help');
  t.is(code, 0);
  t.regex(stdout, /Replays a folder of files into a state\./);
  t.regex(stdout, /Examples:\n {2}grid replay --events data\/events --state \.data\/state\n/);
  const oneLine = stdout.replace(/\s+/g, ' ');
  t.regex(oneLine, /--port <number> port to serve at \(default: 8080; env: WEIR_PORT\)/);
  t.regex(oneLine, /--state <dir> .*\(default: \.data\/state; setting: state\.dir; env: WEIR_STATE_DIR\)/);
  t.regex(
    oneLine,
    /Common options: --set <name=value>.* --config <file>.*env: WEIR_CONFIG.* --log-level <level>.*WEIR_LOG_LEVEL/,
  );
});

test('the help of the program lists its commands and groups, and says where settings come from', async (t) => {
  const show = { ...doing(async () => {}), name: 'park show', summary: 'Show the park' };
  const { stdout } = await run([replay, show], '--help', { groups: { park: 'The park of meters' } });
  t.regex(stdout, /replay \[options\] +Replay files/);
  t.regex(stdout, /park +The park of meters/);
  t.regex(stdout, /WEIR_COMMIT_INTERVAL_MS/);
  t.regex((await run([show], 'park --help')).stdout, /show \[options\] +Show the park/);
});

test('a command of a group runs', async (t) => {
  const show = { ...doing(async ({ stdout }) => stdout.write('shown\n')), name: 'park show' };
  t.is((await run([show], 'park show')).stdout, 'shown\n');
});

test('--version prints the version', async (t) => {
  t.deepEqual(await run([replay], '--version'), { code: 0, stdout: '1.2.3\n', stderr: '' });
});

test('without a command, help goes to stderr and the exit code is 2', async (t) => {
  const { code, stdout, stderr } = await run([replay], '');
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /Usage: grid/);
});

test('an unknown option is one line with the nearest one, and exits 2', async (t) => {
  const { code, stdout, stderr } = await run([replay], 'replay --evnets a');
  t.is(code, 2);
  t.is(stdout, '');
  t.is(stderr, "STREAMS_USAGE: unknown option '--evnets'. Did you mean --events? See grid replay --help.\n");
});

test('an unknown command is one line with the nearest one, and exits 2', async (t) => {
  const { code, stderr } = await run([replay], 'relpay --events a');
  t.is(code, 2);
  t.is(stderr, "STREAMS_USAGE: unknown command 'relpay'. Did you mean replay? See grid --help.\n");
});

test('too many arguments and a missing value are usage errors', async (t) => {
  t.regex((await run([replay], 'replay more')).stderr, /^STREAMS_USAGE: too many arguments/);
  const { code, stderr } = await run([replay], 'replay --events');
  t.is(code, 2);
  t.regex(stderr, /^STREAMS_USAGE: option '--events <dir>' argument missing\. See grid replay --help\.\n$/);
});

test('a bad setting is a configuration error and exits 2', async (t) => {
  const { code, stderr } = await run([replay], 'replay --set commit.intervall.ms=20');
  t.is(code, 2);
  t.is(stderr, 'STREAMS_CONFIG: unknown setting "commit.intervall.ms" (--set). Did you mean commit.interval.ms?\n');
});

test('--set without a value is a usage error', async (t) => {
  t.is((await run([replay], 'replay --set abc')).stderr, 'STREAMS_USAGE: --set "abc": expected NAME=VALUE.\n');
});

test('a misspelt variable is refused, one of another command is not', async (t) => {
  const env = { WEIR_PORT: '1', WEIR_STATE_DIRR: 'x' };
  t.is(
    (await run([replay], 'replay', { env })).stderr,
    'STREAMS_CONFIG: unknown environment variable WEIR_STATE_DIRR. Did you mean WEIR_STATE_DIR?\n',
  );
  t.is((await run([replay, doing(async () => {})], 'work', { env: { WEIR_PORT: '1' } })).code, 0);
});

test('a coded error is one line and exits with the code of its kind', async (t) => {
  const locked = new StreamsError('STREAMS_STATE_STORE_LOCKED', 'another process has the folder.\nClose it.');
  t.deepEqual(await run([throwing(locked)], 'work'), {
    code: 3,
    stdout: '',
    stderr: 'STREAMS_STATE_STORE_LOCKED: another process has the folder. Close it.\n',
  });
});

test('an error without a code is INTERNAL, exits 1 and brings its stack only when debugging', async (t) => {
  const plain = await run([throwing(new Error('odd'))], 'work');
  t.deepEqual(plain, { code: 1, stdout: '', stderr: 'INTERNAL: odd\n' });
  for (const debugging of [
    run([throwing(new Error('odd'))], 'work', { env: { WEIR_DEBUG: '1' } }),
    run([throwing(new Error('odd'))], 'work --log-level debug'),
  ]) {
    t.regex((await debugging).stderr, /^INTERNAL: odd\nError: odd\n +at /);
  }
});

test('a programming mistake always brings its stack', async (t) => {
  const { code, stderr } = await run([throwing(new TypeError('no such thing'))], 'work');
  t.is(code, 1);
  t.regex(stderr, /^INTERNAL: no such thing\nTypeError: no such thing\n +at /);
});

test('a number that a command returns is the exit code', async (t) => {
  t.is((await run([doing(async () => 1)], 'work')).code, 1);
});

test('a command that gives a number keeps it although it was signalled', async (t) => {
  const signals = new EventEmitter();
  const work = doing(async () => {
    signals.emit('SIGINT', 'SIGINT');
    return 0;
  });
  t.is((await run([work], 'work', { signals })).code, 0);
});

test('an error after a signal is still an error', async (t) => {
  const signals = new EventEmitter();
  const work = doing(async () => {
    signals.emit('SIGINT', 'SIGINT');
    throw new StreamsError('STREAMS_STATE_STORE_WRITE', 'the disk is full');
  });
  const { code, stderr } = await run([work], 'work', { signals });
  t.is(code, 1);
  t.regex(stderr, /STREAMS_STATE_STORE_WRITE: the disk is full\n$/);
});

test('the kind can follow from the options', async (t) => {
  const signals = new EventEmitter();
  const work: CommandSpec = {
    ...doing(async () => {
      signals.emit('SIGTERM', 'SIGTERM');
    }),
    options: [{ flags: '--follow', description: 'go on' }],
    kindFor: ({ follow }) => (follow === true ? 'continuous' : 'batch'),
  };
  t.is((await run([work], 'work', { signals })).code, 143);
  t.is((await run([work], 'work --follow', { signals })).code, 0);
});

test('signals are left to others after the run', async (t) => {
  const signals = new EventEmitter();
  await run([doing(async () => {})], 'work', { signals });
  t.is(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM'), 0);
});

test('results that cannot be written are an error', async (t) => {
  const full = new Writable({
    write: (_, __, done) => done(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })),
  });
  const stderr = new Kept();
  const work = doing(async ({ stdout }) => {
    stdout.write('result\n');
    await stdout.flush();
  });
  const code = await runCli({
    name: 'grid',
    version: '1',
    description: 'd',
    commands: [work],
    argv: ['work'],
    env: {},
    stdout: full as never,
    stderr,
    signals: new EventEmitter(),
  });
  t.is(code, 1);
  t.is(stderr.text, 'STREAMS_FILE: cannot write results: ENOSPC: no space left.\n');
});

test('logs are JSON lines on stderr, plain lines on a terminal, and follow the level', async (t) => {
  const work = doing(async ({ logger }) => {
    logger.debug({}, 'unseen');
    logger.warn({ task: '0_0', count: 3 }, 'late records');
  });
  const { stdout, stderr } = await run([work], 'work');
  t.is(stdout, '');
  const { level, msg, task, count } = JSON.parse(stderr);
  t.deepEqual({ level, msg, task, count }, { level: 'warn', msg: 'late records', task: '0_0', count: 3 });
  const terminal = await run([work], 'work', { isTTY: true, env: { NO_COLOR: '1' } });
  t.regex(terminal.stderr, /^\d\d:\d\d:\d\d\.\d{3} WARN {2}late records task=0_0 count=3\n$/);
  t.is((await run([work], 'work --log-level silent')).stderr, '');
});

test('news is not logged unless it is asked for', async (t) => {
  const work = doing(async ({ logger }) => logger.info({}, 'going on'));
  t.is((await run([work], 'work')).stderr, '');
  t.is(JSON.parse((await run([work], 'work --log-level info')).stderr).msg, 'going on');
  t.is(JSON.parse((await run([work], 'work', { env: { WEIR_LOG_LEVEL: 'info' } })).stderr).msg, 'going on');
});

test('colours are for terminals, and NO_COLOR turns them off', async (t) => {
  const bad = throwing(new StreamsError('STREAMS_TIMEOUT', 'late'));
  const csi = '\u001B[';
  t.true((await run([bad], 'work', { isTTY: true })).stderr.includes(csi));
  t.false((await run([bad], 'work', { isTTY: true, env: { NO_COLOR: '1' } })).stderr.includes(csi));
  t.false((await run([bad], 'work')).stderr.includes(csi));
  t.true((await run([bad], '--help', { isTTY: true })).stdout.includes(csi));
  t.false((await run([bad], '--help', { isTTY: true, env: { NO_COLOR: '1' } })).stdout.includes(csi));
});

test('a mistake in the description of a command is a TypeError with its stack', async (t) => {
  const nameless = { ...doing(async () => {}), examples: [] };
  t.regex((await run([nameless], 'work')).stderr, /^INTERNAL: command work needs an example\nTypeError/);
});
