package weir.parity;

import static weir.parity.Values.bucket;
import static weir.parity.Values.even;
import static weir.parity.Values.number;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;

final class StatelessTopologies {
    private StatelessTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("filter", w -> w.to("out", w.stream("in").filter((k, v) -> even(v), Named.as("keep"))));
        topologies.put("filter-not", w -> w.to("out", w.stream("in").filterNot((k, v) -> even(v), Named.as("drop"))));
        topologies.put("map", w -> w.to("out", w.stream("in").map((k, v) -> KeyValue.pair(bucket(v), k + ":" + v), Named.as("map"))));
        topologies.put("map-values", w -> w.to("out", w.stream("in")
            .mapValues((k, v) -> v == null ? null : k + "=" + v, Named.as("map"))));
        topologies.put("flat-map", w -> w.to("out", w.stream("in").flatMap(StatelessTopologies::numbered, Named.as("split"))));
        topologies.put("flat-map-values", w -> w.to("out", w.stream("in")
            .flatMapValues(v -> v == null ? List.of() : Arrays.asList(v.split(" ")), Named.as("words"))));
        topologies.put("select-key", w -> w.to("out", w.stream("in").selectKey((k, v) -> bucket(v), Named.as("rekey"))));
        topologies.put("peek", w -> w.to("out", w.stream("in").peek((k, v) -> { }, Named.as("look"))));
        topologies.put("branch", StatelessTopologies::branch);
        topologies.put("merge", w -> w.to("out", w.stream("in").merge(w.stream("in2"), Named.as("both"))));
        topologies.put("branch-merge", StatelessTopologies::branchMerge);
        topologies.put("fan-out", StatelessTopologies::fanOut);
        topologies.put("repartition", StatelessTopologies::repartition);
    }

    /** As many records as the number modulo 3, numbered from 0. */
    private static Iterable<KeyValue<String, String>> numbered(final String key, final String value) {
        final List<KeyValue<String, String>> result = new ArrayList<>();
        for (int i = 0; value != null && i < number(value) % 3; i++) {
            result.add(KeyValue.pair(key + i, value + "." + i));
        }
        return result;
    }

    private static Map<String, KStream<String, String>> split(final KStream<String, String> stream) {
        return stream.split(Named.as("split-"))
            .branch((k, v) -> even(v), Branched.as("even"))
            .branch((k, v) -> v != null && number(v) > 10, Branched.as("big"))
            .defaultBranch(Branched.as("rest"));
    }

    private static void branch(final Wiring w) {
        final Map<String, KStream<String, String>> branches = split(w.stream("in"));
        w.to("out-even", branches.get("split-even"));
        w.to("out-big", branches.get("split-big"));
        w.to("out-rest", branches.get("split-rest"));
    }

    /** Branches that come together again, and with them the whole stream: children get a record in the order in which they were added. */
    private static void branchMerge(final Wiring w) {
        final KStream<String, String> in = w.stream("in");
        final KStream<String, String> all = in.mapValues(v -> "all:" + v, Named.as("all"));
        final Map<String, KStream<String, String>> branches = split(in);
        final KStream<String, String> last = in.mapValues(v -> "last:" + v, Named.as("last"));
        final KStream<String, String> even = branches.get("split-even").mapValues(v -> "even:" + v, Named.as("even"));
        final KStream<String, String> rest = branches.get("split-rest").mapValues(v -> "rest:" + v, Named.as("rest"));
        w.to("out", last.merge(rest, Named.as("merge-1")).merge(even, Named.as("merge-2")).merge(all, Named.as("merge-3")));
    }

    /** One node with a sink, a chain to a second sink, and a third sink: depth first, in the order in which they were added. */
    private static void fanOut(final Wiring w) {
        final KStream<String, String> in = w.stream("in");
        final KStream<String, String> node = in.filter((k, v) -> v != null, Named.as("some"));
        w.to("out-c", node);
        w.to("out-b", node.flatMapValues(v -> List.of(v + "!", v + "?"), Named.as("twice")));
        w.to("out-a", node);
    }

    private static void repartition(final Wiring w) {
        w.to("out", w.stream("in")
            .selectKey((k, v) -> bucket(v), Named.as("rekey"))
            .repartition(Repartitioned.with(Wiring.TEXT, Wiring.TEXT).withName("through").withNumberOfPartitions(1))
            .mapValues((k, v) -> k + "=" + v, Named.as("map")));
    }
}
