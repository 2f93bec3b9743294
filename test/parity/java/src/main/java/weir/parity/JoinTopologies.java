package weir.parity;

import static weir.parity.Values.tail;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.ValueJoiner;

/** Joins. All join a left and a right value as {@code left/right}, a missing right value as {@code left/null}. */
final class JoinTopologies {
    private static final ValueJoiner<String, String, String> PAIR = (left, right) -> left + "/" + right;

    private JoinTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("stream-table-join", JoinTopologies::streamTable);
        topologies.put("stream-global-table-join", JoinTopologies::streamGlobalTable);
        topologies.put("table-table-join", w -> w.to("out", tables(w).toStream(Named.as("changes"))));
        topologies.put("table-table-join-group", JoinTopologies::tablesGrouped);
    }

    private static boolean left(final Wiring w) {
        return w.params.text("kind").equals("left");
    }

    /** {@code historyMs} above 0: the table is versioned, and looked up as of the stream's record. */
    private static void streamTable(final Wiring w) {
        final KTable<String, String> table = TableTopologies.table(w);
        final KStream<String, String> in = w.stream("in");
        final KStream<String, String> stream = w.params.flag("rekey")
            ? in.selectKey((k, v) -> keyIn(v), Named.as("rekey"))
            : in;
        final Joined<String, String, String> joined = Joined.with(Wiring.TEXT, Wiring.TEXT, Wiring.TEXT, "join");
        w.to("out", left(w) ? stream.leftJoin(table, PAIR, joined) : stream.join(table, PAIR, joined));
    }

    /** The first character of a stream's value is a table's key; null where it is {@code -} or the value is null. */
    private static String keyIn(final String value) {
        return value == null || value.charAt(0) == '-' ? null : value.substring(0, 1);
    }

    private static void streamGlobalTable(final Wiring w) {
        final GlobalKTable<String, String> table = w.globalTable("global", "global");
        final KeyValueMapper<String, String, String> tableKey = (k, v) -> keyIn(v);
        final KStream<String, String> in = w.stream("in");
        w.to("out", left(w) ? in.leftJoin(table, tableKey, PAIR, Named.as("join")) : in.join(table, tableKey, PAIR, Named.as("join")));
    }

    private static KTable<String, String> tables(final Wiring w) {
        final KTable<String, String> left = w.table("left", "left");
        final KTable<String, String> right = w.table("right", "right");
        if (w.params.flag("materialized")) {
            return left(w)
                ? left.leftJoin(right, PAIR, Named.as("join"), w.keyValue("joined", Wiring.TEXT))
                : left.join(right, PAIR, Named.as("join"), w.keyValue("joined", Wiring.TEXT));
        }
        return left(w) ? left.leftJoin(right, PAIR, Named.as("join")) : left.join(right, PAIR, Named.as("join"));
    }

    /** The join's rows grouped by the first character of the right value, or {@code n} of {@code null}; what went in and out of each group. */
    private static void tablesGrouped(final Wiring w) {
        final KTable<String, String> traces = tables(w)
            .groupBy((k, v) -> KeyValue.pair(v.substring(v.indexOf('/') + 1, v.indexOf('/') + 2), k + v.substring(0, v.indexOf('/'))),
                Grouped.with("grouped", Wiring.TEXT, Wiring.TEXT))
            .aggregate(() -> "",
                (k, v, total) -> tail(total + "+" + v),
                (k, v, total) -> tail(total + "-" + v),
                Named.as("aggregate"), w.keyValue("traces", Wiring.TEXT));
        w.to("out", traces.toStream(Named.as("changes")));
    }
}
