import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { blocksOf, runProgram, writeBlocks } from './page-programs.ts';

const page = 'docs/start.md';
const [checked = '', summed = ''] = blocksOf(page, 'text').map(({ text }) => text);

/** The folder of a reader who has come to the fourth step. */
function project(t: ExecutionContext): string {
  const folder = writeBlocks(t, page);
  mkdirSync(join(folder, 'readings'));
  writeFileSync(join(folder, 'readings/march.csv'), blocksOf(page, 'csv')[0]!.text);
  return folder;
}

const run = async (folder: string, name: string): Promise<string> => runProgram(join(folder, name), [], folder);

test('the guide to start checks and sums its file as it shows, and a second run says the same', async (t) => {
  const folder = project(t);
  t.is(await run(folder, 'check.ts'), checked);
  t.is(await run(folder, 'sums.ts'), summed);
  t.is(await run(folder, 'sums.ts'), summed);
  const letter = JSON.parse(readFileSync(join(folder, 'state/readings-dead.jsonl'), 'utf8')) as {
    file: string;
    line: number;
  };
  t.deepEqual([letter.file, letter.line], ['march.csv', 8]);
});

test('what the guide to start says of mistakes is what its programs say of them', async (t) => {
  const folder = project(t);
  const table = readFileSync(new URL('../../docs/start.md', import.meta.url), 'utf8');
  const says = async (content: string | Buffer, beginning: string): Promise<void> => {
    writeFileSync(join(folder, 'readings/march.csv'), content);
    const said = await run(folder, 'check.ts');
    t.true(said.includes(beginning), said);
    t.true(table.includes(beginning), beginning);
  };
  await says('Meter;Date;Time;Consumption (kWh)\n', 'it lacks the column "kWh"; it has');
  await says('Readings of March\n\nMeter;Date;Time;kWh\n', 'its header is line 3, below lines that are no table');
  await says(Buffer.from('Z\u00e4hler;Date;Time;kWh\n', 'latin1'), 'its header is not UTF-8');
  await says('Meter,Date,Time,kWh\n', 'its columns are separated by ","');
  await says(
    'Meter;Date;Time;kWh\nA-7;03/30/2024;22:30;1\n',
    'the columns "Date" and "Time" have "03/30/2024 22:30", which is not a time of the form',
  );
  await says('Meter;Date;Time;kWh\nA-7;30/03/2024;22:30;1.5\n', 'which is not a number with ","');
});

test('a column that was named wrongly is put right without deleting the state', async (t) => {
  const folder = project(t);
  const meters = readFileSync(join(folder, 'meters.ts'), 'utf8');
  writeFileSync(join(folder, 'meters.ts'), meters.replace("column: 'kWh'", "column: 'kwh'"));
  await t.throwsAsync(run(folder, 'sums.ts'), {
    message: /a file of topic readings cannot be read, .* march\.csv: it lacks the column "kwh"/,
  });
  writeFileSync(join(folder, 'meters.ts'), meters);
  t.is(await run(folder, 'sums.ts'), summed);
});
