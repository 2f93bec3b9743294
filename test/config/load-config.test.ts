import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { expectTypeOf } from 'expect-type';
import { StreamsError } from '../../src/common/errors.ts';
import { originText } from '../../src/config/config.ts';
import type { ConfigSources } from '../../src/config/load-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
test.after.always(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function refused(sources: ConfigSources): string {
  try {
    loadConfig(sources);
  } catch (error) {
    if (StreamsError.is(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

test('without sources every setting has its default', (t) => {
  const config = loadConfig();
  t.is(config.get('application.id'), 'weir');
  t.is(config.get('client.id'), 'weir');
  t.is(config.get('state.dir'), '.data/state');
  t.is(config.get('commit.interval.ms'), 1000);
  t.is(config.get('commit.interval.records'), 1_000_000);
  t.is(config.get('statestore.cache.max.bytes'), 64 * 1024 * 1024);
  t.is(config.get('processing.guarantee'), 'exactly_once');
  t.is(config.get('max.future.ms'), 3_600_000);
  t.is(config.get('sync.writes'), true);
  t.is(config.get('application.server'), undefined);
  t.deepEqual(config.get('bootstrap.servers'), []);
  t.deepEqual(config.origin('state.dir'), { source: 'default', where: '' });
});

test('values have the types of their settings', (t) => {
  const config = loadConfig();
  expectTypeOf(config.get('commit.interval.ms')).toEqualTypeOf<number>();
  expectTypeOf(config.get('processing.guarantee')).toEqualTypeOf<'exactly_once' | 'at_least_once'>();
  expectTypeOf(config.get('application.server')).toEqualTypeOf<string | undefined>();
  t.pass();
});

test('the commit interval follows the runtime and the guarantee unless it is given', (t) => {
  const interval = (sources: ConfigSources): number => loadConfig(sources).get('commit.interval.ms');
  t.is(interval({ runtime: 'kafka' }), 100);
  t.is(interval({ runtime: 'kafka', flags: { 'processing.guarantee': 'at_least_once' } }), 30_000);
  t.is(interval({ flags: { 'processing.guarantee': 'at_least_once' } }), 1000);
  t.is(interval({ runtime: 'kafka', flags: { 'commit.interval.ms': '7' } }), 7);
});

test('a flag comes before the environment, which comes before the file, which comes before the default', (t) => {
  const path = file('order.yaml', 'commit.interval.ms: 1\nmax.future.ms: 1\nstate.dir: in-file\n');
  const env = { WEIR_COMMIT_INTERVAL_MS: '2', WEIR_MAX_FUTURE_MS: '2' };
  const config = loadConfig({ file: path, env, flags: { 'commit.interval.ms': '3' } });
  const shown = (['commit.interval.ms', 'max.future.ms', 'state.dir', 'num.stream.threads'] as const).map((name) => [
    config.get(name),
    originText(config.origin(name)),
  ]);
  t.deepEqual(shown, [
    [3, '--set'],
    [2, 'environment variable WEIR_MAX_FUTURE_MS'],
    ['in-file', `file ${path}`],
    [1, 'default'],
  ]);
});

test('an option of a setting ranks with --set, and both are refused', (t) => {
  const options = new Map([['state.dir', { flag: '--state', text: 's' }]] as const);
  const config = loadConfig({ options, env: { WEIR_STATE_DIR: 'e' } });
  t.is(config.get('state.dir'), 's');
  t.deepEqual(config.origin('state.dir'), { source: 'flag', where: '--state' });
  t.is(
    refused({ options, flags: { 'state.dir': 't' } }),
    'STREAMS_USAGE: --state and --set state.dir are the same setting: give one of them.',
  );
});

test('an unknown name is refused with the nearest one, wherever it stands', (t) => {
  t.is(
    refused({ flags: { 'commit.intervall.ms': '1' } }),
    'STREAMS_CONFIG: unknown setting "commit.intervall.ms" (--set). Did you mean commit.interval.ms?',
  );
  t.is(
    refused({ env: { WEIR_COMIT_INTERVAL_MS: '1' } }),
    'STREAMS_CONFIG: unknown environment variable WEIR_COMIT_INTERVAL_MS. Did you mean WEIR_COMMIT_INTERVAL_MS?',
  );
  const path = file('unknown.yaml', 'state:\n  dirr: x\n');
  t.is(refused({ file: path }), `STREAMS_CONFIG: unknown setting "state.dirr" (file ${path}). Did you mean state.dir?`);
  t.regex(refused({ flags: { commitIntervalMs: '1' } }), /Did you mean commit\.interval\.ms\?$/);
  t.regex(refused({ flags: { __proto__x: '1', constructor: '1' } }), /^STREAMS_CONFIG: unknown setting/);
});

test("Kafka Streams' older names lead to the present ones", (t) => {
  t.regex(refused({ flags: { 'cache.max.bytes.buffering': '1' } }), /Did you mean statestore\.cache\.max\.bytes\?$/);
  t.regex(
    refused({ flags: { 'default.production.exception.handler': 'fail' } }),
    /Did you mean production\.exception\.handler\?$/,
  );
});

test('a bad value is refused with its name, its origin and what was expected', (t) => {
  t.is(
    refused({ env: { WEIR_COMMIT_INTERVAL_MS: '1s' } }),
    'STREAMS_CONFIG: commit.interval.ms (environment variable WEIR_COMMIT_INTERVAL_MS) is "1s": expected a whole number of ms from 0 to 2147483647.',
  );
  t.is(
    refused({ flags: { 'processing.guarantee': 'twice' } }),
    'STREAMS_CONFIG: processing.guarantee (--set) is "twice": expected one of exactly_once, at_least_once, exactly_once_v2.',
  );
});

test('a bad value is refused although a higher source hides it', (t) => {
  t.regex(refused({ env: { WEIR_MAX_FUTURE_MS: 'x' }, flags: { 'max.future.ms': '5' } }), /WEIR_MAX_FUTURE_MS/);
});

test('variables that are no settings pass: an empty one, those of the frame, those of a program, those of others', (t) => {
  const env = {
    WEIR_STATE_DIR: '',
    WEIR_DEBUG: '1',
    WEIR_LOG_LEVEL: 'info',
    WEIR_CONFIG: 'x',
    WEIR_PORT: '1',
    PATH: '/bin',
    WEIRD: '1',
  };
  const config = loadConfig({ env, knownEnvironment: ['WEIR_PORT'] });
  t.is(config.origin('state.dir').source, 'default');
});

test('what nothing reads is refused: names for clients of a broker too', (t) => {
  for (const name of ['consumer.fetch.min.bytes', 'producer.compression.type', 'admin.retries', 'poll.ms'])
    t.is(
      refused({ flags: { [name]: '1' } }).replace(/ Did you mean .*\?$| config print .*$/, ''),
      `STREAMS_CONFIG: unknown setting "${name}" (--set).`,
    );
  t.regex(refused({ env: { WEIR_PRODUCER_ACKS: '1' } }), /unknown environment variable WEIR_PRODUCER_ACKS/);
});

test('a name that is near to none gets no hint but where all of them are', (t) => {
  t.is(
    refused({ flags: { 'group.protocol': '1' } }),
    'STREAMS_CONFIG: unknown setting "group.protocol" (--set). config print lists all settings.',
  );
});

test('a secret is refused on the command line', (t) => {
  for (const name of ['sasl.password', 'import.password']) {
    const message = refused({ flags: { [name]: 'hush' } });
    t.true(message.includes(`${name} is a secret`), message);
    t.false(message.includes('hush'));
  }
});

test('entries list every setting and hide secrets', (t) => {
  const entries = loadConfig({ flags: { 'max.future.ms': '5' }, env: { WEIR_SASL_PASSWORD: 'hush' } }).entries();
  t.true(entries.length > 20);
  t.deepEqual(
    entries.find(({ name }) => name === 'max.future.ms'),
    { name: 'max.future.ms', text: '5', origin: { source: 'flag', where: '--set' } },
  );
  t.is(entries.find(({ name }) => name === 'sasl.password')?.text, '(hidden)');
  t.is(entries.find(({ name }) => name === 'import.password')?.text, '');
});

test('the name of the application is that of the program, and other defaults follow it', (t) => {
  const config = loadConfig({ applicationId: 'grid' });
  t.is(config.get('application.id'), 'grid');
  t.is(config.get('client.id'), 'grid');
  t.is(config.get('late.topic.name'), 'grid-late');
  t.is(config.origin('application.id').source, 'default');
});

test('a heartbeat that is as rare as the session is long is refused, whichever of the two is given', (t) => {
  t.is(
    refused({ flags: { 'heartbeat.interval.ms': '45000' } }),
    'STREAMS_CONFIG: heartbeat.interval.ms (--set) is 45000: expected less than session.timeout.ms, which is 45000, and at most a third of it.',
  );
  t.is(
    refused({ flags: { 'session.timeout.ms': '6000' }, env: { WEIR_HEARTBEAT_INTERVAL_MS: '10000' } }),
    'STREAMS_CONFIG: heartbeat.interval.ms (environment variable WEIR_HEARTBEAT_INTERVAL_MS) is 10000: expected less than session.timeout.ms, which is 6000, and at most a third of it.',
  );
  t.is(refused({ flags: { 'session.timeout.ms': '6000', 'heartbeat.interval.ms': '5999' } }), 'accepted');
  // The default follows a short session.
  t.is(loadConfig({ flags: { 'session.timeout.ms': '300' } }).get('heartbeat.interval.ms'), 100);
});
