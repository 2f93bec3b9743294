package weir.bench;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/**
 * The 24 statistics with the DSL, by weir's own plan as far as Kafka Streams has the means: one windowed count by day and equipment, and tables over its
 * changes. A table's week, month and year are groupings of it, each through a repartition topic. The place is read from the park's global store.
 *
 * The park must not change while it runs: Kafka Streams does not join anew what is counted.
 */
final class AllStatistics implements Peer {
    private static final String PARK_STORE = "park";
    private static final List<String> PLACES = List.of("type", "commune", "departement", "pdk", "region");

    /** The counts of an equipment's day, and where it stood. */
    private record Placed(Counts counts, Place place) {}

    @Override
    public Topology topology() {
        final StreamsBuilder builder = new StreamsBuilder();
        builder.globalTable(PARK, Consumed.with(Serdes.String(), Place.History.SERDE),
            Materialized.<String, Place.History, KeyValueStore<Bytes, byte[]>>as(PARK_STORE));
        final KTable<Windowed<String>, Counts> perDay =
            PerEquipmentDsl.count(PerEquipmentDsl.events(builder), Period.DAY);
        for (final Period period : List.of(Period.WEEK, Period.MONTH, Period.YEAR)) {
            final CalendarWindows windows = new CalendarWindows(period);
            sum(perDay, PerEquipmentDsl.storeOf(period),
                day -> rowKey(windows.windowOf(day.window().start()).start(), day.key()));
        }
        final KTable<Windowed<String>, Placed> placed = perDay.transformValues(PlaceFinder::new);
        for (final String grouping : PLACES) {
            final KTable<String, Counts> grouped = placed
                .groupBy((day, value) -> KeyValue.pair(
                        rowKey(day.window().start(), groupOf(grouping, value.place)), value.counts),
                    Grouped.with(Serdes.String(), Counts.SERDE))
                .aggregate(() -> Counts.NONE, (key, more, sum) -> sum.plus(more), (key, less, sum) -> sum.minus(less),
                    rows("day-" + grouping));
            for (final Period period : List.of(Period.WEEK, Period.MONTH, Period.YEAR)) {
                final CalendarWindows windows = new CalendarWindows(period);
                sum(grouped, period.lower() + "-" + grouping,
                    day -> rowKey(windows.windowOf(startOf(day)).start(), keyOf(day)));
            }
        }
        return builder.build();
    }

    private static <K> void sum(final KTable<K, Counts> table, final String store, final Function<K, String> key) {
        table.groupBy((row, counts) -> KeyValue.pair(key.apply(row), counts), Grouped.with(Serdes.String(), Counts.SERDE))
            .aggregate(() -> Counts.NONE, (any, more, sum) -> sum.plus(more), (any, less, sum) -> sum.minus(less),
                rows(store));
    }

    private static Materialized<String, Counts, KeyValueStore<Bytes, byte[]>> rows(final String store) {
        return Materialized.<String, Counts, KeyValueStore<Bytes, byte[]>>as(store)
            .withKeySerde(Serdes.String())
            .withValueSerde(Counts.SERDE);
    }

    private static String groupOf(final String grouping, final Place place) {
        if (grouping.equals("type")) return "all";
        if (place == null) return "unknown";
        return switch (grouping) {
            case "commune" -> place.commune();
            case "departement" -> place.departement();
            case "pdk" -> place.pdk();
            default -> place.region();
        };
    }

    /** Window start and group as one text. */
    private static String rowKey(final long startMs, final String group) {
        return startMs + "|" + group;
    }

    private static long startOf(final String rowKey) {
        return Long.parseLong(rowKey, 0, rowKey.indexOf('|'), 10);
    }

    private static String keyOf(final String rowKey) {
        return rowKey.substring(rowKey.indexOf('|') + 1);
    }

    /** The place that the park says for the day of a row. */
    private static final class PlaceFinder implements ValueTransformerWithKey<Windowed<String>, Counts, Placed> {
        private ReadOnlyKeyValueStore<String, ValueAndTimestamp<Place.History>> park;

        @Override
        public void init(final ProcessorContext context) {
            park = context.getStateStore(PARK_STORE);
        }

        @Override
        public Placed transform(final Windowed<String> day, final Counts counts) {
            if (counts == null) return null;
            final ValueAndTimestamp<Place.History> history = park.get(day.key());
            return new Placed(counts, history == null ? null : history.value().at(day.window().start()));
        }

        @Override
        public void close() {}
    }

    @Override
    public void write(final KafkaStreams streams, final ResultFiles out) {
        out.writeWindows(streams, PerEquipmentDsl.storeOf(Period.DAY), Period.DAY, "equipment");
        for (final Period period : Period.values()) {
            if (period != Period.DAY) writeRows(streams, period, "equipment", out);
            for (final String grouping : PLACES) writeRows(streams, period, grouping, out);
        }
    }

    private static void writeRows(
            final KafkaStreams streams, final Period period, final String grouping, final ResultFiles out) {
        final String store = period.lower() + "-" + grouping;
        try (KeyValueIterator<String, Counts> rows = ResultFiles.<String, Counts>keyValues(streams, store).all()) {
            rows.forEachRemaining(row -> out.put(period, grouping, startOf(row.key), keyOf(row.key), row.value));
        }
    }
}
