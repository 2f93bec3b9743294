package weir.parity;

import static weir.parity.Values.amount;
import static weir.parity.Values.bucket;
import static weir.parity.Values.even;
import static weir.parity.Values.group;
import static weir.parity.Values.number;
import static weir.parity.Values.tail;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;

final class TableTopologies {
    private TableTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("table-to-stream", w -> out(w, table(w)));
        topologies.put("table-filter", w -> out(w, w.params.flag("materialized")
            ? table(w).filter((k, v) -> even(v), Named.as("keep"), w.keyValue("kept", Wiring.TEXT))
            : table(w).filter((k, v) -> even(v), Named.as("keep"))));
        topologies.put("table-unstored-filter", w -> out(w, w.unstoredTable("table").filter((k, v) -> even(v), Named.as("keep"))));
        topologies.put("table-map-values", w -> out(w, w.params.flag("materialized")
            ? table(w).mapValues((k, v) -> k + "=" + v, Named.as("map"), w.keyValue("mapped", Wiring.TEXT))
            : table(w).mapValues((k, v) -> k + "=" + v, Named.as("map"))));
        topologies.put("table-pipeline", TableTopologies::pipeline);
        topologies.put("table-filter-group", TableTopologies::filterGroup);
        topologies.put("table-group-count", w -> out(w, grouped(w).count(Named.as("count"), w.keyValue("counts", Wiring.NUMBER))));
        topologies.put("table-group-reduce", w -> out(w, grouped(w).reduce(
            (total, v) -> String.valueOf(number(total) + number(v)),
            (total, v) -> String.valueOf(number(total) - number(v)),
            Named.as("reduce"), w.keyValue("sums", Wiring.TEXT))));
        topologies.put("table-group-aggregate", w -> out(w, grouped(w).aggregate(() -> "",
            (k, v, total) -> tail(total + "+" + v),
            (k, v, total) -> tail(total + "-" + v),
            Named.as("aggregate"), w.keyValue("traces", Wiring.TEXT))));
        topologies.put("to-table", w -> out(w, w.stream("in")
            .selectKey((k, v) -> bucket(v), Named.as("rekey"))
            .toTable(Named.as("latest"), w.keyValue("table", Wiring.TEXT))));
        topologies.put("to-table-by-key", w -> out(w, w.stream("in").toTable(Named.as("latest"), w.keyValue("table", Wiring.TEXT))));
    }

    /** A plain table, or a versioned one where {@code historyMs} is above 0. */
    static KTable<String, String> table(final Wiring w) {
        final long historyMs = w.params.number("historyMs");
        return historyMs > 0 ? w.versionedTable("table", "table", historyMs) : w.table("table", "table");
    }

    /** Values such as {@code A5} grouped by their letter; the grouped value is the number. */
    private static KGroupedTable<String, String> grouped(final Wiring w) {
        return table(w).groupBy((k, v) -> KeyValue.pair(group(v), amount(v)), Grouped.with("grouped", Wiring.TEXT, Wiring.TEXT));
    }

    private static void pipeline(final Wiring w) {
        final KTable<String, String> table = table(w)
            .filter((k, v) -> number(v) > 4, Named.as("large"))
            .mapValues(v -> String.valueOf(number(v) * 2), Named.as("double"))
            .filterNot((k, v) -> number(v) > 30, Named.as("not-huge"));
        out(w, table);
    }

    /** A filtered table that is both shown and grouped. */
    private static void filterGroup(final Wiring w) {
        final KTable<String, String> kept = table(w).filter((k, v) -> even(v), Named.as("keep"));
        w.to("out", kept.toStream(Named.as("changes")));
        final KTable<String, Long> counts = kept
            .groupBy((k, v) -> KeyValue.pair(bucket(v), v), Grouped.with("grouped", Wiring.TEXT, Wiring.TEXT))
            .count(Named.as("count"), w.keyValue("counts", Wiring.NUMBER));
        w.to("out-counts", counts.toStream(Named.as("count-changes")));
    }

    private static <V> void out(final Wiring w, final KTable<String, V> table) {
        w.to("out", table.toStream(Named.as("changes")));
    }
}
