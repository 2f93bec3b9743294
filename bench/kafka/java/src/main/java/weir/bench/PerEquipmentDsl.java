package weir.bench;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.WindowStore;

/** Counts by equipment in four windows, with the DSL: one windowed aggregate for each. */
final class PerEquipmentDsl implements Peer {
    /** Statistics are kept: for ever, as far as an event's year goes. */
    private static final Duration RETENTION = Duration.ofDays(100 * 366);

    @Override
    public Topology topology() {
        final StreamsBuilder builder = new StreamsBuilder();
        final KGroupedStream<String, Byte> events = events(builder);
        for (final Period period : Period.values()) count(events, period);
        return builder.build();
    }

    static KGroupedStream<String, Byte> events(final StreamsBuilder builder) {
        return builder.stream(EVENTS, Consumed.with(Serdes.String(), EventType.SERDE)).groupByKey();
    }

    static KTable<Windowed<String>, Counts> count(final KGroupedStream<String, Byte> events, final Period period) {
        return events
            .windowedBy(new CalendarWindows(period))
            .aggregate(() -> Counts.NONE, (key, type, counts) -> counts.with(type),
                Materialized.<String, Counts, WindowStore<Bytes, byte[]>>as(storeOf(period))
                    .withKeySerde(Serdes.String())
                    .withValueSerde(Counts.SERDE)
                    .withRetention(RETENTION));
    }

    static String storeOf(final Period period) {
        return period.lower() + "-equipment";
    }

    @Override
    public void write(final KafkaStreams streams, final ResultFiles out) {
        for (final Period period : Period.values()) out.writeWindows(streams, storeOf(period), period, "equipment");
    }
}
