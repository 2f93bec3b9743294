package weir.parity;

import static weir.parity.Values.bucket;
import static weir.parity.Values.even;
import static weir.parity.Values.number;
import static weir.parity.Values.tail;

import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** What several operations share: the repartition topic of a grouping, the source of a topic. */
final class SharingTopologies {
    private SharingTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("shared-grouping", SharingTopologies::sharedGrouping);
        topologies.put("shared-table-grouping", SharingTopologies::sharedTableGrouping);
        topologies.put("source-twice", SharingTopologies::sourceTwice);
    }

    /** Three aggregates of one grouping, of which one is windowed. */
    private static void sharedGrouping(final Wiring w) {
        final long sizeMs = w.params.number("sizeMs");
        final TimeWindows windows = TimeWindows
            .ofSizeAndGrace(Duration.ofMillis(sizeMs), Duration.ofMillis(w.params.number("graceMs")));
        final KGroupedStream<String, String> grouped = AggregateTopologies.group(w);
        final KTable<String, Long> counts = grouped.count(Named.as("count"), w.keyValue("counts", Wiring.NUMBER));
        w.to("out-counts", counts.toStream(Named.as("count-changes")));
        final KTable<Windowed<String>, Long> perWindow = grouped.windowedBy(windows)
            .count(Named.as("count-per-window"), w.window("per-window", Wiring.NUMBER));
        w.toWindowed("out-windows", perWindow.toStream(Named.as("window-changes")), sizeMs);
        final KTable<String, String> traces = grouped.aggregate(() -> "", (k, v, total) -> tail(total + "," + v),
            Named.as("aggregate"), w.keyValue("traces", Wiring.TEXT));
        w.to("out-traces", traces.toStream(Named.as("trace-changes")));
    }

    /** Two aggregates of one grouped table; without a name each has a repartition topic of its own. */
    private static void sharedTableGrouping(final Wiring w) {
        final Grouped<String, String> how = w.params.flag("named")
            ? Grouped.with("grouped", Wiring.TEXT, Wiring.TEXT)
            : Grouped.with(Wiring.TEXT, Wiring.TEXT);
        final KGroupedTable<String, String> grouped = w.table("table", "table").groupBy((k, v) -> KeyValue.pair(bucket(v), k + v), how);
        final KTable<String, Long> counts = grouped.count(Named.as("count"), w.keyValue("counts", Wiring.NUMBER));
        w.to("out-counts", counts.toStream(Named.as("count-changes")));
        final KTable<String, String> traces = grouped.aggregate(() -> "",
            (k, v, total) -> tail(total + "+" + v),
            (k, v, total) -> tail(total + "-" + v),
            Named.as("aggregate"), w.keyValue("traces", Wiring.TEXT));
        w.to("out-traces", traces.toStream(Named.as("trace-changes")));
    }

    /** Streams of one topic, asked for three times. */
    private static void sourceTwice(final Wiring w) {
        final KStream<String, String> first = w.stream("in");
        final KStream<String, String> second = w.stream("in");
        final KStream<String, String> evens = second.filter((k, v) -> even(v), Named.as("even"));
        w.to("out-even", evens);
        w.to("out-all", first);
        w.to("out-merged", first.merge(second, Named.as("both")));
        w.to("out-larger", w.stream("in")
            .filter((k, v) -> v != null && number(v) > 10, Named.as("large"))
            .merge(evens, Named.as("large-or-even"))
            .mapValues(v -> "" + v, Named.as("text")));
    }
}
