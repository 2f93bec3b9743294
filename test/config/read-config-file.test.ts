import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readConfigFile } from '../../src/config/read-config-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-config-file-'));
test.after.always(() => rmSync(folder, { recursive: true }));

function read(name: string, content: string): Record<string, string> {
  const path = join(folder, name);
  writeFileSync(path, content);
  return Object.fromEntries(readConfigFile(path));
}

test('YAML keys may be dotted, nested or both', (t) => {
  const found = read(
    'a.yaml',
    '# mine\ncommit.interval.ms: 20\nstate:\n  dir: /var/lib/weir\nnum.stream:\n  threads: 2\n',
  );
  t.deepEqual(found, { 'commit.interval.ms': '20', 'state.dir': '/var/lib/weir', 'num.stream.threads': '2' });
});

test('JSON is read too, indented by tabs or spaces', (t) => {
  const expected = { 'poll.ms': '5', 'sync.writes': 'false', 'bootstrap.servers': 'a:1,b:2' };
  const value = { poll: { ms: 5 }, 'sync.writes': false, 'bootstrap.servers': ['a:1', 'b:2'] };
  t.deepEqual(read('a.json', JSON.stringify(value)), expected);
  t.deepEqual(read('b.json', JSON.stringify(value, null, '\t')), expected);
  t.deepEqual(read('c.json', `\uFEFF${JSON.stringify(value, null, 2)}`), expected);
});

test('values are the text that was written', (t) => {
  t.deepEqual(read('b.yaml', 'application.id: 007\nstate.dir: "no"\n'), { 'application.id': '007', 'state.dir': 'no' });
});

test('properties have comments, both separators, spaces and continued lines', (t) => {
  const found = read('a.properties', '# c\n! c\n\na.b=1\r\nc.d : x = y\ne.f  z\ng=one,\\\n   two\nempty=\n');
  t.deepEqual(found, { 'a.b': '1', 'c.d': 'x = y', 'e.f': 'z', g: 'one,two', empty: '' });
});

test('an empty file has no settings', (t) => {
  t.deepEqual(read('empty.yaml', ''), {});
  t.deepEqual(read('comment.yaml', '# nothing yet\n'), {});
});

test('a file that is missing, malformed or ambiguous is refused with its name', (t) => {
  const code = { code: 'STREAMS_CONFIG' };
  t.regex(
    t.throws(() => readConfigFile(join(folder, 'none.yaml')), code)!.message,
    /cannot read the configuration file .*none\.yaml: ENOENT/,
  );
  t.regex(t.throws(() => read('bad.yaml', 'a: [1\nb: 2'), code)!.message, /bad\.yaml: .* at line \d+, column \d+\.$/);
  t.regex(t.throws(() => read('list.yaml', '- a\n- b\n'), code)!.message, /list\.yaml: expected settings/);
  t.regex(
    t.throws(() => read('twice.yaml', 'a.b: 1\na:\n  b: 2\n'), code)!.message,
    /twice\.yaml: a\.b is given twice/,
  );
  t.regex(t.throws(() => read('same.yaml', 'a: 1\na: 2\n'), code)!.message, /same\.yaml: Map keys must be unique/);
  t.regex(
    t.throws(() => read('deep.yaml', 'a:\n  - b: 1\n'), code)!.message,
    /deep\.yaml: a must be one value or a list/,
  );
});
