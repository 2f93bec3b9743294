/**
 * A process of bench/kafka/freshness: `send-steadily BROKERS TOPIC PARTITIONS PARK PER-SECOND SECONDS` sends events of the park's meters in small batches at an
 * even rate, one of each batch the probe's, and tells when it sent what.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { partitionOf, utf8 } from '../../../src/common/bytes.ts';
import { eventSerde } from '../../../topologies/grid/events/event-serde.ts';
import { tellParent } from '../../lib/tell-parent.ts';
import { zone } from '../topologies/per-equipment.ts';
import { nowMs, placedMeters, type Sent, steadyNoonMs } from './steady-events.ts';

const batchMs = 10;

const [bootstrap, topic, partitionsText, park, perSecondText, secondsText] = process.argv.slice(2);
const partitions = Number(partitionsText);
const perMs = Number(perSecondText) / 1000;
const endMs = 1000 * Number(secondsText);

const meters = [...(await placedMeters(park!))].map(([key, { commune }]) => {
  const bytes = utf8(key);
  return { id: Number(key.slice(2)), bytes, partition: partitionOf(bytes, partitions), commune };
});
const probe = meters[0]!;
const serde = eventSerde(zone);
const broker = openKafkaBroker({ bootstrapServers: [bootstrap!], clientId: 'send-steadily' });
const producer = broker.producer({ transactional: false });
await producer.init();

let [all, ofProbe, ofCommune] = [0, 0, 0];
const startedAt = performance.now();
const flushes: Promise<void>[] = [];
for (let elapsedMs = 0; elapsedMs < endMs; elapsedMs = performance.now() - startedAt) {
  const due = Math.floor(elapsedMs * perMs);
  if (all < due) {
    const atMs = nowMs();
    send(probe, elapsedMs);
    while (all < due) send(meters[all % meters.length]!, elapsedMs);
    // Not awaited: the next batch is sent when it is due. They are carried out in order.
    flushes.push(producer.flush());
    tellParent({ sent: { atMs, ofProbe, ofCommune, all } } satisfies Sent);
  }
  await delay(batchMs);
}
await Promise.all(flushes);
await producer.close();
await broker.close();

function send({ id, bytes, partition, commune }: (typeof meters)[number], elapsedMs: number): void {
  const occurredAtMs = steadyNoonMs + 1000 * Math.floor(elapsedMs / 1000);
  const event = { eventId: 20140101120000, occurredAtMs, arrivedAtMs: occurredAtMs, type: 'ev_C', info: '' } as const;
  const row = serde.serialize({ ...event, equipmentType: 'C', equipmentId: id });
  producer.append(topic!, partition, occurredAtMs, bytes, row);
  all++;
  if (id === probe.id) ofProbe++;
  if (commune === probe.commune) ofCommune++;
}
