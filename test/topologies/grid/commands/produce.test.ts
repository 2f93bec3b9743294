import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { produceCommand } from '../../../../src/cli/produce-command.ts';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { gridSpec } from '../../../../topologies/grid/application-spec.ts';
import { eventSerde } from '../../../../topologies/grid/events/event-serde.ts';
import { run } from '../../../cli/fixtures/run.ts';
import { dataSet, good, temporary, until } from './weir.ts';

interface Sent {
  readonly key: string;
  readonly value: string;
  readonly at: string;
}

/** Runs `produce` over a folder, and gives what is in the topic. */
async function produced(t: ExecutionContext, events: string, line = ''): Promise<readonly Sent[]> {
  const cluster = new MemoryCluster();
  const command = produceCommand(gridSpec, async () => cluster.connect());
  const { code, stdout, stderr } = await run(
    [command],
    `produce --events ${events} --dead ${events}.jsonl --json ${line}`,
  );
  t.is(code, 0, stderr);
  const { sent } = JSON.parse(stdout) as { readonly sent: number };
  const read = () => cluster.read('grid-events', 0);
  await until(() => read().length === sent);
  return read().map(({ key, value, timestamp }) => ({
    key: Buffer.from(key!).toString(),
    value: Buffer.from(value!).toString(),
    at: new Date(timestamp).toISOString(),
  }));
}

const header = 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div';

async function folderOf(t: ExecutionContext, text: string): Promise<string> {
  const events = join(await temporary(t), 'events');
  mkdirSync(events);
  writeFileSync(join(events, 'a.csv'), text);
  return events;
}

test('an event is keyed by its equipment, carries its row, and has its time of occurrence in the zone', async (t) => {
  const rows = [
    '20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,',
    '20180715120000,2018-07-15 12:00:00,2018-07-15 13:00:00,ev_N,K,7,"a, ""b"""',
  ];
  const events = await folderOf(t, [header, ...rows, ''].join('\n'));
  t.deepEqual(await produced(t, events), [
    { key: 'C:10', value: rows[0]!, at: '2017-12-14T23:00:10.000Z' },
    { key: 'K:7', value: rows[1]!, at: '2018-07-15T10:00:00.000Z' },
  ]);
  t.deepEqual(
    (await produced(t, events, '--zone Asia/Tokyo')).map(({ at }) => at),
    ['2017-12-14T15:00:10.000Z', '2018-07-15T03:00:00.000Z'],
  );
});

test('columns in another order and among others become the canonical row', async (t) => {
  const events = await folderOf(
    t,
    'extra,type_evt,id_equipement,type_equipement,info_div,date_system_evt,date_occur_evt,id_evt\n' +
      'x,ev_C,10,C,ok,2017-12-15 12:00:00,2017-12-15 00:00:10,20171215000010\n',
  );
  const [sent] = await produced(t, events);
  t.is(sent!.value, '20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,ok');
});

test('what is sent is read back as the events of the files, and bad rows are those of a replay', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { damage: 0.05, late: true, days: 4 });
  const events = join(folder, 'events');
  const sent = await produced(t, events);
  await good(t, `replay --events ${events} --state ${folder}/state`);
  // Records from the future are judged by whoever reads the topic.
  const letters = linesOf(join(folder, 'state', 'dead.jsonl')).filter((line) => !line.includes('"reason":"future"'));
  t.deepEqual(linesOf(`${events}.jsonl`), letters);
  t.true(letters.length > 50);
  const serde = eventSerde('Europe/Paris');
  const bad = new Set(letters.map(idOfLetter));
  let i = 0;
  for (const name of readdirSync(events).sort()) {
    const rows = readFileSync(join(events, name), 'utf8').split('\n');
    rows.forEach((row, at) => {
      // Quoted rows may be written otherwise, and run over lines: they stand between the others.
      if (!/^\d{14},/.test(row) || row.includes('"') || bad.has(`${name}:${at + 1}`)) return;
      const text = row.replace(/\r$/, '');
      while (i < sent.length && sent[i]!.value !== text) i++;
      t.true(i < sent.length, `${name}:${at + 1} ${row}`);
      const { key, at: time } = sent[i++]!;
      const event = serde.deserialize(Buffer.from(text));
      t.is(time, new Date(event.occurredAtMs).toISOString());
      t.is(key, `${event.equipmentType}:${event.equipmentId}`);
    });
  }
  t.true(i > 2000);
});

function idOfLetter(line: string): string {
  const { file, line: at } = JSON.parse(line) as { readonly file: string; readonly line: number };
  return `${file}:${at}`;
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
