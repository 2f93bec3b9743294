import type { Broker } from '../../../src/clients/broker.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { type HistoryTopicChange, writeHistoryTopic } from '../../../src/runtime/kafka/history-topic.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import { parkTable } from '../topology.ts';
import { loadPark } from './load-park.ts';
import { parkTableHistories } from './park-history.ts';
import { placeSerde } from './place.ts';
import { isNameKey } from './place-names.ts';

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

/** What a load has changed: equipments, and names of places apart. */
export interface ParkTopicChange extends HistoryTopicChange {
  /** Names of places that were written or removed. */
  readonly names: number;
}

/**
 * Makes the topic of the park say what a folder says, in one transaction: only equipments whose places differ, and names that do, are written.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` for a folder that cannot be read, `STREAMS_BROKER`, and `STREAMS_TASK_MIGRATED` where another load has begun meanwhile.
 */
export async function loadParkTopic(broker: Broker, options: ParkTopicOptions): Promise<ParkTopicChange> {
  const { topic = parkTable, park, zone, ...others } = options;
  const histories = parkTableHistories(await loadPark(park, { manufacturers: false }), zone);
  const named = { added: 0, changed: 0, removed: 0 };
  const change = await writeHistoryTopic(broker, {
    ...{ ...others, topic, histories, keySerde: stringSerde, valueSerde: placeSerde },
    changes(key, before, after) {
      if (!isNameKey(key)) return;
      named[after.length === 0 ? 'removed' : before.length === 0 ? 'added' : 'changed']++;
    },
  });
  return {
    ...change,
    added: change.added - named.added,
    changed: change.changed - named.changed,
    removed: change.removed - named.removed,
    unchanged: change.unchanged - (histories.names - named.added - named.changed),
    names: named.added + named.changed + named.removed,
  };
}
