import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { dataSet, eventFile, good, temporary, weir } from './weir.ts';

interface Report {
  readonly folders: readonly {
    readonly dialect: string;
    readonly rows: number;
    readonly dead: number;
    readonly late?: number;
    readonly first?: string;
    readonly last?: string;
    readonly days: number;
    readonly gaps: readonly { readonly from: string; readonly to: string; readonly days: number }[];
    readonly skipped: number;
    readonly files: readonly {
      readonly file: string;
      readonly kind: string;
      readonly whole: boolean;
      readonly rows: number;
      readonly dead: number;
      readonly late?: number;
      readonly lateLines?: readonly number[];
      readonly sameAs?: string;
      readonly first?: string;
      readonly last?: string;
      readonly bad: readonly { readonly reason: string; readonly rows: number; readonly lines: readonly number[] }[];
      readonly refused?: string;
      readonly remarks: readonly string[];
    }[];
    readonly leftOut: readonly { readonly file: string; readonly why: string }[];
  }[];
  readonly stores?: readonly {
    readonly store: string;
    readonly rows: number;
    readonly windows?: number;
    readonly keys: number;
  }[];
  readonly tables: readonly {
    readonly keys: number;
    readonly files: readonly { readonly file: string; readonly rows?: number }[];
    readonly leftOut: readonly string[];
    readonly refused?: string;
  }[];
}

const three = eventFile('2018-01-31', ['22:00:00,ev_C,8', '23:00:00,ev_K,3', '01:30:00,ev_C,9']);
const [header] = three.split('\n');

test('check says of each file what it is, its rows and their first and last time, bad ones by reason and line, and ends with 0', async (t) => {
  const folder = await temporary(t);
  const bad = [
    '20180131220000,2018-01-32 22:00:00,2018-01-31 23:00:00,ev_C,C,8,',
    '20180131220000,2018-01-31 22:00:00,2018-01-31 23:00:00,ev_X,C,8,',
    '20180131220000,2018-01-33 22:00:00,2018-01-31 23:00:00,ev_C,C,8,',
    // A day after its arrival.
    '20180201230001,2018-02-01 23:00:01,2018-01-31 23:00:00,ev_C,C,8,',
  ];
  writeFileSync(join(folder, 'a.csv'), `${three}${bad.join('\n')}\n`);
  writeFileSync(join(folder, 'b.CSV.GZ'), gzipSync(eventFile('2018-02-01', ['00:00:00,ev_C,8'])));
  writeFileSync(join(folder, 'notes.txt'), 'notes\n');
  const report = JSON.parse(await good(t, `check ${folder} --json`)) as Report;
  const [{ files, leftOut, dialect }] = report.folders as [Report['folders'][0]];
  t.is(dialect, 'separated by ",", utf-8, header in line 1');
  const [a, b] = files as [Report['folders'][0]['files'][0], Report['folders'][0]['files'][0]];
  t.like(a, { file: 'a.csv', kind: 'csv', whole: true, rows: 7, dead: 4 });
  t.like(a, { first: '2018-01-31 01:30:00', last: '2018-01-31 23:00:00' });
  t.deepEqual(
    a.bad.map(({ reason, rows, lines }) => [reason, rows, lines]),
    [
      ['date', 2, [5, 7]],
      ['event-type', 1, [6]],
      ['future', 1, [8]],
    ],
  );
  t.like(b, { file: 'b.CSV.GZ', kind: 'csv.gz', rows: 1, dead: 0, first: '2018-02-01 00:00:00' });
  t.is(leftOut.length, 1);
  t.regex(
    `${leftOut[0]!.file} ${leftOut[0]!.why}`,
    /^notes\.txt its name does not end with \.csv, \.csv\.gz or \.csv\.zst/,
  );
  const table = await good(t, `check --events ${folder}`);
  t.regex(table, /^a\.csv +csv +7 +4 +0 +whole +2018-01-31 01:30:00 +2018-01-31 23:00:00$/m);
  t.regex(table, /^ {2}a\.csv +date +2 +lines 5, 7 +a time is missing/m);
  t.regex(table, /^Left out:\n {2}notes\.txt +its name does not end/m);
  // With the first bad row a replay would stop.
  t.is((await weir(`check ${folder} --on-error fail`)).code, 3);
});

test('check reads on behind files that cannot be read, says why each cannot, and ends with 3', async (t) => {
  const folder = await temporary(t);
  const whole = gzipSync(three);
  writeFileSync(join(folder, 'a.csv.gz'), whole.subarray(0, whole.length - 9));
  writeFileSync(join(folder, 'b.csv'), three.replace('id_equipement', 'id_equipment'));
  writeFileSync(join(folder, 'c.csv.gz'), Buffer.concat([whole.subarray(0, 12), Buffer.from('nonsense'), whole]));
  writeFileSync(join(folder, 'd.csv'), three);
  writeFileSync(join(folder, 'e.csv'), `${header}\nx,y,z,u,v,w,\n`);
  writeFileSync(join(folder, 'f.csv'), three);
  const { code, stdout, stderr } = await weir(`check ${folder} --json`);
  t.is(code, 3);
  t.regex(stderr, /^STREAMS_INPUT_REFUSED: not all would be read\..*b\.csv: it lacks the column "id_equipement"/m);
  t.regex(stderr, /e\.csv of \S+: its only row is bad, first line 2: /);
  const { files } = (JSON.parse(stdout) as Report).folders[0]!;
  t.deepEqual(
    files.map(({ file, rows, dead, refused }) => [file, rows, dead, refused !== undefined]),
    [
      ['a.csv.gz', 3, 0, true],
      ['b.csv', 0, 0, true],
      ['c.csv.gz', 0, 0, true],
      ['d.csv', 0, 0, false],
      ['e.csv', 1, 1, false],
      ['f.csv', 0, 0, false],
    ],
  );
  t.regex(files[0]!.refused!, /is cut: it ends inside its compressed data/);
  t.regex(files[1]!.refused!, /"id_equipment" is not "id_equipement"/);
  t.regex(files[2]!.refused!, /is not a valid gzip file/);
  t.regex(files[5]!.remarks.join(), /has the rows that were read as .*They are not counted again/);
});

test('check counts what a replay counts, of events and park, with its dates; a park that cannot be loaded is told', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { late: true });
  const line = `--events ${folder}/events --park ${folder}/park --from 2018-03-22`;
  const report = JSON.parse(await good(t, `check ${line} --json`)) as Report;
  const replayed = JSON.parse(await good(t, `replay ${line} --state ${folder}/state --json`)) as Record<string, number>;
  const [{ files, skipped }] = report.folders as [Report['folders'][0]];
  const sum = (name: 'rows' | 'dead'): number => files.reduce((total, file) => total + file[name], 0);
  t.deepEqual([sum('rows') + skipped, sum('dead'), skipped], [replayed['rows'], replayed['dead'], replayed['skipped']]);
  t.true(skipped > 0);
  const [park] = report.tables as [Report['tables'][0]];
  t.is(park.files.length, 9);
  for (const { file, rows } of park.files) {
    const lines = readFileSync(join(folder, 'park', file), 'utf8')
      .trim()
      .split('\n');
    // Of manufacturers nothing but the header is needed.
    t.is(rows, /^(compteurs|concentrateurs)/.test(file) ? undefined : lines.length - 1, file);
  }
  writeFileSync(join(folder, 'park', 'pdc.csv'), 'id_pdc,code_insee_commune\n');
  const { code, stdout, stderr } = await weir(`check --park ${folder}/park`);
  t.is(code, 3);
  t.regex(stdout, /Refused:\n {2}\S+pdc\.csv, line 1: column "id_pdk" is missing/);
  t.regex(stderr, /^STREAMS_INPUT_REFUSED: not all would be read\. \S+pdc\.csv, line 1/m);
});

test('a sample is the first MiB of each file, and told as such; nothing to check, or no folder, is refused', async (t) => {
  const folder = await temporary(t);
  mkdirSync(join(folder, 'events'));
  const row = three.split('\n')[1]!;
  const rows = Math.ceil((3 << 20) / (row.length + 1));
  writeFileSync(join(folder, 'events', 'a.csv'), `${header}\n${`${row}\n`.repeat(rows)}`);
  writeFileSync(join(folder, 'events', 'b.csv'), three);
  const [sampled] = (JSON.parse(await good(t, `check ${folder}/events --sample --json`)) as Report).folders;
  const fits = Math.floor(((1 << 20) - header!.length - 1) / (row.length + 1));
  t.deepEqual(
    sampled!.files.map(({ whole, rows: found }) => [whole, found]),
    [
      [false, fits],
      [true, 3],
    ],
  );
  for (const option of ['--grace 1h', '--partitions 2']) {
    const idle = await weir(`check ${folder}/events --sample ${option}`);
    t.is(idle.code, 2);
    t.regex(idle.stderr, /^STREAMS_USAGE: --(grace|partitions) does nothing with --sample/);
  }
  t.regex((await weir('check')).stderr, /^STREAMS_USAGE: there is nothing to check: give a folder of events or --park/);
  const missing = await weir(`check ${folder}/no`);
  t.is(missing.code, 1);
  t.regex(missing.stderr, /^STREAMS_FILE: the folder \S+\/no of topic grid-events does not exist/);
});

/** File and line of each letter. */
function placesIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const { file, line: number } = JSON.parse(line) as { readonly file: string; readonly line: number };
    return `${file}:${number}`;
  });
}

/** A folder of nearly everything that a replay meets: late rows, bad ones, copies, a file that is named out of its order, packed ones, one that is refused, days that are missing. */
function hostileFolder(root: string, name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  const day = (date: string, rows: readonly string[]): string => eventFile(date, rows);
  const first = day('2018-03-01', ['10:00:00,ev_C,8', '11:00:00,ev_K,3', '12:00:00,ev_C,9']);
  const files: Record<string, string | Buffer> = {
    '20180301.csv': first,
    '20180302.csv.gz': gzipSync(day('2018-03-02', ['23:59:59,ev_C,8', '00:00:00,ev_C,9'])),
    // The day begins in 23 hours' time; what is of 1 March after it is late with a grace of a day.
    '20180303.csv': day('2018-03-03', ['22:00:00,ev_C,8', '23:00:00,ev_C,9', '23:30:00,ev_N,3']),
    '20180307.csv': `${day('2018-03-07', ['01:00:00,ev_C,8', '02:00:00,ev_C,10'])}x,y,z,u,v,w,\n`,
    '20180307b.csv': day('2018-03-01', ['13:00:00,ev_C,8', '14:00:00,ev_C,11', '15:00:00,ev_K,3']),
    '20180308.csv': day('2018-03-06', ['13:00:00,ev_C,8', '14:00:00,ev_C,12']),
    '20180309.csv': first,
    '20180310.csv.gz': gzipSync(first),
    '20180311.csv': first.replace('id_equipement', 'id_equipment '),
    '20180312.csv': '',
    'notes.txt': 'no rows',
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

for (const line of ['', '--grace 0', '--grace 200h --partitions 3', '--from 2018-03-02 --to 2018-03-07', '--zone UTC'])
  test(`what check says of a hostile folder is what a replay then does: "${line}"`, async (t) => {
    const root = await temporary(t);
    const folder = hostileFolder(root, 'events');
    const asked = `--events ${folder} ${line}`.trim();
    const { code, stdout } = await weir(`check ${asked} --json`);
    t.is(code, 3, 'a file is refused');
    const { folders, stores } = JSON.parse(stdout) as Report;
    const [{ files, gaps, ...all }] = folders as [Report['folders'][0]];
    const replayed = await weir(`replay ${asked} --state ${root}/state --out ${root}/out --json`);
    t.is(replayed.code, 3);
    const summary = JSON.parse(replayed.stdout) as Record<string, number>;
    t.deepEqual(
      [all.rows + all.skipped, all.dead, all.late, all.skipped],
      [summary['rows'], summary['dead'], summary['late'], summary['skipped']],
    );
    const late = files.flatMap(({ file, lateLines = [] }) => lateLines.map((at) => `${file}:${at}`));
    t.deepEqual(late, placesIn(`${root}/state/late.jsonl`));
    const bad = files.flatMap(({ file, bad: reasons }) =>
      reasons.flatMap(({ lines }) => lines.map((at) => `${file}:${at}`)),
    );
    t.deepEqual(bad, placesIn(`${root}/state/dead.jsonl`));
    for (const name of ['day-equipment', 'week-region', 'month-type', 'year-commune']) {
      const rows = readFileSync(`${root}/out/${name.replace('-', '_')}.csv`, 'utf8')
        .trim()
        .split('\n')
        .slice(1);
      const of = (fields: number, from = 0): number =>
        new Set(
          rows.map((row) =>
            row
              .split(',')
              .slice(from, from + fields)
              .join(),
          ),
        ).size;
      const found = stores!.find(({ store }) => store === name)!;
      t.is(found.windows, of(1), `windows of ${name}`);
      t.true(found.rows >= found.keys && found.rows <= found.keys * found.windows!);
    }
    if (line !== '') return;
    t.deepEqual(late, ['20180307b.csv:2', '20180307b.csv:3', '20180307b.csv:4']);
    t.deepEqual(gaps, [{ from: '2018-03-04', to: '2018-03-05', days: 2 }]);
    t.like(all, { first: '2018-03-01 10:00:00', last: '2018-03-07 02:00:00', days: 5 });
    t.deepEqual(
      files.flatMap(({ file, sameAs }) => (sameAs === undefined ? [] : [[file, sameAs]])),
      [
        ['20180309.csv', '20180301.csv'],
        ['20180310.csv.gz', '20180301.csv'],
      ],
    );
  });

test('of two folders over partitions check finds what a replay does', async (t) => {
  const root = await temporary(t);
  const folders = [hostileFolder(root, 'a'), join(root, 'b')];
  mkdirSync(folders[1]!);
  writeFileSync(join(folders[1]!, 'x.csv'), eventFile('2018-03-20', ['10:00:00,ev_C,8', '11:00:00,ev_C,9']));
  for (const partitions of [1, 3]) {
    const asked = `--events ${folders[0]} --events ${folders[1]} --partitions ${partitions} --grace 1h`;
    const { folders: found } = JSON.parse((await weir(`check ${asked} --json`)).stdout) as Report;
    const replayed = await weir(`replay ${asked} --state ${root}/state${partitions} --json`);
    const summary = JSON.parse(replayed.stdout) as Record<string, number>;
    const sum = (name: 'rows' | 'dead' | 'late'): number => found.reduce((total, each) => total + each[name]!, 0);
    t.deepEqual([sum('rows'), sum('dead'), sum('late')], [summary['rows'], summary['dead'], summary['late']]);
    t.true(sum('late') > 0);
    t.is(found[1]!.rows, 2);
    t.is(found[0]!.files.filter(({ refused }) => refused !== undefined).length, 1);
  }
});

test.serial('check leaves nothing behind, and of a sample it does not tell what would be late', async (t) => {
  const root = await temporary(t);
  const folder = hostileFolder(root, 'events');
  // Where what is thrown away lives.
  const { TMPDIR } = process.env;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const temporaries = join(root, 'temporaries');
  mkdirSync(temporaries);
  process.env['TMPDIR'] = temporaries;
  const whole = await weir(`check ${folder}`);
  t.regex(whole.stdout, /^Days without a row:\n {2}2018-03-04 to 2018-03-05 +2 days$/m);
  t.regex(whole.stdout, /^Late rows:\n {2}20180307b\.csv +3 +lines 2, 3, 4$/m);
  // Of 7 March 02:00 then of 1 March 13:00: 5 days and 13 hours.
  t.regex(whole.stdout, /^Out of order: by up to 133h, in 20180307b\.csv\. With --grace 133h no row is late\.$/m);
  t.notRegex((await weir(`check ${folder} --grace 133h`)).stdout, /^(Late rows|Out of order):/m);
  t.regex(whole.stdout, /^In all: 16 rows, 1 bad, 3 late, 2018-03-01 10:00:00 to 2018-03-07 02:00:00, 5 days$/m);
  t.deepEqual(readdirSync(temporaries), []);
  t.deepEqual(readdirSync(root).sort(), ['events', 'temporaries']);
  const sampled = await weir(`check ${folder} --sample`);
  t.notRegex(sampled.stdout, /late/i);
  const [file] = (JSON.parse((await weir(`check ${folder} --sample --json`)).stdout) as Report).folders[0]!.files;
  t.false('late' in file!);
});

test('of a folder without files, and of a park that cannot be loaded, check tells no stores', async (t) => {
  const folder = await temporary(t);
  mkdirSync(join(folder, 'none'));
  t.notRegex(await good(t, `check ${folder}/none`), /STORE/);
  mkdirSync(join(folder, 'events'));
  writeFileSync(join(folder, 'events', 'a.csv'), three);
  t.regex(await good(t, `check ${folder}/events`), /^STORE/m);
  t.notRegex((await weir(`check ${folder}/events --park ${folder}/none`)).stdout, /STORE/);
});
