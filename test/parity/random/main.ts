/**
 * Random topologies here and in Kafka Streams: `node --import tsx test/parity/random/main.ts [--cases N] [--seed SEED] [--seconds N] [--only SEED-I]`.
 *
 * Prints each unexplained difference, shrunk, with the seed that gives it again; exits 1 if there is one.
 */
import { parseArgs } from 'node:util';
import { buildTopology } from './build.ts';
import type { Mode, RandomCase } from './description.ts';
import { type KafkaStreamsRun, unexplained } from './explained.ts';
import { randomCase } from './generate.ts';
import { KafkaStreamsProcess } from './kafka-streams.ts';
import { runCase } from './run-case.ts';
import { shrunk } from './shrink.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '300' },
    seed: { type: 'string', default: Date.now().toString(36) },
    seconds: { type: 'string', default: '3600' },
    only: { type: 'string' },
    shrink: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const kafkaStreams = new KafkaStreamsProcess();

const inKafkaStreams: KafkaStreamsRun = (given, without) => kafkaStreams.run(given, without);

/** How a case differs, by mode, and what explains. */
async function differencesOf(given: RandomCase): ReturnType<typeof unexplained> {
  const [uncached, cached] = [await runCase(given, 'uncached'), await runCase(given, 'cached')];
  return unexplained(given, { uncached, cached }, inKafkaStreams);
}

/** Whether a smaller case can be built at all, and differs in the same mode and manner. */
async function stillDiffers(smaller: RandomCase, mode: Mode, failed: boolean): Promise<boolean> {
  try {
    buildTopology(smaller.nodes);
  } catch {
    return false;
  }
  const difference = (await differencesOf(smaller)).differences.get(mode);
  return difference !== undefined && difference.startsWith('weir:') === failed;
}

async function report(given: RandomCase, mode: Mode, difference: string): Promise<void> {
  console.log(`\nDIFFERENCE ${mode} seed ${given.seed}`);
  const failed = difference.startsWith('weir:');
  const least = options.shrink ? await shrunk(given, (smaller) => stillDiffers(smaller, mode, failed)) : given;
  for (const node of least.nodes) console.log(JSON.stringify(node));
  console.log(least.input.map((row) => JSON.stringify(row)).join(' '));
  console.log((await differencesOf(least)).differences.get(mode));
}

const seeds = options.only === undefined ? undefined : [options.only];
const count = seeds?.length ?? Number(options.cases);
const end = Date.now() + Number(options.seconds) * 1000;
console.log(`seed ${options.seed}`);
let different = 0;
let done = 0;
const explained = new Map<string, number>();
for (; done < count && Date.now() < end; done++) {
  const given = randomCase(seeds?.[done] ?? `${options.seed}-${done}`);
  const found = await differencesOf(given);
  for (const why of found.causes) explained.set(why, (explained.get(why) ?? 0) + 1);
  for (const [mode, difference] of found.differences) {
    different++;
    await report(given, mode, difference);
  }
}
for (const [why, times] of explained) console.log(`explained, ${times} times: ${why}`);
console.log(`${done} cases, ${different} unexplained differences`);
await kafkaStreams.close();
process.exitCode = different === 0 && done > 0 ? 0 : 1;
