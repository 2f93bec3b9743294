package weir.parity;

import static weir.parity.Values.tail;

import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** Aggregates in tumbling and hopping windows, with and without suppression until the window closes. */
final class WindowTopologies {
    private WindowTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("windowed-count", w -> out(w, count(w)));
        topologies.put("windowed-reduce", w -> out(w, reduce(w)));
        topologies.put("windowed-aggregate", w -> out(w, aggregate(w)));
        topologies.put("windowed-count-suppress", w -> out(w, untilClosed(count(w))));
        topologies.put("windowed-reduce-suppress", w -> out(w, untilClosed(reduce(w))));
        topologies.put("windowed-aggregate-suppress", w -> out(w, untilClosed(aggregate(w))));
        topologies.put("windowed-count-roll-up", WindowTopologies::rollUp);
    }

    /** Tumbling when {@code advanceMs} equals {@code sizeMs}. */
    static TimeWindows windows(final Wiring w) {
        return TimeWindows
            .ofSizeAndGrace(Duration.ofMillis(w.params.number("sizeMs")), Duration.ofMillis(w.params.number("graceMs")))
            .advanceBy(Duration.ofMillis(w.params.number("advanceMs")));
    }

    static TimeWindowedKStream<String, String> windowed(final Wiring w) {
        return AggregateTopologies.group(w).windowedBy(windows(w));
    }

    private static KTable<Windowed<String>, Long> count(final Wiring w) {
        return windowed(w).count(Named.as("count"), w.window("counts", Wiring.NUMBER));
    }

    static KTable<Windowed<String>, String> reduce(final Wiring w) {
        return windowed(w).reduce((total, v) -> tail(total + v), Named.as("reduce"), w.window("reduced", Wiring.TEXT));
    }

    private static KTable<Windowed<String>, String> aggregate(final Wiring w) {
        return windowed(w)
            .aggregate(() -> "", list(w.params.text("nullOn")), Named.as("aggregate"), w.window("lists", Wiring.TEXT));
    }

    /** The values one after the other, but null (delete the row) where the value equals {@code nullOn}. */
    private static Aggregator<String, String, String> list(final String nullOn) {
        return (key, value, total) -> nullOn.equals(value) ? null : tail(total + "," + value);
    }

    private static <V> KTable<Windowed<String>, V> untilClosed(final KTable<Windowed<String>, V> table) {
        return table.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final"));
    }

    private static <V> void out(final Wiring w, final KTable<Windowed<String>, V> table) {
        w.toWindowed("out", table.toStream(Named.as("changes")), w.params.number("sizeMs"));
    }

    /** The windowed counts summed over the first character of the key: a table over the changes of a windowed table. */
    private static void rollUp(final Wiring w) {
        final KTable<String, Long> totals = count(w)
            .groupBy((key, count) -> KeyValue.pair(key.key().charAt(0) + "@" + key.window().start(), count),
                Grouped.with("rolled", Wiring.TEXT, Wiring.NUMBER))
            .reduce((total, count) -> total + count, (total, count) -> total - count, Named.as("roll-up"),
                w.keyValue("totals", Wiring.NUMBER));
        w.to("out", totals.toStream(Named.as("changes")));
    }
}
