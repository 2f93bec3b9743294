import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { Letters } from '../../src/files/letters.ts';

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-letters-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const letter = (line: number, raw: string | Buffer = 'row', file = 'a.csv') => ({
  file,
  line,
  offset: line * 10,
  raw: Buffer.from(raw),
});

test('a letter is one JSON line with file, line, offset, reason, message and the raw bytes in base64', async (t) => {
  const path = join(temporaryFolder(t), 'deep', 'dead.jsonl');
  const letters = await Letters.open(path);
  letters.append(letter(2, Buffer.from([0x00, 0xff, 0x2c])), 'utf8', 'not UTF-8');
  letters.append(letter(3, 'x,"y"', 'é "1".csv'), 'columns', 'the "row"\nhas 2 fields');
  await letters.sync();
  t.is(
    readFileSync(path, 'utf8'),
    '{"file":"a.csv","line":2,"offset":20,"reason":"utf8","message":"not UTF-8","raw":"AP8s"}\n' +
      '{"file":"é \\"1\\".csv","line":3,"offset":30,"reason":"columns","message":"the \\"row\\"\\nhas 2 fields","raw":"eCwieSI="}\n',
  );
  t.is(letters.length, statSync(path).size);
  await letters.close();
});

test('what stands behind the committed length is cut off when the letters start', async (t) => {
  const path = join(temporaryFolder(t), 'dead.jsonl');
  const first = await Letters.open(path);
  first.append(letter(1), 'id', 'no id');
  await first.sync();
  const committed = first.length;
  first.append(letter(2), 'id', 'no id');
  await first.sync();
  await first.close();
  appendFileSync(path, '{"file":"torn');
  const second = await Letters.open(path);
  await second.cutTo(committed);
  await second.cutTo(0);
  t.true(statSync(path).size > committed, 'another feed may still name a greater length');
  await second.start();
  t.is(statSync(path).size, committed);
  second.append(letter(3), 'id', 'no id');
  await second.sync();
  await second.close();
  t.deepEqual(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).line),
    [1, 3],
  );
});

test('without a commit nothing of the file stays', async (t) => {
  const path = join(temporaryFolder(t), 'dead.jsonl');
  writeFileSync(path, '{"file":"a.csv","line":1,"offset":0,"reason":"id","raw":""}\n');
  const letters = await Letters.open(path);
  await letters.start();
  t.is(statSync(path).size, 0);
  await letters.close();
});

test('a file that is shorter than its committed length is refused', async (t) => {
  const letters = await Letters.open(join(temporaryFolder(t), 'dead.jsonl'));
  const error = await t.throwsAsync(letters.cutTo(7));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /is 0 bytes long, but 7 bytes/);
  await letters.close();
});

test('a file that holds something else is refused and left alone', async (t) => {
  const path = join(temporaryFolder(t), 'events.csv');
  writeFileSync(path, 'id,at\n1,1\n');
  const error = await t.throwsAsync(Letters.open(path));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.is(readFileSync(path, 'utf8'), 'id,at\n1,1\n');
});

test('a folder that cannot be written is an error of the file', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const error = await t.throwsAsync(Letters.open(join(folder, 'file', 'dead.jsonl')));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.false(existsSync(join(folder, 'file', 'dead.jsonl')));
});

test('a flood of letters is written before the commit, and the length counts it at the commit', async (t) => {
  const path = join(temporaryFolder(t), 'dead.jsonl');
  const letters = await Letters.open(path);
  await letters.start();
  for (let line = 0; line < 5000; line++) letters.append(letter(line), 'columns', '1 field');
  t.true(statSync(path).size > 0);
  await Promise.all([letters.sync(), letters.sync()]);
  t.is(letters.length, statSync(path).size);
  t.is(readFileSync(path, 'utf8').split('\n').length, 5001);
  await letters.close();
});
