/** Writes `kept/` from Kafka Streams (`npm run format` afterwards); with `--check` only compares, and exits 1 on a difference. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { KafkaStreamsProcess } from './kafka-streams.ts';
import { keptFile, loadKept } from './kept.ts';
import { keptCases } from './kept-cases.ts';

const check = process.argv.includes('--check');
const kafkaStreams = new KafkaStreamsProcess();
mkdirSync(new URL('./', keptFile('any')), { recursive: true });
for (const kept of keptCases) {
  const given = { seed: kept.name, nodes: kept.nodes, input: kept.input };
  const { without } = kept;
  const answer = {
    theirs: await kafkaStreams.run(given),
    ...(without === undefined ? {} : { withoutCause: await kafkaStreams.run(given, without) }),
  };
  if (!check) writeFileSync(keptFile(kept.name), `${JSON.stringify(answer, undefined, 2)}\n`);
  else if (!isDeepStrictEqual(loadKept(kept.name), answer)) {
    console.log(`${kept.name}: Kafka Streams does otherwise than ${keptFile(kept.name)} says`);
    process.exitCode = 1;
  }
}
await kafkaStreams.close();
