import test from 'ava';
import { expectTypeOf } from 'expect-type';
import type { CommandSpec } from '../../src/cli/command-spec.ts';
import { defineCommand } from '../../src/cli/command-spec.ts';
import { durationMs } from '../../src/cli/option-parsers.ts';
import { settingNames } from '../../src/config/settings.ts';
import { run } from './fixtures/run.ts';

const query: CommandSpec = defineCommand({
  name: 'query',
  summary: 'Ask a statistic',
  examples: ['grid query day commune --key 45234'],
  arguments: [
    { name: 'period', description: 'length of the windows', choices: ['day', 'week'] },
    { name: 'grouping', description: 'what is counted', optional: true },
    { name: 'keys', description: 'keys', variadic: true },
  ],
  options: [
    { flags: '-k, --key <key>', description: 'one key', env: 'WEIR_KEY' },
    { flags: '--max-age <length>', description: 'age', parse: durationMs, default: '24h' },
    { flags: '--grace <length>', description: 'grace', parse: durationMs },
    { flags: '--on-error <what>', description: 'handler', choices: ['continue', 'fail'], default: 'continue' },
    { flags: '--events <dir>', description: 'folders', repeatable: true, env: 'WEIR_EVENTS' },
    { flags: '--out <dir>', description: 'folder', required: true },
    { flags: '--follow', description: 'go on', env: 'WEIR_FOLLOW' },
    { flags: '--cache <bytes>', description: 'cache', setting: 'statestore.cache.max.bytes' },
  ],
  kind: 'batch',
  settings: settingNames,
  async run({ options, args, config, stdout }) {
    expectTypeOf(args.period).toEqualTypeOf<'day' | 'week'>();
    expectTypeOf(args.grouping).toEqualTypeOf<string | undefined>();
    expectTypeOf(args.keys).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.key).toEqualTypeOf<string | undefined>();
    expectTypeOf(options.maxAge).toEqualTypeOf<number>();
    expectTypeOf(options.grace).toEqualTypeOf<number | undefined>();
    expectTypeOf(options.onError).toEqualTypeOf<'continue' | 'fail'>();
    expectTypeOf(options.events).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.out).toEqualTypeOf<string>();
    expectTypeOf(options.follow).toEqualTypeOf<boolean>();
    expectTypeOf(options.cache).toEqualTypeOf<number>();
    const { key, maxAge, onError, events, follow, cache } = options;
    const origin = config.origin('statestore.cache.max.bytes');
    stdout.write(JSON.stringify({ args, key, maxAge, onError, events, follow, cache, origin }));
  },
});

async function ask(line: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run([query], line, { env });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function refused(line: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stderr } = await run([query], line, { env });
  return `${code} ${stderr}`;
}

test('options have values by their long names, and defaults are parsed too', async (t) => {
  const values = await ask('query day --out o');
  t.deepEqual(values.args, { period: 'day', keys: [] });
  t.like(values, { maxAge: 86_400_000, onError: 'continue', events: [], follow: false, cache: 67_108_864 });
  t.false('key' in values);
  const given = await ask('query week commune 1 2 --out o -k C:8 --max-age 1h --events a --events b --follow');
  t.like(given, { key: 'C:8', maxAge: 3_600_000, events: ['a', 'b'], follow: true });
  t.deepEqual(given.args, { period: 'week', grouping: 'commune', keys: ['1', '2'] });
});

test('the environment stands in for options that are not given', async (t) => {
  const env = { WEIR_KEY: 'C:9', WEIR_EVENTS: 'a,b', WEIR_FOLLOW: 'true' };
  t.like(await ask('query day --out o', env), { key: 'C:9', events: ['a', 'b'], follow: true });
  t.is((await ask('query day --out o --key C:8', env)).key, 'C:8');
  t.is(
    await refused('query day --out o', { WEIR_FOLLOW: 'maybe' }),
    '2 STREAMS_USAGE: WEIR_FOLLOW is "maybe": expected true or false.\n',
  );
});

test('an option of a setting is that setting, and its origin is the option', async (t) => {
  const values = await ask('query day --out o --cache 1MiB');
  t.is(values.cache, 1_048_576);
  t.deepEqual(values.origin, { source: 'flag', where: '--cache' });
  t.is((await ask('query day --out o', { WEIR_STATESTORE_CACHE_MAX_BYTES: '2MiB' })).cache, 2_097_152);
  t.regex(
    await refused('query day --out o --cache 1MiB --set statestore.cache.max.bytes=1'),
    /^2 STREAMS_USAGE: --cache and --set statestore\.cache\.max\.bytes are the same setting/,
  );
  t.regex(
    await refused('query day --out o --cache many'),
    /^2 STREAMS_CONFIG: statestore\.cache\.max\.bytes \(--cache\) is "many": expected a number of bytes/,
  );
});

test('bad values are usage errors that say what was expected', async (t) => {
  t.is(await refused('query day'), '2 STREAMS_USAGE: --out is missing.\n');
  t.is(
    await refused('query dya --out o'),
    '2 STREAMS_USAGE: period "dya": expected one of day, week. Did you mean day?\n',
  );
  t.is(
    await refused('query day --out o --on-error ignore'),
    '2 STREAMS_USAGE: --on-error "ignore": expected one of continue, fail.\n',
  );
  t.is(
    await refused('query day --out o --grace 24'),
    '2 STREAMS_USAGE: --grace "24": expected a length of time such as 24h, 90m or 1d12h.\n',
  );
  t.regex(await refused('query'), /^2 STREAMS_USAGE: missing required argument 'period'/);
});

test('an option that takes one value is refused when it is given twice: neither of the two is silently left out', async (t) => {
  t.is(
    await refused('query day --out o --key a --key b'),
    '2 STREAMS_USAGE: --key is given twice, as "a" and "b": give it once.\n',
  );
  t.regex(await refused('query day --out o --cache 1MiB --cache=2MiB'), /^2 STREAMS_USAGE: --cache is given twice/);
  t.regex(
    await refused('query day --out o --set commit.interval.ms=1 --set commit.interval.ms=2'),
    /^2 STREAMS_USAGE: --set commit\.interval\.ms is given twice: give it once\./,
  );
});

test('an option that means nothing without another one is refused alone; from the environment it waits for the other', async (t) => {
  const serving: CommandSpec = defineCommand({
    name: 'work',
    summary: 'works',
    examples: ['grid work'],
    options: [
      { flags: '--serve', description: 'serve' },
      { flags: '--port <n>', description: 'port', default: '8080', env: 'WEIR_PORT', needs: '--serve' },
    ],
    kind: 'batch',
    async run() {},
  });
  const alone = await run([serving], 'work --port 80');
  t.is(alone.code, 2);
  t.is(alone.stderr, 'STREAMS_USAGE: --port means nothing without --serve: give both, or neither.\n');
  t.is((await run([serving], 'work --port 80 --serve')).code, 0);
  t.is((await run([serving], 'work', { env: { WEIR_PORT: '80' } })).code, 0);
});
