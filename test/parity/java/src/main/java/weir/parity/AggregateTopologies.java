package weir.parity;

import static weir.parity.Values.bucket;
import static weir.parity.Values.number;
import static weir.parity.Values.tail;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;

/** Aggregates of a grouped stream in a key-value store. */
final class AggregateTopologies {
    private AggregateTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("count", w -> out(w, group(w).count(Named.as("count"), w.keyValue("counts", Wiring.NUMBER))));
        topologies.put("reduce", w -> out(w, group(w)
            .reduce((total, v) -> tail(total + v), Named.as("reduce"), w.keyValue("reduced", Wiring.TEXT))));
        topologies.put("aggregate", w -> out(w, group(w)
            .aggregate(() -> 0L, sum(w.params.number("nullOn")), Named.as("aggregate"), w.keyValue("sums", Wiring.NUMBER))));
    }

    /** {@code groupBy: key} groups by the record's key, {@code groupBy: value} by the value's bucket, through a repartition topic. */
    static KGroupedStream<String, String> group(final Wiring w) {
        final Grouped<String, String> grouped = Grouped.with("grouped", Wiring.TEXT, Wiring.TEXT);
        return w.params.text("groupBy").equals("key")
            ? w.stream("in").groupByKey(grouped)
            : w.stream("in").groupBy((k, v) -> bucket(v), grouped);
    }

    /** A sum, but null (delete the row) where it is a multiple of {@code nullOn}; 0 for never. */
    private static Aggregator<String, String, Long> sum(final long nullOn) {
        return (key, value, total) -> {
            final long next = total + number(value);
            return nullOn > 0 && next % nullOn == 0 ? null : Long.valueOf(next);
        };
    }

    private static <V> void out(final Wiring w, final KTable<String, V> table) {
        w.to("out", table.toStream(Named.as("changes")));
    }
}
