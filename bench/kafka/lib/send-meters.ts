/**
 * A process of bench/kafka/steady: `send-meters BROKERS TOPIC PARTITIONS METERS PER-SECOND SECONDS` sends one event of each meter as fast as it can (PER-SECOND 0), or at an
 * even rate events of meters drawn anew each time. Of each small batch one event then is of a meter that nobody has seen before, the probe; it tells when it sent which.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { partitionOf, utf8 } from '../../../src/common/bytes.ts';
import { eventSerde } from '../../../topologies/grid/events/event-serde.ts';
import { Random } from '../../../topologies/grid/generator/random.ts';
import { permutation } from '../../lib/permutation.ts';
import { tellParent } from '../../lib/tell-parent.ts';
import { zone } from '../topologies/per-equipment.ts';
import { firstProbe, type ProbeSent } from './probe-watch.ts';
import { nowMs, steadyNoonMs } from './steady-events.ts';

const batchMs = 10;
const flushEvery = 50_000;

const [bootstrap, topic, partitionsText, metersText, perSecondText, secondsText] = process.argv.slice(2);
const [partitions, meters] = [Number(partitionsText), Number(metersText)];
const [perSecond, seconds] = [Number(perSecondText), Number(secondsText)];

const serde = eventSerde(zone);
const broker = openKafkaBroker({ bootstrapServers: [bootstrap!], clientId: 'send-meters' });
const producer = broker.producer({ transactional: false });
await producer.init();
await (perSecond === 0 ? sendOnceEach() : sendSteadily());
await producer.close();
await broker.close();

async function sendOnceEach(): Promise<void> {
  let sent = 0;
  for (const meter of permutation(meters, 1)) {
    send(1 + meter, steadyNoonMs);
    if (++sent % flushEvery === 0) await producer.flush();
  }
  await producer.flush();
}

async function sendSteadily(): Promise<void> {
  const random = new Random(1, 'steady');
  const flushes: Promise<void>[] = [];
  let [sent, probes] = [0, 0];
  const startedAt = performance.now();
  for (const total = perSecond * seconds; sent < total; await delay(batchMs)) {
    const elapsedMs = performance.now() - startedAt;
    const due = Math.min(total, Math.floor((elapsedMs * perSecond) / 1000));
    if (sent === due) continue;
    const atMs = nowMs();
    const eventMs = steadyNoonMs + 1000 * Math.floor(elapsedMs / 1000);
    const probe = firstProbe + probes++;
    send(probe, eventMs);
    while (++sent < due) send(1 + random.below(meters), eventMs);
    // Not awaited: the next batch is sent when it is due. They are carried out in order.
    flushes.push(producer.flush());
    tellParent({ probe, atMs } satisfies ProbeSent);
  }
  await Promise.all(flushes);
}

function send(equipmentId: number, occurredAtMs: number): void {
  const key = utf8(`C:${equipmentId}`);
  const event = { eventId: 20140101120000, occurredAtMs, arrivedAtMs: occurredAtMs, type: 'ev_C', info: '' } as const;
  const row = serde.serialize({ ...event, equipmentType: 'C', equipmentId });
  producer.append(topic!, partitionOf(key, partitions), occurredAtMs, key, row);
}
