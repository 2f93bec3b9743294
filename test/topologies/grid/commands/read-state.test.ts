import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventFile, good, temporary, weir } from './weir.ts';

/** A state with three events of two days. */
async function smallState(t: ExecutionContext): Promise<string> {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  await writeFile(
    join(events, '1.csv'),
    eventFile('2018-01-30', ['10:00:00,ev_C,10', '11:00:00,ev_C,2', '12:00:00,ev_K,2']),
  );
  await writeFile(join(events, '2.csv'), eventFile('2018-02-01', ['10:00:00,ev_C,2', '23:00:00,ev_C,2']));
  await good(t, `replay --events ${events} --state ${folder}/state`);
  return join(folder, 'state');
}

test('query prints a table with aligned columns', async (t) => {
  const state = await smallState(t);
  t.is(
    await good(t, `query day equipment --state ${state}`),
    [
      'window_start  window_end  key   type_evt  n  final',
      '2018-01-30    2018-01-31  C:10  ev_C      1  true',
      '2018-01-30    2018-01-31  C:2   ev_C      1  true',
      '2018-01-30    2018-01-31  K:2   ev_K      1  true',
      '2018-02-01    2018-02-02  C:2   ev_C      2  false',
      '',
    ].join('\n'),
  );
  t.is(await good(t, `query day pdk --key 7 --state ${state}`), 'window_start  window_end  key  type_evt  n  final\n');
});

test('query --json prints an array of objects, chosen by key, type and dates', async (t) => {
  const state = await smallState(t);
  const rows = async (options: string): Promise<unknown> =>
    JSON.parse(await good(t, `query ${options} --json --state ${state}`));
  t.deepEqual(await rows('month type --type ev_C'), [
    { window_start: '2018-01-01', window_end: '2018-02-01', key: 'all', type_evt: 'ev_C', n: 2, final: false },
    { window_start: '2018-02-01', window_end: '2018-03-01', key: 'all', type_evt: 'ev_C', n: 2, final: false },
  ]);
  t.deepEqual(await rows('day equipment --key C:2 --from 2018-01-31 --to 2018-02-02'), [
    { window_start: '2018-02-01', window_end: '2018-02-02', key: 'C:2', type_evt: 'ev_C', n: 2, final: false },
  ]);
  t.deepEqual(await rows('day equipment --key C:99'), []);
});

test('a query of what there is not is refused with the nearest word', async (t) => {
  const state = await smallState(t);
  for (const [line, message] of [
    ['query dya type', /STREAMS_USAGE: period "dya": expected one of day, week, month, year\. Did you mean day\?/],
    ['query day regin', /STREAMS_USAGE: grouping "regin": .* Did you mean region\?/],
    ['query day type --type ev_c', /STREAMS_USAGE: --type "ev_c": .* Did you mean ev_C\?/],
    ['query day equipment --key 8', /STREAMS_USAGE: a key of equipment is its type and id, such as C:8/],
    ['query day type --from 1', /STREAMS_USAGE: from must be a date/],
    ['query day', /STREAMS_USAGE: missing required argument 'grouping'/],
  ] as const) {
    const { code, stdout, stderr } = await weir(`${line} --state ${state}`);
    t.is(code, 2, line);
    t.regex(stderr, message);
    t.is(stdout, '');
  }
});

test('digest prints 64 hex digits, or a line for each store', async (t) => {
  const state = await smallState(t);
  t.regex(await good(t, `digest --state ${state}`), /^[0-9a-f]{64}\n$/);
  const lines = (await good(t, `digest --by-store --state ${state}`)).trimEnd().split('\n');
  for (const line of lines) t.regex(line, /^[a-z-]+ [0-9a-f]{64}$/);
  const stores = lines.map((line) => line.split(' ')[0]!);
  for (const period of ['day', 'week', 'month', 'year']) {
    for (const grouping of ['type', 'equipment', 'commune', 'departement', 'pdk', 'region']) {
      t.true(stores.includes(`${period}-${grouping}`), `${period}-${grouping}`);
    }
  }
  t.false(stores.includes('grid-park'));
});

test('export writes 24 files', async (t) => {
  const state = await smallState(t);
  await good(t, `export --state ${state} --out ${state}/out`);
  t.is((await readdir(join(state, 'out'))).length, 24);
  t.is(
    await readFile(join(state, 'out/month_equipment.csv'), 'utf8'),
    'window_start,type_equipement,id_equipement,type_evt,n\n' +
      '2018-01-01,C,10,ev_C,1\n2018-01-01,C,2,ev_C,1\n2018-01-01,K,2,ev_K,1\n2018-02-01,C,2,ev_C,2\n',
  );
  await writeFile(join(state, 'file'), '');
  const { code, stderr } = await weir(`export --state ${state} --out ${state}/file`);
  t.is(code, 1);
  t.regex(stderr, /^STREAMS_FILE: .*\/file/m);
});

test('commands that read a state say where there is none, and make none', async (t) => {
  const folder = await temporary(t);
  const lines = ['query day type', 'digest', `export --out ${folder}/out`, 'describe', 'serve --port 0'];
  for (const line of lines) {
    const { code, stdout, stderr } = await weir(`${line} --state ${folder}/none`);
    t.is(code, 3, line);
    t.regex(stderr, /^STREAMS_STATE_MISSING: .*\/none holds no state/m);
    t.is(stdout, '');
  }
  t.deepEqual(await readdir(folder), []);
});

test('the state folder may come from the environment', async (t) => {
  const state = await smallState(t);
  const { code, stdout } = await weir('digest', { WEIR_STATE_DIR: state });
  t.is(code, 0);
  t.is(stdout, await good(t, `digest --state ${state}`));
});

test('describe --diff says what this program would do to a state: its own keeps all', async (t) => {
  const state = await smallState(t);
  const lines = (await good(t, `describe --diff ${state}`)).trim().split('\n');
  t.is(lines.length, 26);
  t.true(lines.every((line) => line.startsWith('keeps    ')));
  t.like(JSON.parse(await good(t, `describe --diff ${state} --format json`)), { added: [], removed: [], refused: [] });
  t.is((await weir(`describe --diff ${state}/none`)).code, 3);
});

test('describe writes the topology as text with its stores and guards, as a diagram, and as JSON', async (t) => {
  const state = await smallState(t);
  const text = await good(t, `describe --state ${state}`);
  t.regex(text, /^Topologies:\n {3}Sub-topology: 0\n {4}Source: events \(topics: \[grid-events\]\)\n/);
  t.regex(text, /^store day-equipment: window, string -> counts, calendar day Europe\/Paris grace 86400000$/m);
  t.regex(text, /^source events: guarded against future records by arrival time\n$/m);
  t.regex(await good(t, `describe --format mermaid --state ${state}`), /^flowchart TD\n/);
  const { stores } = JSON.parse(await good(t, `describe --format json --state ${state}`)) as { stores: unknown[] };
  t.is(stores.length, 25);
  const { stderr } = await weir(`describe --state ${state} --set processing.guarantee=at_least_once`);
  t.regex(stderr, /tables that subtract can be too high/);
});
