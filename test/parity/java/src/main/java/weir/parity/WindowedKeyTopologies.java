package weir.parity;

import static weir.parity.Values.even;
import static weir.parity.Values.number;
import static weir.parity.Values.tail;

import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.TimeWindow;

/** Tables and groupings whose keys are windowed. */
final class WindowedKeyTopologies {
    private static final ValueJoiner<String, String, String> PAIR = (left, right) -> left + "/" + right;

    private WindowedKeyTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("windowed-table", w -> out(w, table(w)));
        topologies.put("windowed-table-filter", w -> out(w, w.params.flag("materialized")
            ? table(w).filter((k, v) -> even(v), w.windowedKeyValue("kept", Wiring.TEXT)).mapValues(WindowedKeyTopologies::spelt, w.windowedKeyValue("mapped", Wiring.TEXT))
            : table(w).filter((k, v) -> even(v)).mapValues(WindowedKeyTopologies::spelt)));
        topologies.put("windowed-to-table", w -> out(w, texts(w).toTable(w.windowedKeyValue("latest", Wiring.TEXT))));
        topologies.put("windowed-to-table-suppress", w -> out(w, texts(w).toTable(w.windowedKeyValue("latest", Wiring.TEXT))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final"))));
        topologies.put("windowed-group-by-key", WindowedKeyTopologies::groupByKey);
        topologies.put("windowed-group-by", WindowedKeyTopologies::groupBy);
        topologies.put("windowed-table-group", WindowedKeyTopologies::tableGroup);
        topologies.put("windowed-table-join", WindowedKeyTopologies::tableJoin);
        topologies.put("windowed-stream-join", WindowedKeyTopologies::streamJoin);
        topologies.put("windowed-twice", WindowedKeyTopologies::twice);
    }

    private static String spelt(final Windowed<String> key, final String value) {
        return key.key() + "@" + key.window().start() + "=" + value;
    }

    private static KTable<Windowed<String>, String> table(final Wiring w) {
        return w.windowedTable("table", "table");
    }

    private static KTable<Windowed<String>, Long> count(final Wiring w) {
        return WindowTopologies.windowed(w).count(Named.as("count"), w.window("counts", Wiring.NUMBER));
    }

    /** The changes of the windowed count, as texts. */
    private static KStream<Windowed<String>, String> texts(final Wiring w) {
        return count(w).toStream(Named.as("count-changes")).mapValues(total -> total == null ? null : total.toString(), Named.as("text"));
    }

    private static <V> void out(final Wiring w, final KTable<Windowed<String>, V> table) {
        out(w, table, "out", "changes");
    }

    private static <V> void out(final Wiring w, final KTable<Windowed<String>, V> table, final String topic, final String name) {
        w.toWindowed(topic, table.toStream(Named.as(name)), w.params.number("sizeMs"));
    }

    private static Grouped<Windowed<String>, String> grouped(final Wiring w) {
        return Grouped.with("regrouped", w.windowedTexts(), Wiring.TEXT);
    }

    /** Three aggregates of one grouping by the windowed key as it is. */
    private static void groupByKey(final Wiring w) {
        final KGroupedStream<Windowed<String>, String> perWindow = texts(w).groupByKey(grouped(w));
        out(w, perWindow.count(w.windowedKeyValue("changes-per-window", Wiring.NUMBER)), "out-count", "count-results");
        out(w, perWindow.reduce((total, v) -> tail(total + v), w.windowedKeyValue("reduced", Wiring.TEXT)), "out-reduce", "reduce-results");
        out(w, perWindow.aggregate(() -> "", (k, v, total) -> tail(total + "," + k.window().start() + ":" + v),
            w.windowedKeyValue("lists", Wiring.TEXT)), "out-aggregate", "aggregate-results");
    }

    /** The window of a value: one of the first three. */
    private static Windowed<String> windowOf(final Wiring w, final String key, final String value) {
        if (key == null || value == null) {
            return null;
        }
        final long start = number(value) % 3 * w.params.number("advanceMs");
        return new Windowed<>(key.substring(0, 1), new TimeWindow(start, start + w.params.number("sizeMs")));
    }

    /** Through a repartition topic of windowed keys. */
    private static void groupBy(final Wiring w) {
        out(w, w.stream("in").groupBy((k, v) -> windowOf(w, k, v), grouped(w))
            .aggregate(() -> "", (k, v, total) -> tail(total + "," + v), w.windowedKeyValue("lists", Wiring.TEXT)));
    }

    /** A windowed reduce grouped by window and the first character of its key. */
    private static void tableGroup(final Wiring w) {
        out(w, WindowTopologies.reduce(w)
            .groupBy((k, total) -> KeyValue.pair(new Windowed<>(k.key().substring(0, 1), k.window()), total), grouped(w))
            .aggregate(() -> "",
                (k, v, total) -> tail(total + "+" + v),
                (k, v, total) -> tail(total + "-" + v),
                w.windowedKeyValue("traces", Wiring.TEXT)));
    }

    /** The windowed count with a table of windowed keys, on the side that {@code tableIs} says; or with another windowed aggregate. */
    private static void tableJoin(final Wiring w) {
        final KTable<Windowed<String>, String> counts = count(w).mapValues(total -> total.toString(), Named.as("text"));
        final String side = w.params.text("tableIs");
        final KTable<Windowed<String>, String> other = side.equals("none")
            ? w.stream("in2").groupByKey(Grouped.with(Wiring.TEXT, Wiring.TEXT)).windowedBy(WindowTopologies.windows(w))
                .reduce((total, v) -> tail(total + v), w.window("reduced", Wiring.TEXT))
            : table(w);
        final KTable<Windowed<String>, String> left = side.equals("left") ? other : counts;
        final KTable<Windowed<String>, String> right = side.equals("left") ? counts : other;
        final boolean isLeft = w.params.text("kind").equals("left");
        if (w.params.flag("materialized")) {
            out(w, isLeft
                ? left.leftJoin(right, PAIR, Named.as("join"), w.windowedKeyValue("joined", Wiring.TEXT))
                : left.join(right, PAIR, Named.as("join"), w.windowedKeyValue("joined", Wiring.TEXT)));
        } else {
            out(w, isLeft ? left.leftJoin(right, PAIR, Named.as("join")) : left.join(right, PAIR, Named.as("join")));
        }
    }

    /** The changes of a windowed count with the row of a table of windowed keys. */
    private static void streamJoin(final Wiring w) {
        final KTable<Windowed<String>, String> table = table(w);
        final KStream<Windowed<String>, String> stream = texts(w);
        w.toWindowed("out", w.params.text("kind").equals("left") ? stream.leftJoin(table, PAIR) : stream.join(table, PAIR),
            w.params.number("sizeMs"));
    }

    /** Windowed keys counted in windows. */
    private static void twice(final Wiring w) {
        final TimeWindows wide = TimeWindows.ofSizeAndGrace(
            Duration.ofMillis(3 * w.params.number("sizeMs")), Duration.ofMillis(w.params.number("graceMs")));
        w.to("out", texts(w).groupByKey(grouped(w)).windowedBy(wide)
            .count(w.window("changes-per-window", w.windowedTexts(), Wiring.NUMBER))
            .toStream(Named.as("changes"))
            .selectKey((k, v) -> {
                final Windowed<String> key = k.key();
                return key.key() + "@" + key.window().start() + "/" + key.window().end() + "|" + k.window().start() + "/" + k.window().end();
            }, Named.as("shown")));
    }
}
