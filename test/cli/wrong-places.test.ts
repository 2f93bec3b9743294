import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { checkInput } from '../../src/cli/input-verdict.ts';
import { listFolder } from '../../src/files/folder.ts';
import type { FeedProgress } from '../../src/runtime/feed.ts';
import { refusedError } from '../../src/runtime/feed-verdict.ts';
import { StateFolder } from '../../src/runtime/state-folder.ts';

const progress = {
  topic: 'readings',
  filesTotal: 1,
  filesDone: 1,
  rows: 2,
  dead: 2,
  bytes: 0,
} as unknown as FeedProgress;

test('a file in the place of a folder is named as such, with what to do, and without the name of a system call', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-places-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'day.csv');
  writeFileSync(file, 'a\n');
  const listed = await t.throwsAsync(listFolder('readings', file, {}), { code: 'STREAMS_FILE' });
  const reason = 'a file is there, or in the place of a folder above it';
  t.is(
    listed!.message,
    `the folder ${file} of topic readings cannot be read: ${reason}. Name a folder that can be read.`,
  );
  for (const place of [file, join(file, 'state')]) {
    const opened = await t.throwsAsync(StateFolder.open(place, { create: true }), {
      code: 'STREAMS_STATE_STORE_WRITE',
    });
    t.is(
      opened!.message,
      `the state folder ${place} cannot be made: ${reason}. Give a writable one with --state (in a program: stateDir).`,
    );
  }
  mkdirSync(join(folder, 'empty'));
  t.deepEqual(await listFolder('readings', join(folder, 'empty'), {}), []);
});

test('where every row is dead, the message names the file that says why', (t) => {
  const all = t.throws(() => checkInput([], { rows: 2, dead: 2, skipped: 0 }, 's/dead.jsonl'));
  t.is(
    all!.message,
    'all 2 rows that this run read are in the dead letters: nothing was counted. s/dead.jsonl says what is wrong with each.',
  );
  const one = t.throws(() => checkInput([], { rows: 1, dead: 1, skipped: 0 }, 's/dead.jsonl'));
  t.regex(one!.message, /the only row .* s\/dead\.jsonl says what is wrong with it\.$/);
  const lost = t.throws(() =>
    checkInput([{ ...progress, lost: { 'b.csv': 2 } }], { rows: 9, dead: 2, skipped: 0 }, 's/dead.jsonl'),
  );
  t.regex(lost!.message, /b\.csv \(2 rows\)\. s\/dead\.jsonl says what is wrong with each;/);
});

test('the message of refused files has one mark at the end of each sentence', (t) => {
  const asks = refusedError({ ...progress, refused: { 'a.csv': 'is its first line a row instead of a header?' } });
  t.regex(
    asks.message,
    /instead of a header\? Correct what is wrong in place, or say in a format \(--format, in a program: csvFormat\) how the files are written, and run again\.$/,
  );
  const says = refusedError({ ...progress, refused: { 'a.csv': 'it is UTF-16, not UTF-8' } });
  t.regex(says.message, /not UTF-8\. Correct what is wrong/);
});
