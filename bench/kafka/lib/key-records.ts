import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf, utf8 } from '../../../src/common/bytes.ts';
import { shuffled } from '../../lib/shuffled.ts';
import { keysTopic } from '../topologies/counted-keys.ts';
import type { BenchBroker } from './bench-broker.ts';

const perBatch = 20_000;
const value = Uint8Array.of(1);

/** Which records to send. */
export interface KeyRecords {
  /** Records in all: each of the keys once, and then again from the start. */
  readonly count: number;
  readonly keys: number;
  readonly partitions: number;
  /** Records a second. @defaultValue as fast as it goes */
  readonly perSecond?: number;
}

/** Sends records whose keys, of 16 digits, come in no order. */
export async function sendKeys({ client }: BenchBroker, records: KeyRecords): Promise<void> {
  const { count, keys, partitions, perSecond } = records;
  const producer = client.producer({ transactional: false });
  await producer.init();
  const batch = perSecond === undefined ? perBatch : Math.ceil(perSecond / 100);
  for (let sent = 0; sent < count; ) {
    const until = Math.min(count, sent + batch);
    for (; sent < until; sent++) {
      const key = utf8(String(shuffled(sent, keys)).padStart(16, '0'));
      producer.append(keysTopic, partitionOf(key, partitions), Date.now(), key, value);
    }
    await producer.flush();
    if (perSecond !== undefined) await delay((1000 * batch) / perSecond);
  }
  await producer.close();
}
