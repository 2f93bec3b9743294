import type { Broker } from '../../../src/clients/broker.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { type HistoryTopicChange, writeHistoryTopic } from '../../../src/runtime/kafka/history-topic.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import { parkTable } from '../topology.ts';
import { loadPark } from './load-park.ts';
import { ParkHistories } from './park-history.ts';
import { placeSerde } from './place.ts';

/** Which park is loaded where. */
export interface ParkTopicOptions {
  /** @defaultValue 'grid-park' */
  readonly topic?: string;
  /** Folder of the park. */
  readonly park: string;
  /** IANA name of the zone whose days installations begin and end on. */
  readonly zone: string;
  /** Of a topic that is created. @defaultValue -1: the broker's */
  readonly replicationFactor?: number;
  readonly logger?: Logger;
  /** Aborted: nothing is changed. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the topic of the park say what a folder says, in one transaction: only equipments whose places differ are written.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` for a folder that cannot be read, `STREAMS_BROKER`, and `STREAMS_TASK_MIGRATED` where another load has begun meanwhile.
 */
export async function loadParkTopic(broker: Broker, options: ParkTopicOptions): Promise<HistoryTopicChange> {
  const { topic = parkTable, park, zone, ...others } = options;
  const histories = new ParkHistories(await loadPark(park, { manufacturers: false }), zone);
  return writeHistoryTopic(broker, { ...others, topic, histories, keySerde: stringSerde, valueSerde: placeSerde });
}
