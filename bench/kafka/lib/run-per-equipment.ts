/**
 * A measured process of bench/kafka/per-equipment: `run-per-equipment BROKERS APPLICATION STATE PLAN GUARANTEE COMMIT-MS RECORDS` counts until so many
 * records are processed, and commits. COMMIT-MS 0 is the runtime's own default.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { KafkaStreams } from '../../../src/runtime/kafka/kafka-streams.ts';
import { type PerEquipmentPlan, perEquipment } from '../topologies/per-equipment.ts';

const [bootstrap, applicationId, stateDir, plan, guarantee, commitText, recordsText] = process.argv.slice(2);
const commitIntervalMs = Number(commitText);
const records = Number(recordsText);
const broker = openKafkaBroker({ bootstrapServers: [bootstrap!], clientId: 'per-equipment' });
const streams = new KafkaStreams(perEquipment(plan as PerEquipmentPlan), {
  broker,
  applicationId: applicationId!,
  stateDir: stateDir!,
  guarantee: guarantee as 'exactly_once' | 'at_least_once',
  ...(commitIntervalMs > 0 && { commitIntervalMs }),
});
await streams.start();
while (processed() < records) {
  if (streams.state === 'ERROR') throw streams.failure;
  await delay(20);
}
await streams.close();
await broker.close();

function processed(): number {
  return streams.stats().tasks.reduce((sum, task) => sum + task.processed, 0);
}
