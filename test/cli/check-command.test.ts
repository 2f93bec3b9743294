import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Application, ApplicationSpec } from '../../src/cli/application.ts';
import { checkCommand } from '../../src/cli/check-command.ts';
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts';
import { csvFormat } from '../../src/files/csv-format.ts';
import { jsonSerde } from '../../src/serde/json-serde.ts';
import { stringSerde } from '../../src/serde/serdes.ts';
import { run } from './fixtures/run.ts';

interface Value {
  readonly atMs: number;
}

const application: Application = {
  topology(_settings, topics) {
    const builder = new StreamsBuilder();
    builder
      .stream(topics, { name: 'words', keySerde: stringSerde, valueSerde: jsonSerde<Value>() })
      .mapValues((value, key) => {
        if (key === 'bad') throw new Error('no such word');
        return value;
      })
      .groupByKey({ keySerde: stringSerde, valueSerde: jsonSerde<Value>() })
      .count({ name: 'by-word' });
    return builder.build();
  },
  format: () =>
    csvFormat({
      columns: { word: 'word', atMs: { column: 'at', time: 'epoch-ms' } },
      key: ({ word }) => word,
      value: ({ atMs }): Value => ({ atMs }),
      timestamp: ({ atMs }) => atMs,
    }),
};
const spec: ApplicationSpec = {
  ...{ name: 'words', version: '1', applicationId: 'words', topic: 'words', tables: [] },
  ...{ defaults: { zone: 'UTC', grace: '0' }, load: async () => application },
};

test('a row at which the topology fails is bad, and where a replay would stop at it the command ends with 3', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'weir-checked-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'words');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.csv'), 'word,at\na,5\nbad,6\nb,7\na,8\n');
  const check = (more = '') => run([checkCommand(spec)], `check ${folder} ${more}`);
  const stopped = await check();
  t.is(stopped.code, 3, stopped.stderr);
  t.regex(stopped.stderr, /a\.csv of \S+: a replay would stop at line 3, .*no such word/);
  t.regex(stopped.stdout, /^ {2}a\.csv +processing +1 +line 3 +.*no such word/m);
  t.regex(stopped.stdout, /^In all: 4 rows, 1 bad, 0 late, 1970-01-01 00:00:00 to 1970-01-01 00:00:00, 1 day$/m);
  t.regex(stopped.stdout, /^by-word +2 +2$/m);
  t.is((await check('--set processing.exception.handler=continue')).code, 0);
});
