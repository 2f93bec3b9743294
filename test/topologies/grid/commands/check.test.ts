import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { dataSet, eventFile, good, temporary, weir } from './weir.ts';

interface Report {
  readonly folders: readonly {
    readonly dialect: string;
    readonly skipped: number;
    readonly files: readonly {
      readonly file: string;
      readonly kind: string;
      readonly whole: boolean;
      readonly rows: number;
      readonly dead: number;
      readonly first?: string;
      readonly last?: string;
      readonly bad: readonly { readonly reason: string; readonly rows: number; readonly lines: readonly number[] }[];
      readonly refused?: string;
      readonly remarks: readonly string[];
    }[];
    readonly leftOut: readonly { readonly file: string; readonly why: string }[];
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
  t.deepEqual(leftOut, [{ file: 'notes.txt', why: 'its name does not end with .csv, .csv.gz or .csv.zst' }]);
  const table = await good(t, `check --events ${folder}`);
  t.regex(table, /^a\.csv +csv +7 +4 +whole +2018-01-31 01:30:00 +2018-01-31 23:00:00$/m);
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
  t.regex(stderr, /e\.csv of \S+: every row of it is bad/);
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
  t.regex((await weir('check')).stderr, /^STREAMS_USAGE: there is nothing to check: give a folder of events or --park/);
  const missing = await weir(`check ${folder}/no`);
  t.is(missing.code, 1);
  t.regex(missing.stderr, /^STREAMS_FILE: the folder \S+\/no of topic grid-events does not exist/);
});
