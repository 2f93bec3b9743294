import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { moveFile, removeCopies } from '../../src/files/move-file.ts';

interface Folders {
  readonly from: string;
  readonly to: string;
}

function folders(t: ExecutionContext): Folders {
  const root = mkdtempSync(join(tmpdir(), 'weir-move-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const made = { from: join(root, 'from'), to: join(root, 'to') };
  mkdirSync(made.from);
  mkdirSync(made.to);
  return made;
}

/** All files of a folder with their content. */
function contents(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('a file is moved under its name', async (t) => {
  const { from, to } = folders(t);
  writeFileSync(join(from, 'day.csv'), 'rows');
  t.deepEqual(await moveFile(join(from, 'day.csv'), to, 4), { kind: 'moved', path: join(to, 'day.csv') });
  t.deepEqual(contents(from), {});
  t.deepEqual(contents(to), { 'day.csv': 'rows' });
});

test('no other file is replaced: a name that is taken gets a number', async (t) => {
  const { from, to } = folders(t);
  for (const [name, text] of [
    ['day.csv', '1'],
    ['day.csv', '2'],
    ['day.csv', '3'],
    ['day.csv.gz', '4'],
    ['day.csv.gz', '5'],
    ['notes', '6'],
    ['notes', '7'],
  ] as const) {
    writeFileSync(join(from, name), text);
    t.is((await moveFile(join(from, name), to, 1)).kind, 'moved');
  }
  t.deepEqual(contents(to), {
    'day.csv': '1',
    'day.2.csv': '2',
    'day.3.csv': '3',
    'day.csv.gz': '4',
    'day.2.csv.gz': '5',
    notes: '6',
    'notes.2': '7',
  });
});

test('a file whose bytes are there already is removed, be they under a number', async (t) => {
  const { from, to } = folders(t);
  const large = 'x'.repeat(200_000);
  writeFileSync(join(to, 'day.csv'), `${large}1`);
  writeFileSync(join(to, 'day.2.csv'), `${large}2`);
  writeFileSync(join(from, 'day.csv'), `${large}2`);
  t.deepEqual(await moveFile(join(from, 'day.csv'), to, 200_001), { kind: 'same', path: join(to, 'day.2.csv') });
  t.deepEqual(contents(from), {});
  t.deepEqual(Object.keys(contents(to)).sort(), ['day.2.csv', 'day.csv']);
});

test('a move that was killed between its two steps is finished', async (t) => {
  const { from, to } = folders(t);
  writeFileSync(join(from, 'day.csv'), 'rows');
  linkSync(join(from, 'day.csv'), join(to, 'day.csv'));
  t.is((await moveFile(join(from, 'day.csv'), to, 4)).kind, 'same');
  t.deepEqual(contents(from), {});
  t.deepEqual(contents(to), { 'day.csv': 'rows' });
});

test('a file that is gone or has grown is left alone', async (t) => {
  const { from, to } = folders(t);
  t.deepEqual(await moveFile(join(from, 'day.csv'), to, 4), { kind: 'left' });
  writeFileSync(join(from, 'day.csv'), 'rows and more');
  t.deepEqual(await moveFile(join(from, 'day.csv'), to, 4), { kind: 'left' });
  t.deepEqual(contents(from), { 'day.csv': 'rows and more' });
  t.deepEqual(contents(to), {});
});

const otherFileSystem = '/dev/shm';
(existsSync(otherFileSystem) ? test : test.skip)(
  'to another file system a file is copied, whole before it has its name',
  async (t) => {
    const { from } = folders(t);
    const to = mkdtempSync(join(otherFileSystem, 'weir-move-'));
    t.teardown(() => rmSync(to, { recursive: true, force: true }));
    writeFileSync(join(from, 'day.csv'), 'rows');
    writeFileSync(join(to, '.day.csv.moving'), 'half a co');
    writeFileSync(join(to, 'day.csv'), 'other');
    await removeCopies(to);
    t.deepEqual(contents(to), { 'day.csv': 'other' });
    t.is((await moveFile(join(from, 'day.csv'), to, 4)).kind, 'moved');
    t.deepEqual(contents(from), {});
    t.deepEqual(contents(to), { 'day.csv': 'other', 'day.2.csv': 'rows' });
  },
);

test('a folder that is not there is an error that names both places', async (t) => {
  const { from, to } = folders(t);
  writeFileSync(join(from, 'day.csv'), 'rows');
  const error = await t.throwsAsync(moveFile(join(from, 'day.csv'), join(to, 'none'), 4), { code: 'STREAMS_FILE' });
  t.true(error.message.includes(join(from, 'day.csv')));
  t.deepEqual(contents(from), { 'day.csv': 'rows' });
});
