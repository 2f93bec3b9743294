import { StreamsError } from '../../common/errors.ts';
import type { Consumed } from '../options.ts';

type AnyConsumed = Consumed<unknown, unknown>;

/** A source of streams, as it was first asked for. */
interface KnownSource {
  readonly name: string;
  readonly topics: readonly string[];
  readonly consumed: AnyConsumed;
}

/** The sources of a builder's streams: one for streams of the same topics. Kafka Streams: `InternalStreamsBuilder.mergeDuplicateSourceNodes()`. */
export class StreamSources {
  readonly #known: KnownSource[] = [];

  /**
   * The name of the source that reads these topics, made by `add` where none does yet.
   *
   * @param topics - Without duplicates, in any order.
   * @throws StreamsError `STREAMS_TOPOLOGY` - they are read with other options.
   */
  source(name: string, topics: readonly string[], consumed: AnyConsumed, add: () => void): string {
    const known = this.#known.find(
      (source) => source.topics.length === topics.length && topics.every((topic) => source.topics.includes(topic)),
    );
    if (known === undefined) {
      add();
      this.#known.push({ name, topics, consumed });
      return name;
    }
    const other = differentOption(known.consumed, consumed);
    if (other === undefined) return known.name;
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `topic ${topics.join(', ')} is read twice, with another ${other} than ${known.name} has. A topic is read once: give both the same, or share the stream.`,
    );
  }
}

/** The first option in which two readers of a topic differ. Serdes are the same if their names are. */
function differentOption(a: AnyConsumed, b: AnyConsumed): string | undefined {
  if (a.keySerde.name !== b.keySerde.name) return 'keySerde';
  if (a.valueSerde.name !== b.valueSerde.name) return 'valueSerde';
  if (a.timestampExtractor !== b.timestampExtractor) return 'timestampExtractor';
  if (a.arrivalTime !== b.arrivalTime) return 'arrivalTime';
  return (a.complete ?? false) === (b.complete ?? false) ? undefined : 'complete';
}
