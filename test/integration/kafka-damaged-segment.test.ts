import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { KafkaPart, newName } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { madeData } from './helpers/made-data.ts';
import { weir } from './helpers/weir.ts';

const topic = 'grid-events';
const kafka = await KafkaPart.start({ throughProxy: false });

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-damaged-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Changes one bit in the middle of the partition's first segment, as a failing disk does. */
async function flipBit(): Promise<void> {
  const segment = join(kafka.server.dataDir, 'data', `${topic}-0`, '00000000000000000000.log');
  const file = await open(segment, 'r+');
  const at = Math.floor((await file.stat()).size / 2);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  buffer[0]! ^= 16;
  await file.write(buffer, 0, 1, at);
  await file.close();
}

kafka.test(
  'a bit that a disk has changed in a segment of the broker ends the reading with topic, partition and offset',
  async (t) => {
    const folder = await folderOf(t);
    const brokers = ['--brokers', kafka.server.bootstrap];
    const data = await madeData({ days: 4, eventsPerDay: 2000, damage: 0, late: false, seed: 11 });
    await weir(['park', 'load', ...brokers, '--park', `${data}/park`]);
    await weir(['produce', ...brokers, '--events', `${data}/events`, '--dead', join(folder, 'dead.jsonl')]);
    await flipBit();
    const name = ['--application-id', newName('app')];
    const run = ['run', ...brokers, ...name, '--state', join(folder, 'state'), '--port', '0', '--until-caught-up'];
    for (let i = 0; i < 2; i++) {
      const process = new WeirProcess(run);
      t.is(await process.ended(), 1, process.stderr.slice(-2000));
      t.regex(process.stderr.trim().split('\n').at(-1)!, /^STREAMS_BATCH_CORRUPT: .*grid-events.*\b0\b.*\d+/);
    }
    const to = join(folder, 'archive');
    const sink = new WeirProcess(['sink', ...brokers, '--to', to, '--until-caught-up']);
    t.is(await sink.ended(), 1);
    t.regex(sink.stderr, /STREAMS_BATCH_CORRUPT/);
  },
  test.serial,
);
