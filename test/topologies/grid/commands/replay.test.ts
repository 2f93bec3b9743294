import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { damagedRows, type LateEntry, lateRows } from '../generator/generated-set.ts';
import { dataSet, digestOf, eventFile, golden, good, temporary, weir } from './weir.ts';

async function sameFiles(t: ExecutionContext, found: string, expected: string): Promise<void> {
  const names = (await readdir(expected)).sort();
  t.deepEqual((await readdir(found)).sort(), names);
  for (const name of names) {
    const [a, b] = await Promise.all([readFile(join(found, name)), readFile(join(expected, name))]);
    t.true(a.equals(b), name);
  }
}

if (existsSync(golden)) {
  test('a replay of the golden data exports the golden statistics, byte for byte', async (t) => {
    const folder = await temporary(t);
    await good(t, `replay --events ${golden}/events --park ${golden}/park --state ${folder}/state --out ${folder}/out`);
    await sameFiles(t, join(folder, 'out'), join(golden, 'statistics'));
    await good(t, `export --state ${folder}/state --out ${folder}/again`);
    await sameFiles(t, join(folder, 'again'), join(golden, 'statistics'));
  });

  test('park show prints the golden park table', async (t) => {
    const folder = await temporary(t);
    const expected = await readFile(join(golden, 'park_information.csv'), 'utf8');
    t.is(await good(t, `park show --park ${golden}/park`), expected);
    await good(t, `park show --park ${golden}/park --out ${folder}/a/park.csv`);
    t.is(await readFile(join(folder, 'a/park.csv'), 'utf8'), expected);
  });
}

test('a generated data set gives its own truth, damaged rows in the dead letters, and a summary', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { late: true, damage: 0.02 });
  const line = `replay --events ${folder}/events --park ${folder}/park --state ${folder}/state --out ${folder}/out --json`;
  const { code, stdout, stderr } = await weir(line);
  t.is(code, 0, stderr);
  await sameFiles(t, join(folder, 'out'), join(folder, 'truth/statistics'));
  const damaged = (await readFile(join(folder, 'truth/damaged.csv'), 'utf8')).trim().split('\n').slice(1);
  const letters = (await readFile(join(folder, 'state/dead.jsonl'), 'utf8')).trim().split('\n');
  const dead = letters.map((letter) => {
    const { file, line: at, offset, reason } = JSON.parse(letter);
    return [file, at, offset, reason].join();
  });
  t.true(damaged.length > 50);
  t.deepEqual(dead.sort(), damaged.sort());
  const { seconds, ...summary } = JSON.parse(stdout);
  t.deepEqual(summary, { rows: 6000, dead: damaged.length, late: 0, skipped: 0, files: 10 });
  t.regex(stderr, new RegExp(`${damaged.length} of 6000 rows \\(\\d.*state/dead\\.jsonl`));
  t.is(typeof seconds, 'number');
  t.regex(
    stderr,
    /replay: 10\/10 files, 6,000 rows, .*event time 2018-03-29 23:5\d:\d\d, late 0, dead \d+, [\d.]+ s\n/,
  );
});

for (const [kind, options] of Object.entries({
  'in bursts': { bursty: true },
  'with wrong clocks': { skewSeconds: 7200 },
  'with rows that come twice': { duplicates: 0.2 },
  'with rows that come too late': { tooLate: 0.2 },
  'with all of it': { late: true, bursty: true, skewSeconds: 40_000, duplicates: 0.1, tooLate: 0.1, damage: 0.05 },
})) {
  test(`a generated data set ${kind} gives its own truth, and what is late in the late letters`, async (t) => {
    const folder = await temporary(t);
    await dataSet(folder, options);
    const line = `replay --events ${folder}/events --park ${folder}/park --state ${folder}/state --out ${folder}/out --json`;
    const { dead, late } = JSON.parse(await good(t, line));
    await sameFiles(t, join(folder, 'out'), join(folder, 'truth/statistics'));
    t.is(dead, damagedRows(folder).length);
    const letters = late === 0 ? [] : (await readFile(join(folder, 'state/late.jsonl'), 'utf8')).trim().split('\n');
    const places = letters.map((letter) => {
      const { file, line: at, offset } = JSON.parse(letter);
      return { file, line: at, offset };
    });
    const byPlace = (a: LateEntry, b: LateEntry): number => a.file.localeCompare(b.file) || a.offset - b.offset;
    t.deepEqual(places.sort(byPlace), lateRows(folder).sort(byPlace));
  });
}

test('the park before the events, after them, or corrected on the way gives the same results', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  const [events, park] = [`--events ${folder}/events`, `--park ${folder}/park`];
  await good(t, `replay ${events} ${park} --state ${folder}/together`);
  const expected = await digestOf(t, `${folder}/together`);

  await good(t, `replay ${park} --state ${folder}/before`);
  await good(t, `replay ${events} --state ${folder}/before`);
  t.is(await digestOf(t, `${folder}/before`), expected);

  await good(t, `replay ${events} --state ${folder}/after`);
  t.not(await digestOf(t, `${folder}/after`), expected);
  const unknown = JSON.parse(await good(t, `query year region --json --state ${folder}/after`)) as { key: string }[];
  t.deepEqual([...new Set(unknown.map(({ key }) => key))], ['unknown']);
  await good(t, `replay ${park} --state ${folder}/after`);
  t.is(await digestOf(t, `${folder}/after`), expected);

  await cp(join(folder, 'park'), join(folder, 'wrong'), { recursive: true });
  const file = join(folder, 'wrong/installation_c.csv');
  const rows = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, rows.filter((_, i) => i % 3 !== 1).join('\n'));
  await good(t, `replay ${events} --park ${folder}/wrong --state ${folder}/corrected`);
  t.not(await digestOf(t, `${folder}/corrected`), expected);
  await good(t, `replay ${park} --state ${folder}/corrected`);
  t.is(await digestOf(t, `${folder}/corrected`), expected);
});

test('files one by one, compressed, in two folders or over partitions give the same results', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  const names = (await readdir(join(folder, 'events'))).sort();
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/whole`);
  const expected = await digestOf(t, `${folder}/whole`);

  const one = join(folder, 'one');
  await mkdir(one);
  for (const name of names) {
    await cp(join(folder, 'events', name), join(one, name));
    const summary = JSON.parse(
      await good(t, `replay --events ${one} --park ${folder}/park --state ${folder}/by-one --json`),
    );
    t.is(summary.rows, 600);
    t.is(summary.files, 1);
  }
  t.is(await digestOf(t, `${folder}/by-one`), expected);

  const packed = join(folder, 'packed');
  const halves = [join(folder, 'a'), join(folder, 'b')];
  for (const directory of [packed, ...halves]) await mkdir(directory);
  for (const name of names) {
    const content = await readFile(join(folder, 'events', name), 'utf8');
    await writeFile(join(packed, `${name}.gz`), gzipSync(content));
    const [header, ...rows] = content.trim().split('\n');
    for (const [i, half] of halves.entries()) {
      const own = rows.filter((_, row) => row % 2 === i);
      await writeFile(join(half, `${i}-${name}`), `${[header, ...own].join('\n')}\n`);
    }
  }
  await good(t, `replay --events ${packed} --park ${folder}/park --state ${folder}/gz`);
  t.is(await digestOf(t, `${folder}/gz`), expected);
  const two = `--events ${halves[0]} --events ${halves[1]}`;
  await good(t, `replay ${two} --park ${folder}/park --state ${folder}/two`);
  t.is(await digestOf(t, `${folder}/two`), expected);
  const summary = JSON.parse(
    await good(t, `replay ${two} --park ${folder}/park --state ${folder}/four --partitions 4 --json`),
  );
  t.is(summary.rows, 6000);
  t.is(summary.files, 20);
  t.is(await digestOf(t, `${folder}/four`), expected);
  t.is(JSON.parse(await good(t, `replay ${two} --state ${folder}/four --json`)).rows, 0);
});

test('folders in another order, or another number of them, are refused', async (t) => {
  const folder = await temporary(t);
  for (const name of ['a', 'b']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, `${name}.csv`), eventFile('2018-01-01', ['10:00:00,ev_C,1']));
  }
  const state = `--state ${folder}/state`;
  await good(t, `replay --events ${folder}/a --events ${folder}/b ${state}`);
  const swapped = await weir(`replay --events ${folder}/b --events ${folder}/a ${state}`);
  t.is(swapped.code, 3);
  t.regex(
    swapped.stderr,
    /STREAMS_INPUT_REFUSED: a\.csv was read as topic grid-events, and now stands in .*\/a of topic grid-events-2/,
  );
  const one = await weir(`replay --events ${folder}/a ${state}`);
  t.is(one.code, 3);
  t.regex(
    one.stderr,
    /STREAMS_STATE_INCOMPATIBLE: .* made with 2 folders of --events, not with 1 folder of --events\./,
  );
  await good(t, `replay --events ${folder}/a --events ${folder}/b ${state}`);
});

test('late rows go to the late letters and are counted; other letters may be named', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  await writeFile(
    join(events, '1.csv'),
    eventFile('2018-01-01', ['10:00:00,ev_C,1', '11:00:00,ev_C,1', '12:00:00,ev_X,1']),
  );
  await writeFile(join(events, '2.csv'), eventFile('2018-01-04', ['10:00:00,ev_K,2']));
  await writeFile(join(events, '3.csv'), eventFile('2018-01-01', ['13:00:00,ev_C,1']));
  const letters = `--dead ${folder}/d.jsonl --late ${folder}/l.jsonl`;
  const summary = JSON.parse(await good(t, `replay --events ${events} --state ${folder}/state ${letters} --json`));
  t.is(summary.late, 1);
  t.is(summary.dead, 1);
  const late = JSON.parse(await readFile(join(folder, 'l.jsonl'), 'utf8'));
  t.like(late, { file: '3.csv', line: 2, reason: 'late' });
  t.like(JSON.parse(await readFile(join(folder, 'd.jsonl'), 'utf8')), { file: '1.csv', line: 4, reason: 'event-type' });
  t.false(existsSync(join(folder, 'state/dead.jsonl')));
  const counts = JSON.parse(await good(t, `query day equipment --key C:1 --json --state ${folder}/state`));
  t.deepEqual(counts, [
    { window_start: '2018-01-01', window_end: '2018-01-02', key: 'C:1', type_evt: 'ev_C', n: 2, final: true },
  ]);
  const same = await weir(`replay --events ${events} --state ${folder}/x --dead ${folder}/d --late ${folder}/d`);
  t.is(same.code, 2);
});

test('--on-error fail stops at the first bad row, also at one from the future', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  await writeFile(join(events, '1.csv'), eventFile('2018-01-01', ['10:00:00,ev_C,1', '12:00:00,ev_X,1']));
  const bad = await weir(`replay --events ${events} --state ${folder}/a --on-error fail`);
  t.is(bad.code, 1);
  t.regex(bad.stderr, /^STREAMS_BAD_ROW: 1\.csv:3:\d+: bad row of topic grid-events: event-type\./m);
  const future = eventFile('2018-01-01', ['10:00:00,ev_C,1']).replace('2018-01-01 23:59:59', '2018-01-01 08:00:00');
  await writeFile(join(events, '1.csv'), future);
  const early = await weir(`replay --events ${events} --state ${folder}/b --on-error fail`);
  t.is(early.code, 1);
  t.regex(early.stderr, /^STREAMS_BAD_ROW: 1\.csv:2:\d+: bad row of topic grid-events: future\./m);
  const dead = await weir(`replay --events ${events} --state ${folder}/b --json`);
  t.is(dead.code, 1);
  t.like(JSON.parse(dead.stdout), { rows: 1, dead: 1 });
  t.regex(dead.stderr, /^STREAMS_BAD_ROW: the only row that this run read is in the dead letters/m);
});

test('a file of which no row serves ends a replay with 1 and is named, with one partition or several, and what others hold counts', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  const lost = eventFile('2018-01-01', ['10:00:00,ev_C,1', '11:00:00,ev_C,2', '12:00:00,ev_C,3']);
  // The header names the columns in another order than the rows have them.
  await writeFile(
    join(events, '1.csv'),
    lost
      .replace('date_occur_evt,date_system_evt', 'type_evt,date_occur_evt')
      .replace(',type_evt,type_eq', ',date_system_evt,type_eq'),
  );
  const good2 = ['10:00:00,ev_C,1', '11:00:00,ev_C,2', '12:00:00,ev_C,3', '13:00:00,ev_C,4', '14:00:00,ev_X,4'];
  await writeFile(join(events, '2.csv'), eventFile('2018-01-02', good2));
  await writeFile(join(events, '3.csv'), eventFile('2018-01-03', []));
  for (const partitions of [1, 3]) {
    const state = `${folder}/state-${partitions}`;
    const { code, stdout, stderr } = await weir(
      `replay --events ${events} --state ${state} --partitions ${partitions} --json`,
    );
    t.is(code, 1);
    t.like(JSON.parse(stdout), { rows: 8, dead: 4 });
    t.regex(
      stderr,
      /^STREAMS_BAD_ROW: every row of a file of topic grid-events is in the dead letters: 1\.csv \(3 rows\)/m,
    );
    // It is known; what is new is judged alone.
    t.is((await weir(`replay --events ${events} --state ${state}`)).code, 0);
  }
});

test('rows outside --from and --to are skipped, and the dates stay with the state', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  for (const day of ['2018-01-01', '2018-01-02', '2018-01-03']) {
    await writeFile(join(events, `${day}.csv`), eventFile(day, ['00:00:00,ev_C,1', '23:59:59,ev_C,1']));
  }
  const state = `--state ${folder}/state`;
  const summary = JSON.parse(
    await good(t, `replay --events ${events} ${state} --from 2018-01-02 --to 2018-01-03 --json`),
  );
  t.is(summary.skipped, 4);
  t.is(summary.rows, 6);
  await writeFile(join(events, '2018-01-04.csv'), eventFile('2018-01-04', ['10:00:00,ev_C,1']));
  t.is(JSON.parse(await good(t, `replay --events ${events} ${state} --json`)).skipped, 1);
  const rows = JSON.parse(await good(t, `query day type --json ${state}`)) as { window_start: string; n: number }[];
  t.deepEqual(
    rows.map(({ window_start, n }) => [window_start, n]),
    [['2018-01-02', 2]],
  );
  const other = await weir(`replay --events ${events} ${state} --to 2018-01-05`);
  t.is(other.code, 3);
  t.regex(other.stderr, /was made with --to 2018-01-03, not with --to 2018-01-05\./);
  t.is((await weir(`replay --events ${events} --state ${folder}/x --from 2018-01-02 --to 2018-01-02`)).code, 2);
});

test('a state keeps its zone, grace and partitions: others are refused with both values, none means the saved ones', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  await writeFile(join(events, '1.csv'), eventFile('2018-01-01', ['00:10:00,ev_C,1']));
  const line = `replay --events ${events} --state ${folder}/state`;
  await good(t, `${line} --zone Asia/Kathmandu --grace 36h --partitions 3`);
  for (const [option, told] of [
    ['--zone Europe/Paris', 'with --zone Asia/Kathmandu, not with --zone Europe/Paris'],
    ['--grace 24h', 'with --grace 36h, not with --grace 24h'],
    ['--partitions 1', 'with --partitions 3, not with --partitions 1'],
    ['--from 2018-01-01', 'without --from, not with --from 2018-01-01'],
  ] as const) {
    const { code, stderr } = await weir(`${line} ${option}`);
    t.is(code, 3, option);
    t.true(stderr.includes(`STREAMS_STATE_INCOMPATIBLE: ${folder}/state was made ${told}.`), stderr);
  }
  await writeFile(join(events, '2.csv'), eventFile('2018-01-02', ['00:10:00,ev_C,1']));
  await good(t, `${line} --grace 1d12h`);
  await good(t, line);
  const rows = JSON.parse(await good(t, `query day type --json --state ${folder}/state`)) as { window_start: string }[];
  t.deepEqual(
    rows.map(({ window_start }) => window_start),
    ['2018-01-01', '2018-01-02'],
  );
  t.regex(await good(t, `describe --state ${folder}/state`), /calendar day Asia\/Kathmandu grace 129600000/);
});

test('after --final every window is closed, and the state takes no more input', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  await writeFile(join(events, '1.csv'), eventFile('2018-01-01', ['10:00:00,ev_C,1']));
  const line = `replay --events ${events} --state ${folder}/state`;
  await good(t, line);
  const final = async (): Promise<boolean> =>
    JSON.parse(await good(t, `query year type --json --state ${folder}/state`))[0].final;
  t.false(await final());
  await good(t, `${line} --final`);
  t.true(await final());
  const digest = await digestOf(t, `${folder}/state`);
  for (const again of [line, `${line} --final`]) {
    const { code, stderr } = await weir(again);
    t.is(code, 3);
    t.regex(stderr, /^STREAMS_STATE_FINAL: /m);
  }
  t.is(await digestOf(t, `${folder}/state`), digest);
});

test('a file that was changed after it was read is refused; --verify looks at all of it', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  await mkdir(events);
  const lines = Array.from({ length: 6000 }, (_, i) => `10:${String(i % 60).padStart(2, '0')}:00,ev_C,${i % 7}`);
  const content = eventFile('2018-01-01', lines);
  t.true(content.length > 3 * 65_536);
  await writeFile(join(events, '1.csv'), content);
  const line = `replay --events ${events} --state ${folder}/state`;
  await good(t, line);
  const middle = Math.floor(content.length / 2);
  await writeFile(join(events, '1.csv'), `${content.slice(0, middle)}#${content.slice(middle + 1)}`);
  await good(t, line);
  const { code, stderr } = await weir(`${line} --verify`);
  t.is(code, 3);
  t.regex(stderr, /^STREAMS_FILE_REWRITTEN: .*1\.csv/m);
});

test('folders that are missing, given twice or of no use are told before a state is made', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  const state = `--state ${folder}/state`;
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [`replay ${state}`, 2, /STREAMS_USAGE: there is nothing to replay: give --events or --park\./],
    [
      `replay --events ${folder}/none ${state}`,
      1,
      /STREAMS_FILE: the folder .*none of topic grid-events does not exist/,
    ],
    [
      `replay --events ${folder}/events --events ${folder}/./events ${state}`,
      2,
      /STREAMS_USAGE: .* are the same folder/,
    ],
    [`replay --follow --park ${folder} ${state}`, 2, /STREAMS_USAGE: --follow waits for events/],
    [`replay --follow --final --events ${folder}/events ${state}`, 2, /STREAMS_USAGE: --final closes/],
    [
      `replay --events ${folder}/events --zone Europe/Pari ${state}`,
      2,
      /STREAMS_CONFIG: time zone 'Europe\/Pari' is unknown/,
    ],
    [
      `replay --events ${folder}/events --grace 24 ${state}`,
      2,
      /STREAMS_USAGE: --grace "24": expected a length of time/,
    ],
    [
      `replay --events ${folder}/events --from 2018-02-30 ${state}`,
      2,
      /STREAMS_USAGE: --from "2018-02-30": expected a date/,
    ],
    [
      `replay --evnts ${folder}/events ${state}`,
      2,
      /STREAMS_USAGE: unknown option '--evnts'\. Did you mean --events\?/,
    ],
    [
      `replay --events ${folder}/events --on-error stop ${state}`,
      2,
      /STREAMS_CONFIG: .*expected one of continue, fail/,
    ],
    [`reply --events ${folder}/events`, 2, /STREAMS_USAGE: unknown command 'reply'\. Did you mean replay\?/],
  ];
  for (const [line, code, message] of cases) {
    const ran = await weir(line);
    t.is(ran.code, code, line);
    t.regex(ran.stderr, message);
    t.is(ran.stderr.trim().split('\n').length, 1);
    t.is(ran.stdout, '');
  }
  t.false(existsSync(join(folder, 'state')));
  const park = await weir(`replay --park ${folder}/nowhere ${state}`);
  t.is(park.code, 1);
  t.regex(park.stderr, /^STREAMS_FILE: park file .*nowhere\/\w+\.csv is not there/m);
  await rename(join(folder, 'events'), join(folder, 'empty'));
  const empty = await weir(`replay --events ${folder}/empty ${state}`);
  t.is(empty.code, 0);
  t.regex(empty.stderr, /there are no \.csv, \.csv\.gz or \.csv\.zst files/);
});
