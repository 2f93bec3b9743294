/**
 * A topic of 200 MB into dated files, from the start of the process to its end: `weir sink` in each format, beside a plain copy of the files that the topic was
 * made of. Each file is read back and its rows are counted.
 */
import { join } from 'node:path';
import { printConditions } from '../lib/conditions.ts';
import { cacheFolder, freshFolder } from '../lib/folders.ts';
import { gridData } from '../lib/grid-data.ts';
import { readOptions } from '../lib/options.ts';
import { freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { countSunkRows } from './lib/count-sunk-rows.ts';
import { beside, type Contender, inTurn } from './lib/in-turn.ts';
import { buildWeir, runProgram, runWeir } from './lib/measured.ts';

const options = readOptions({
  days: 12,
  'events-per-day': 255_000,
  runs: 3,
  partitions: 1,
  contenders: 'copy,csv,jsonl,parquet',
  'roll-size': '128MB',
  brokers: '',
});
const { days, runs, partitions, brokers } = options;

const data = await gridData({ days, meters: 25, concentrators: 5, eventsPerDay: options['events-per-day'] });
await buildWeir();
const broker = await openBenchBroker(brokers);
const topic = `sunk-${process.pid}`;
try {
  printConditions();
  console.log(`${data.rows.toLocaleString('en-US')} rows, ${Math.round(data.bytes / 1e6)} MB`);
  await freshTopic(broker, topic, partitions);
  const dead = join(cacheFolder, `${topic}-dead.jsonl`);
  await runWeir(['produce', '--brokers', broker.bootstrap, '--events', data.events, '--topic', topic, '--dead', dead]);
  await inTurn(
    options.contenders.split(',').map((name) => contender(name)),
    runs,
  );
} finally {
  await broker.close();
}

function contender(name: string): Contender {
  const title = name === 'copy' ? 'copy of the files' : `weir sink --format ${name}`;
  let run = 0;
  return {
    title,
    async run() {
      const to = await freshFolder('sunk');
      const group = `${topic}-${name}-${run++}`;
      const figures = await beside(broker, title, data.rows, () =>
        name === 'copy' ? runProgram('copy-files', [data.events, to]) : sink(name, group, to),
      );
      const rows = await countSunkRows(to);
      if (rows !== data.rows) throw new Error(`${title}: ${to} has ${rows} rows, not ${data.rows}`);
      return figures;
    },
  };
}

function sink(format: string, group: string, to: string): ReturnType<typeof runWeir> {
  const args = ['sink', '--brokers', broker.bootstrap, '--topic', topic, '--to', to, '--format', format];
  return runWeir([...args, '--group', group, '--roll-size', options['roll-size'], '--until-caught-up']);
}
