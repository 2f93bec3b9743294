import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { defineCommand } from '../../src/cli/command-spec.ts';
import { allSourceSettings, sourceOptions, sourceSettings } from '../../src/cli/source-options.ts';
import { settingNames, settings } from '../../src/config/settings.ts';
import { gridProgram } from '../../topologies/grid/program.ts';
import { run } from './fixtures/run.ts';

const count = defineCommand({
  name: 'count',
  summary: 'Count',
  examples: ['grid count'],
  options: [
    { flags: '--state <dir>', description: 'folder', setting: 'state.dir' },
    { flags: '--serve', description: 'serve' },
    { flags: '--port <n>', description: 'port', env: 'WEIR_PORT', needs: '--serve' },
    { flags: '--http-token <file>', description: 'token', setting: 'http.token.file', needs: '--serve' },
  ],
  settings: ['commit.interval.ms', 'http.hosts'],
  settingsFor: ({ serve }) => (serve ? ['commit.interval.ms', 'http.hosts'] : ['commit.interval.ms']),
  kind: 'batch',
  async run({ stdout }) {
    stdout.write('counted');
  },
});

const connect = defineCommand({
  name: 'connect',
  summary: 'Connect',
  examples: ['grid connect'],
  settings: settingNames,
  kind: 'batch',
  async run({ stdout }) {
    stdout.write('connected');
  },
});

test('a setting of the command line that the command does not read is refused by its name', async (t) => {
  const refused = async (line: string): Promise<string> => (await run([count], line)).stderr;
  t.is(
    await refused('count --set max.future.ms=5'),
    'STREAMS_USAGE: max.future.ms (--set) does nothing: count does not read it. Leave it out.\n',
  );
  t.is(
    await refused('count --set http.hosts=a'),
    'STREAMS_USAGE: http.hosts (--set) does nothing: count does not read it with these options. Leave it out.\n',
  );
  t.is((await run([count], 'count --set max.future.ms=5')).code, 2);
  t.is(await refused('count --serve --set http.hosts=a --set commit.interval.ms=5 --state s'), '');
});

test('settings of the environment and of a file that the command does not read are named in one warning', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-idle-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'grid.yaml');
  await writeFile(file, 'max.future.ms: 5\ncommit.interval.ms: 7\n');
  const { code, stdout, stderr } = await run([count], `count --config ${file}`, { env: { WEIR_CLIENT_ID: 'me' } });
  t.is(`${code} ${stdout}`, '0 counted');
  const [line, ...more] = stderr.trim().split('\n');
  t.deepEqual(more, []);
  const { level, msg } = JSON.parse(line!) as { level: unknown; msg: string };
  t.is(level, 'warn');
  t.is(
    msg,
    `client.id (environment variable WEIR_CLIENT_ID), max.future.ms (file ${file}) do nothing: count does not read it`,
  );
});

test('what depends on another setting that is not as it must be does nothing', async (t) => {
  const one = await run([connect], 'connect --set sasl.username=me');
  t.is(
    `${one.code} ${one.stderr}`,
    '2 STREAMS_USAGE: sasl.username (--set) does nothing: security.protocol is plaintext, and not sasl_plaintext or sasl_ssl. Leave it out.\n',
  );
  const env = { WEIR_SASL_PASSWORD: 'secret', WEIR_SSL_CA_FILE: 'ca.pem' };
  const ssl = await run([connect], 'connect --set security.protocol=ssl', { env });
  t.is(ssl.code, 0);
  t.regex(
    ssl.stderr,
    /sasl\.password \(environment variable WEIR_SASL_PASSWORD\) does nothing: security\.protocol is ssl/,
  );
  t.notRegex(ssl.stderr, /ssl\.ca\.file|secret/);
  t.is((await run([connect], 'connect --set security.protocol=sasl_ssl', { env })).stderr, '');
});

test('every setting that depends on another names values that this one has', (t) => {
  const dependent = settingNames.filter((name) => settings[name].onlyWith !== undefined);
  t.is(dependent.length, 8);
  for (const name of dependent) {
    const { setting, values } = settings[name].onlyWith!;
    for (const value of values) t.is(settings[setting].type.read(value), value as never);
  }
});

test('options that serve mean nothing without what serves, and the environment may give that', async (t) => {
  const alone = await run([count], 'count --http-token f');
  t.is(alone.stderr, 'STREAMS_USAGE: --http-token means nothing without --serve: give both, or neither.\n');
  const sink = defineCommand({
    ...count,
    options: [
      { flags: '--port <n>', description: 'port', env: 'WEIR_PORT' },
      { flags: '--host <address>', description: 'host', needs: '--port' },
    ],
  });
  t.is((await run([sink], 'count --host a', { env: { WEIR_PORT: '1' } })).code, 0);
  t.is((await run([sink], 'count --host a')).code, 2);
});

const read = defineCommand({
  name: 'read',
  summary: 'Read results',
  examples: ['grid read'],
  options: sourceOptions,
  settings: allSourceSettings,
  settingsFor: sourceSettings,
  kind: 'batch',
  async run() {},
});

test('those who read results read the settings of the place where these are', async (t) => {
  const codes = async (place: string): Promise<readonly number[]> => {
    const given = ['client.id=me', 'http.token.file=f', 'max.future.ms=5'];
    return Promise.all(given.map(async (each) => (await run([read], `read ${place} --set ${each}`)).code));
  };
  t.deepEqual(await codes('--state s'), [2, 2, 2]);
  t.deepEqual(await codes('--url http://a:1'), [2, 0, 2]);
  t.deepEqual(await codes('--brokers a:1'), [0, 2, 2]);
});

for (const { name, settings: given = [], settingsFor } of gridProgram.commands) {
  if (settingsFor === undefined) continue;
  test(`${name} names all that it reads with some of its options`, (t) => {
    const known = new Set(given);
    const texts = ['serve', 'to', 'wait', 'schedule', 'copyTo', 'refill', 'port'];
    const config = {
      get: (setting: keyof typeof settings) => (setting === 'bootstrap.servers' ? [] : 'exactly_once'),
      origin: () => ({ source: 'default', where: '' }),
    };
    for (const chosen of [undefined, ...texts]) {
      const options = { state: [], ...(chosen === undefined ? {} : { [chosen]: true }) };
      for (const each of settingsFor(options as never, config as never)) t.true(known.has(each), each);
    }
  });
}
