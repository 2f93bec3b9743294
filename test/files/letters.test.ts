import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

const owner = { name: 'a' };

const letter = (line: number, raw: string | Buffer = 'row', file = 'a.csv') => ({
  file,
  line,
  offset: line * 10,
  raw: Buffer.from(raw),
});

test('a letter is one JSON line with file, line, offset, reason, message and the raw bytes in base64', async (t) => {
  const path = join(temporaryFolder(t), 'deep', 'dead.jsonl');
  const letters = await Letters.open(path, owner);
  t.teardown(() => letters.close());
  letters.append(letter(2, Buffer.from([0x00, 0xff, 0x2c])), 'utf8', 'not UTF-8');
  letters.append(letter(3, 'x,"y"', 'é "1".csv'), 'columns', 'the "row"\nhas 2 fields');
  await letters.sync();
  t.is(
    readFileSync(path, 'utf8'),
    '{"file":"a.csv","line":2,"offset":20,"reason":"utf8","message":"not UTF-8","raw":"AP8s"}\n' +
      '{"file":"é \\"1\\".csv","line":3,"offset":30,"reason":"columns","message":"the \\"row\\"\\nhas 2 fields","raw":"eCwieSI="}\n',
  );
  t.is(letters.length, statSync(path).size);
});

test('what stands behind the committed length is cut off when the letters start', async (t) => {
  const path = join(temporaryFolder(t), 'dead.jsonl');
  const first = await Letters.open(path, owner);
  first.append(letter(1), 'id', 'no id');
  await first.sync();
  const committed = first.length;
  first.append(letter(2), 'id', 'no id');
  await first.sync();
  await first.close();
  appendFileSync(path, '{"file":"torn');
  const second = await Letters.open(path, owner);
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
  writeFileSync(`${path}.owner`, 'named a\n');
  writeFileSync(path, '{"file":"a.csv","line":1,"offset":0,"reason":"id","raw":""}\n');
  const letters = await Letters.open(path, owner);
  t.teardown(() => letters.close());
  await letters.start();
  t.is(statSync(path).size, 0);
});

test('a file that is shorter than its committed length is refused', async (t) => {
  const letters = await Letters.open(join(temporaryFolder(t), 'dead.jsonl'), owner);
  t.teardown(() => letters.close());
  const error = await t.throwsAsync(letters.cutTo(7));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.regex(error!.message, /is 0 bytes long, but 7 bytes/);
});

test('a file that holds something else is refused and left alone', async (t) => {
  const path = join(temporaryFolder(t), 'events.csv');
  writeFileSync(path, 'id,at\n1,1\n');
  const error = await t.throwsAsync(Letters.open(path, owner));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.is(readFileSync(path, 'utf8'), 'id,at\n1,1\n');
});

test('a folder that cannot be written is an error of the file', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const error = await t.throwsAsync(Letters.open(join(folder, 'file', 'dead.jsonl'), owner));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.false(existsSync(join(folder, 'file', 'dead.jsonl')));
});

test('a flood of letters is written before the commit, and the length counts it at the commit', async (t) => {
  const path = join(temporaryFolder(t), 'dead.jsonl');
  const letters = await Letters.open(path, owner);
  t.teardown(() => letters.close());
  await letters.start();
  for (let line = 0; line < 5000; line++) letters.append(letter(line), 'columns', '1 field');
  t.true(statSync(path).size > 0);
  await Promise.all([letters.sync(), letters.sync()]);
  t.is(letters.length, statSync(path).size);
  t.is(readFileSync(path, 'utf8').split('\n').length, 5001);
});

/** A state folder that has been written to. */
function stateFolder(path: string): { readonly state: string } {
  mkdirSync(join(path, 'db'), { recursive: true });
  return { state: path };
}

/** Opens letters, writes one, and commits it. */
async function oneLetter(path: string, own: { readonly state: string }, committed = 0): Promise<number> {
  const letters = await Letters.open(path, own);
  try {
    await letters.cutTo(committed);
    letters.append(letter(1), 'id', 'no id');
    await letters.sync();
    return letters.length;
  } finally {
    await letters.close();
  }
}

const refused = { code: 'STREAMS_INPUT_REFUSED' };

test('a second state is refused the letters of a first, which keeps them; also while the first has none, and while it is open', async (t) => {
  const folder = temporaryFolder(t);
  const [one, two] = [stateFolder(join(folder, 'one')), stateFolder(join(folder, 'deep', 'two'))];
  for (const path of [join(folder, 'dead.jsonl'), join(folder, 'one', 'dead.jsonl')]) {
    const length = await oneLetter(path, one);
    const before = readFileSync(path);
    const error = await t.throwsAsync(oneLetter(path, two), refused);
    t.true(error!.message.includes(one.state) && error!.message.includes('--dead'));
    // Nor if it knows of letters in a file of this name.
    await t.throwsAsync(oneLetter(path, two, 10), refused);
    t.true(readFileSync(path).equals(before));
    t.true((await oneLetter(path, one, length)) > length);
  }
  const path = join(folder, 'empty.jsonl');
  const first = await Letters.open(path, one);
  await first.start();
  await t.throwsAsync(oneLetter(path, two), refused);
  first.append(letter(1), 'id', 'no id');
  await first.sync();
  await first.close();
  t.is(readFileSync(path, 'utf8').split('\n').length, 2);
});

test('two that open letters at once do not both get them', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'dead.jsonl');
  const all = await Promise.all(['one', 'two'].map((name) => Letters.open(path, stateFolder(join(folder, name)))));
  await all[1]!.start();
  await t.throwsAsync(all[0]!.start(), refused);
  for (const letters of all) await letters.close();
});

test('letters without an owner are those of a state that has committed some, and of no other', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'dead.jsonl');
  const length = await oneLetter(path, stateFolder(join(folder, 'one')));
  rmSync(`${path}.owner`);
  await t.throwsAsync(oneLetter(path, stateFolder(join(folder, 'two'))), refused);
  t.is(statSync(path).size, length);
  t.is(await oneLetter(path, stateFolder(join(folder, 'one')), length), 2 * length);
});

test('what a state wrote before its first commit is its own, and cut', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'dead.jsonl');
  const own = stateFolder(join(folder, 'one'));
  const length = await oneLetter(path, own);
  t.is(await oneLetter(path, own), length);
});

test('a folder that is moved or copied with its letters keeps them; one that is gone, or whose letters are gone, owns none', async (t) => {
  const folder = temporaryFolder(t);
  const own = stateFolder(join(folder, 'one'));
  const length = await oneLetter(join(folder, 'one', 'dead.jsonl'), own);
  cpSync(join(folder, 'one'), join(folder, 'copy'), { recursive: true });
  t.is(await oneLetter(join(folder, 'copy', 'dead.jsonl'), { state: join(folder, 'copy') }, length), 2 * length);
  renameSync(join(folder, 'one'), join(folder, 'moved'));
  t.is(await oneLetter(join(folder, 'moved', 'dead.jsonl'), { state: join(folder, 'moved') }, length), 2 * length);
  const path = join(folder, 'dead.jsonl');
  await oneLetter(path, { state: join(folder, 'moved') });
  const two = stateFolder(join(folder, 'two'));
  await t.throwsAsync(oneLetter(path, two), refused);
  rmSync(path);
  t.is(await oneLetter(path, two), length);
  rmSync(join(folder, 'two'), { recursive: true });
  // There are letters all the same, of nobody who is still there.
  await t.throwsAsync(oneLetter(path, stateFolder(join(folder, 'three'))), refused);
});
