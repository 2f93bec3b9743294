import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { eventFile, good, temporary, weir } from './weir.ts';

test('export --to puts all files where none are, once, and --out replaces them', async (t) => {
  const folder = await temporary(t);
  const [events, state, to, out] = ['events', 'state', 'to', 'out'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  await mkdir(events);
  await writeFile(join(events, '1.csv'), eventFile('2018-01-30', ['10:00:00,ev_C,10']));
  await good(t, `replay --events ${events} --state ${state}`);
  await good(t, `export --state ${state} --to ${to}`);
  await good(t, `export --state ${state} --out ${out}`);
  const names = await readdir(out);
  t.is(names.length, 24);
  t.deepEqual((await readdir(to)).filter((name) => name !== '_pending').sort(), ['_SUCCESS', ...names].sort());
  for (const name of names) t.is(await readFile(join(to, name), 'utf8'), await readFile(join(out, name), 'utf8'), name);
  const { code, stderr } = await weir(`export --state ${state} --to ${to}`);
  t.is(code, 3);
  t.regex(stderr, /STREAMS_INPUT_REFUSED: .*\/to has a complete export already \(_SUCCESS\), and none is replaced/);
  await good(t, `export --state ${state} --out ${out} --format jsonl`);
  t.is(
    (await readFile(join(out, 'day_type.jsonl'), 'utf8')).split('\n')[0],
    '{"window_start":"2018-01-30","type_evt":"ev_C","n":1}',
  );
});

test('export needs one of --out and --to, and openmetrics a folder', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  await writeFile(join(folder, 'events', '1.csv'), eventFile('2018-01-30', ['10:00:00,ev_C,10']));
  await good(t, `replay --events ${folder}/events --state ${folder}/state`);
  for (const [words, message] of [
    ['', /STREAMS_USAGE: give --out or --to, and not both/],
    [`--out ${folder}/a --to ${folder}/b`, /STREAMS_USAGE: give --out or --to, and not both/],
    [`--format openmetrics --to ${folder}/b`, /STREAMS_USAGE: --format openmetrics writes one file/],
    ['--to ftp://host/path', /STREAMS_USAGE: a target ftp:/],
    ['--to s3://user:secret@bucket/path', /STREAMS_USAGE: a password in a URL is seen/],
  ] as const) {
    const { code, stderr } = await weir(`export --state ${folder}/state ${words}`.trim());
    t.is(code, 2, words);
    t.regex(stderr, message);
  }
});
