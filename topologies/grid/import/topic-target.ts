import type { Broker } from '../../../src/clients/broker.ts';
import { fromUtf8, utf8 } from '../../../src/common/bytes.ts';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { Version } from '../../../src/processor/rows.ts';
import { compareHistoryTopic, writeHistoryTopic } from '../../../src/runtime/kafka/history-topic.ts';
import { readToEnd } from '../../../src/runtime/kafka/read-to-end.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import { type Place, placeSerde } from '../park/place.ts';
import { isNameKey } from '../park/place-names.ts';
import { ParkDifference } from './park-difference.ts';
import type { ApplyOptions, LastImport, ParkOfZone, ParkTarget } from './park-target.ts';

/** Which topic is imported into. */
export interface TopicTargetOptions {
  readonly broker: Broker;
  readonly topic: string;
  readonly zone: string;
  readonly replicationFactor: number;
  readonly logger: Logger;
}

/** The key of the record that remembers the last import. */
const lastKey = 'last';

/**
 * The topic of the park as the target of imports: what instances on Kafka count by. Its difference is one transaction, and with it the record of the last import in the topic
 * `<topic>-imports`.
 */
export class TopicTarget implements ParkTarget {
  readonly name: string;
  readonly #options: TopicTargetOptions;
  readonly #imports: string;

  constructor(options: TopicTargetOptions) {
    this.#options = options;
    this.name = options.topic;
    this.#imports = `${options.topic}-imports`;
  }

  async last(): Promise<LastImport | undefined> {
    const topic = this.#imports;
    const { broker } = this.#options;
    if (!(await broker.admin.partitionCounts([topic])).has(topic)) return undefined;
    let last: string | undefined;
    await readToEnd(
      broker,
      [{ topic, partition: 0 }],
      ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds, length }) => {
        for (let i = 0; i < length; i++)
          if (fromUtf8(bytes.subarray(keyStarts[i], keyEnds[i])) === lastKey)
            last = fromUtf8(bytes.subarray(valueStarts[i], valueEnds[i]));
      },
    );
    try {
      return last === undefined ? undefined : (JSON.parse(last) as LastImport);
    } catch (cause) {
      const message = `the last record of topic ${topic} cannot be read: ${messageOf(cause)}. Delete the topic to import without comparing the numbers of rows.`;
      throw new StreamsError('STREAMS_DESERIALIZATION', message, { topic, cause });
    }
  }

  async apply(histories: ParkOfZone, { record, dryRun, signal }: ApplyOptions): Promise<ParkDifference> {
    const { broker, topic, zone, replicationFactor, logger } = this.#options;
    const difference = new ParkDifference(Zone.of(zone));
    const park = histories(zone);
    let names = 0;
    const options = {
      ...{ topic, histories: park, keySerde: stringSerde, valueSerde: placeSerde },
      ...{ replicationFactor, logger, signal },
      changes: (key: string, before: readonly Version<Place>[], after: readonly Version<Place>[]): void => {
        difference.add(key, before, after);
        if (isNameKey(key) && after.length > 0) names++;
      },
      alongside: { topic: this.#imports, key: utf8(lastKey), value: utf8(JSON.stringify(record)) },
    };
    const { unchanged } = await (dryRun ? compareHistoryTopic : writeHistoryTopic)(broker, options);
    difference.addUnchanged(unchanged - (park.names - names));
    return difference;
  }
}
