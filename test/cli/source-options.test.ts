import test from 'ava';
import { defineCommand } from '../../src/cli/command-spec.ts';
import { allSourceSettings, sourceOptions, sourceRequestOf } from '../../src/cli/source-options.ts';
import { run } from './fixtures/run.ts';

const read = defineCommand({
  name: 'read',
  summary: 'Read results',
  examples: ['grid read'],
  options: sourceOptions,
  kind: 'batch',
  settings: allSourceSettings,
  async run({ options, config, stdout }) {
    stdout.write(JSON.stringify(sourceRequestOf(options, config)));
  },
});

const request = async (line: string, env: Record<string, string> = {}): Promise<unknown> => {
  const { code, stdout, stderr } = await run([read], `read ${line}`, { env });
  return code === 0 ? JSON.parse(stdout) : `${code} ${stderr.trim()}`;
};

test('without an option the folder of the settings is read', async (t) => {
  t.deepEqual(await request(''), { kind: 'folders', directories: ['.data/state'] });
  t.deepEqual(await request('', { WEIR_STATE_DIR: '/a' }), { kind: 'folders', directories: ['/a'] });
  t.deepEqual(await request('--set state.dir=/b', { WEIR_STATE_DIR: '/a' }), { kind: 'folders', directories: ['/b'] });
});

test('--state may be given several times, and wins over the environment', async (t) => {
  t.deepEqual(await request('--state /b --state /c', { WEIR_STATE_DIR: '/a' }), {
    kind: 'folders',
    directories: ['/b', '/c'],
  });
});

test('an address and brokers are other places', async (t) => {
  t.deepEqual(await request('--url http://grid:8080/', { WEIR_STATE_DIR: '/a' }), {
    kind: 'url',
    url: 'http://grid:8080',
  });
  t.deepEqual(await request('--brokers a:1,b:2 --application-id counts'), { kind: 'changelogs' });
});

test('brokers of the environment are no wish to read from them', async (t) => {
  const env = { WEIR_BOOTSTRAP_SERVERS: 'a:1', WEIR_APPLICATION_ID: 'counts' };
  t.deepEqual(await request('--state /a', env), { kind: 'folders', directories: ['/a'] });
  t.deepEqual(await request('--url http://grid', env), { kind: 'url', url: 'http://grid' });
  t.deepEqual(await request('--brokers b:2', env), { kind: 'changelogs' });
});

for (const [line, message] of [
  [
    '--state /a --url http://b',
    /^2 STREAMS_USAGE: --state, --url and --brokers each say where the results are: give one/,
  ],
  ['--url http://b --brokers c:1', /^2 STREAMS_USAGE: --state, --url and --brokers each/],
  ['--state /a --brokers c:1', /^2 STREAMS_USAGE: --state, --url and --brokers each/],
  ['--set state.dir=/a --brokers c:1', /^2 STREAMS_USAGE: --state, --url and --brokers each/],
  ['--set state.dir=/a --state /b', /^2 STREAMS_USAGE: --state and --set state\.dir are the same setting/],
  ['--application-id counts', /^2 STREAMS_USAGE: --application-id says whose changelogs are read: give --brokers too/],
  ['--url grid:8080', /^2 STREAMS_USAGE: --url "grid:8080": expected an address such as http/],
  ['--url http://grid?x=1', /^2 STREAMS_USAGE: --url "http:\/\/grid\?x=1": expected an address/],
  ['--brokers grid', /^2 STREAMS_CONFIG: bootstrap\.servers \(--brokers\) is "grid"/],
] as const) {
  test(`${line} is refused`, async (t) => {
    t.regex(String(await request(line)), message);
  });
}

test('an empty --state is refused', async (t) => {
  const { code, stderr } = await run([read], 'read --state= ');
  t.is(code, 2);
  t.regex(stderr, /--state "": expected a path/);
});
