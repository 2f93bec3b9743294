import test from 'ava';
import { expectTypeOf } from 'expect-type';
import type { ConfigOptions } from '../../src/config/config-options.ts';
import { configOf } from '../../src/config/config-options.ts';

test('a program gives settings in camel case', (t) => {
  const config = configOf({
    applicationId: 'counts',
    commitIntervalMs: 20,
    statestoreCacheMaxBytes: 1024,
    syncWrites: false,
    bootstrapServers: ['a:1', 'b:2'],
  });
  t.is(config.get('application.id'), 'counts');
  t.is(config.get('commit.interval.ms'), 20);
  t.is(config.get('statestore.cache.max.bytes'), 1024);
  t.is(config.get('sync.writes'), false);
  t.deepEqual(config.get('bootstrap.servers'), ['a:1', 'b:2']);
  t.is(config.get('poll.ms'), 100);
  t.is(config.origin('commit.interval.ms').source, 'program');
  t.is(config.origin('poll.ms').source, 'default');
});

test('options have the types of their settings', (t) => {
  expectTypeOf<ConfigOptions['commitIntervalMs']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<ConfigOptions['processingGuarantee']>().toEqualTypeOf<'exactly_once' | 'at_least_once' | undefined>();
  t.is(configOf({}, 'kafka').get('commit.interval.ms'), 100);
});

test('a bad value is refused, and an option that does not exist is a mistake', (t) => {
  t.throws(() => configOf({ commitIntervalMs: -1 }), {
    code: 'STREAMS_CONFIG',
    message: /^commit\.interval\.ms \(program\) is "-1"/,
  });
  t.throws(() => configOf({ commitInterval: 1 } as ConfigOptions), { instanceOf: TypeError });
});
