package weir.bench;

import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;

/** One program to be measured. */
interface Peer {
    String EVENTS = "grid-events";
    String PARK = "grid-park";
    /** Topic of plain keys, for restores. */
    String KEYS = "keys";

    Topology topology();

    /** The topic that it reads. */
    default String source() {
        return EVENTS;
    }

    /** Writes the committed results, so that they can be compared. */
    void write(KafkaStreams streams, ResultFiles out);

    static Peer named(final String name) {
        return switch (name) {
            case "dsl" -> new PerEquipmentDsl();
            case "processor" -> new PerEquipmentProcessor();
            case "all" -> new AllStatistics();
            case "keys" -> new CountedKeys();
            default -> throw new IllegalArgumentException("there is no peer " + name);
        };
    }
}
