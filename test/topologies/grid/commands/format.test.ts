import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { produceCommand } from '../../../../src/cli/produce-command.ts';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { gridSpec } from '../../../../topologies/grid/application-spec.ts';
import { run } from '../../../cli/fixtures/run.ts';
import { dataSet, digestOf, good, temporary, until, weir } from './weir.ts';

/** The files of another system: UTF-16, semicolons, a preamble, other names, times in other forms, kinds as numbers, no ids of events. */
const format = {
  separator: ';',
  quote: "'",
  encoding: 'utf-16le',
  skipLines: 2,
  columns: {
    id_evt: { column: 'Horodate', time: 'DD/MM/YYYY HH:mm:ss', as: 'YYYYMMDDHHmmss' },
    date_occur_evt: { column: 'Horodate', time: 'DD/MM/YYYY HH:mm:ss' },
    date_system_evt: { column: ['Reçu le', 'à'], time: 'YYYY-MM-DD HH[h]mm:ss', zone: 'Europe/Paris' },
    type_evt: { column: 'Type ', values: { 1: 'ev_C', 2: 'ev_K', 3: 'ev_N' } },
    type_equipement: { column: 'Type ', values: { 1: 'C', 2: 'K', 3: 'K' } },
    id_equipement: 'N°',
    info_div: { column: 'Note', missing: ['?'] },
  },
};

function otherFile(events: string): Buffer {
  const rows = parse(events, { columns: true }) as Record<string, string>[];
  const text = (field: string): string => (/[;'\r\n]/.test(field) ? `'${field.replaceAll("'", "''")}'` : field);
  const lines = rows.map((row) => {
    const [date, time] = row['date_occur_evt']!.split(' ');
    const [year, month, day] = date!.split('-');
    const [received, at] = row['date_system_evt']!.split(' ');
    const type = { ev_C: 1, ev_K: 2, ev_N: 3 }[row['type_evt']!];
    const info = row['info_div']! === '' ? '?' : row['info_div']!;
    return [
      row['id_equipement']!,
      `${day}/${month}/${year} ${time}`,
      type,
      received!,
      at!.replace(':', 'h'),
      text(info),
    ].join(';');
  });
  const head = ["l'export;\n\n", 'N°;Horodate;Type ;Reçu le;à;Note'].join('');
  return Buffer.from(`\ufeff${head}\r\n${lines.join('\r\n')}\r\n`, 'utf16le');
}

/** A generated data set in `events`, and the same as another system writes it in `others`, with `format.json`. */
async function bothWays(t: ExecutionContext): Promise<string> {
  const folder = await temporary(t);
  await dataSet(folder, { late: true });
  mkdirSync(join(folder, 'others'));
  for (const name of readdirSync(join(folder, 'events')))
    writeFileSync(join(folder, 'others', name), otherFile(readFileSync(join(folder, 'events', name), 'utf8')));
  writeFileSync(join(folder, 'format.json'), JSON.stringify(format));
  return folder;
}

test('files of another system, mapped by --format, give the statistics of the events that they hold', async (t) => {
  const folder = await bothWays(t);
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/plain`);
  const mapped = `replay --events ${folder}/others --format ${folder}/format.json --park ${folder}/park --state ${folder}/mapped --out ${folder}/out --json`;
  t.like(JSON.parse(await good(t, mapped)), { rows: 6000, dead: 0 });
  t.is(await digestOf(t, join(folder, 'mapped')), await digestOf(t, join(folder, 'plain')));
  for (const name of readdirSync(join(folder, 'truth/statistics')))
    t.deepEqual(readFileSync(join(folder, 'out', name)), readFileSync(join(folder, 'truth/statistics', name)), name);
  t.like(JSON.parse(await good(t, mapped)), { rows: 0, dead: 0 });
  const plain = await weir(`replay --events ${folder}/others --state ${folder}/mapped`);
  t.is(plain.code, 3);
  t.regex(plain.stderr, /STREAMS_STATE_INCOMPATIBLE.*Give the format that its files were read with/);
});

test('produce --format sends the rows that the events have', async (t) => {
  const folder = await bothWays(t);
  const sent = async (line: string): Promise<readonly string[]> => {
    const cluster = new MemoryCluster();
    const command = produceCommand(gridSpec, async () => cluster.connect());
    const { code, stderr } = await run([command], `produce ${line} --dead ${folder}/sent.jsonl`);
    t.is(code, 0, stderr);
    const read = () => cluster.read('grid-events', 0);
    await until(() => read().length === 6000);
    return read().map(({ key, value, timestamp }) => `${Buffer.from(key!)} ${Buffer.from(value!)} ${timestamp}`);
  };
  const mapped = await sent(`--events ${folder}/others --format ${folder}/format.json`);
  t.deepEqual(mapped, await sent(`--events ${folder}/events`));
});

test('several records from one row, and what repair writes is read by the same --format', async (t) => {
  const folder = await temporary(t);
  const events = join(folder, 'events');
  mkdirSync(events);
  const mapping = {
    separator: '|',
    encoding: 'latin1',
    names: ['at', 'meter', 'concentrator', 'kind'],
    columns: {
      id_evt: { column: 'at', time: 'epoch-s', as: 'YYYYMMDDHHmmss' },
      date_occur_evt: { column: 'at', time: 'epoch-s' },
      date_system_evt: { column: 'at', time: 'epoch-s' },
      info_div: { constant: 'é' },
    },
    records: [
      { type_evt: { constant: 'ev_C' }, type_equipement: { constant: 'C' }, id_equipement: 'meter' },
      { type_evt: { constant: 'ev_N' }, type_equipement: { constant: 'K' }, id_equipement: 'concentrator' },
    ],
  };
  writeFileSync(join(folder, 'format.json'), `\ufeff${JSON.stringify(mapping)}`);
  writeFileSync(join(events, 'a.csv'), '1520000000|7|3|x\n1520000001|8|03|x\n1520000002|9|3|x\n');
  const replay = `replay --events ${events} --format ${folder}/format.json --state ${folder}/state --json`;
  t.like(JSON.parse(await good(t, replay)), { rows: 5, dead: 1 });
  await good(t, `repair --dead ${folder}/state/dead.jsonl --out ${folder}/mended --format ${folder}/format.json`);
  const [mended] = readdirSync(join(folder, 'mended'));
  const row = readFileSync(join(folder, 'mended', mended!), 'latin1');
  t.is(row, '1520000001|8|03|x\n');
  writeFileSync(join(events, mended!), row.replace('03', '3'), 'latin1');
  t.like(JSON.parse(await good(t, replay)), { rows: 2, dead: 0 });
  const day = await good(t, `query day equipment --state ${folder}/state`);
  t.deepEqual(
    day
      .match(/2018-03-02.*/g)
      ?.map((line) => line.replaceAll(/\s+/g, ' ').trim())
      .sort(),
    [
      '2018-03-02 2018-03-03 C:7 ev_C 1 false',
      '2018-03-02 2018-03-03 C:8 ev_C 1 false',
      '2018-03-02 2018-03-03 C:9 ev_C 1 false',
      '2018-03-02 2018-03-03 K:3 ev_N 3 false',
    ],
  );
});

test('a --format that is wrong is told by its file and option', async (t) => {
  const folder = await temporary(t);
  mkdirSync(join(folder, 'events'));
  const wrong = async (text: string, message: RegExp, code = 2): Promise<void> => {
    writeFileSync(join(folder, 'format.json'), text);
    const ran = await weir(`replay --events ${folder}/events --format ${folder}/format.json --state ${folder}/state`);
    t.is(ran.code, code, ran.stderr);
    t.regex(ran.stderr, message);
  };
  await wrong('{', /STREAMS_CONFIG: --format .*format.json is not JSON/);
  await wrong('[]', /is not a JSON object/);
  await wrong('{"seperator": ";"}', /format.json: a file format has no option seperator.* Did you mean separator\?/);
  await wrong(
    '{"columns": {"id_event": "x"}}',
    /the rows to be made have no column id_event: there are id_evt, .*Did you mean id_evt\?/,
  );
  await wrong('{"columns": {"id_evt": {"column": "x", "valeus": {}}}}', /has no option valeus/);
  await wrong('{"columns": {"id_evt": {"column": "x", "time": "QQ:mm"}}}', /has QQ: /);
  await wrong('{"encoding": "ebcdic"}', /encoding of a file format is "ebcdic": expected one of utf-8/);
});

test('events as JSON lines, with nested members and other names, give the same digest; repair writes their letters as lines', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  mkdirSync(join(folder, 'lines'));
  for (const name of readdirSync(join(folder, 'events'))) {
    const rows = parse(readFileSync(join(folder, 'events', name), 'utf8'), { columns: true }) as Record<
      string,
      string
    >[];
    const lines = rows.map(({ type_equipement, id_equipement, info_div, ...row }) =>
      JSON.stringify({
        ...row,
        of: { type: type_equipement, id: Number(id_equipement) },
        ...(info_div !== '' && { info_div }),
      }),
    );
    writeFileSync(join(folder, 'lines', name.replace('.csv', '.jsonl')), `${lines.join('\n')}\n`);
  }
  writeFileSync(join(folder, 'lines', 'z.jsonl'), '{"id_evt":"1"}\nbad\n');
  const columns = { type_equipement: 'of.type', id_equipement: 'of.id', info_div: { missing: [''] } };
  writeFileSync(join(folder, 'lines.json'), JSON.stringify({ form: 'ndjson', columns }));
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/a`);
  const line = `--events ${folder}/lines --format ${folder}/lines.json`;
  const replayed = await weir(`replay ${line} --park ${folder}/park --state ${folder}/b --json`);
  t.like(JSON.parse(replayed.stdout), { dead: 2 });
  t.is(await digestOf(t, `${folder}/b`), await digestOf(t, `${folder}/a`));
  const checked = await weir(`check ${line}`);
  t.is(checked.code, 3);
  t.regex(checked.stdout, /^grid-events: .*, a JSON object in each line, utf-8, times of Europe\/Paris, grace 24h$/m);
  t.regex(checked.stdout, /^z\.jsonl +ndjson +2 +2 +0 +whole$/m);
  const repair = `repair --dead ${folder}/b/dead.jsonl --out ${folder}/mended --format ${folder}/lines.json`;
  const path = (await good(t, repair)).trim();
  t.regex(path, /z-repaired-\w+-1-2\.jsonl$/);
  t.is(readFileSync(path, 'utf8'), '{"id_evt":"1"}\nbad\n');
});
