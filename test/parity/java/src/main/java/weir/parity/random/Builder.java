package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** Builds the topology that a description says. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class Builder {
    enum StoreKind { PLAIN, TIMESTAMPED, WINDOWED }

    final Map<String, StoreKind> stores = new LinkedHashMap<>();
    /** The serdes of the keys of output topics. */
    final Map<String, Serde<Object>> outputs = new LinkedHashMap<>();
    private final Map<String, Long> windowsOfTopics = new HashMap<>();
    /** Topics of the records sent since the runner last looked, oldest first. */
    final List<String> sent = new ArrayList<>();

    private final StreamsBuilder builder = new StreamsBuilder();
    private final Map<Integer, Stage> stages = new HashMap<>();
    private final boolean caching;
    /** Aggregates begin with nothing instead of a first value, so that a new row is told to have been nothing. */
    private final boolean emptyInitials;
    /** A stored join is a join without store and a stored copy of it, which knows what each of its rows was. */
    private final boolean copiedJoins;
    /** What suppression lets go is copied into a store, which knows that it had no such row. */
    private final boolean copiedSuppressions;

    /** @param without which peculiarities of Kafka Streams are taken out: see {@code random/explained.ts}. */
    Builder(final boolean caching, final JsonNode without) {
        this.caching = caching;
        emptyInitials = without.path("initials").asBoolean(false);
        copiedSuppressions = without.path("suppressed").asBoolean(false);
        copiedJoins = without.path("joins").asBoolean(false);
    }

    Topology build(final JsonNode nodes) {
        for (final JsonNode json : nodes) {
            final Node node = new Node(json);
            final Stage stage = make(node);
            if (stage != null) {
                stages.put(node.id(), stage);
            }
        }
        return builder.build();
    }

    private Stage make(final Node node) {
        return switch (node.op()) {
            case "stream", "table", "global" -> source(node);
            case "filter", "map", "mapValues", "flatMap", "flatMapValues", "selectKey", "peek", "merge", "repartition", "process",
                "processVersions", "split", "branch" -> stream(node);
            case "groupByKey", "groupBy", "count", "reduce", "aggregate", "toTable" -> grouped(node);
            case "tableFilter", "tableMapValues", "toStream", "suppress" -> table(node);
            case "tableGroup", "tableCount", "tableReduce", "tableAggregate" -> groupedTable(node);
            case "tableJoin", "streamJoin", "globalJoin" -> joined(node);
            case "to" -> sink(node);
            default -> throw new IllegalArgumentException(node.op());
        };
    }

    private Stage of(final Node node, final int index) {
        return stages.get(node.parent(index));
    }

    private Stage source(final Node node) {
        final long windowMs = windowsOfTopics.getOrDefault(node.topics().get(0), 0L);
        final Consumed<Object, Object> consumed =
            Consumed.with(Stage.keySerde(windowMs), Stage.valueSerde(false)).withName("source-" + node.name());
        return switch (node.op()) {
            case "stream" -> new Stage(builder.stream(node.topics(), consumed), windowMs, false);
            case "global" -> new Stage(builder.globalTable(node.topics().get(0), consumed, store(node, 0, false)), 0, false);
            default -> new Stage(node.is("stored")
                ? builder.table(node.topics().get(0), consumed, store(node, 0, false))
                : builder.table(node.topics().get(0), consumed), 0, false);
        };
    }

    private Stage stream(final Node node) {
        final Stage in = of(node, 0);
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        if (node.op().equals("branch")) {
            final List<KStream<Object, Object>> branches = (List<KStream<Object, Object>>) in.made();
            return in.with(branches.get((int) node.number("index")));
        }
        final KStream<Object, Object> stream = (KStream<Object, Object>) in.made();
        return switch (node.op()) {
            case "filter" -> in.with(node.is("not")
                ? stream.filterNot((k, v) -> Functions.passes(f, k, v), named)
                : stream.filter((k, v) -> Functions.passes(f, k, v), named));
            case "map" -> new Stage(stream.map((k, v) ->
                KeyValue.pair((Object) Functions.key(node.get("key"), k, v), (Object) Functions.value(f, k, v)), named), 0, false);
            case "mapValues" -> in.texts(stream.mapValues((k, v) -> (Object) Functions.value(f, k, v), named));
            case "flatMap" -> new Stage(stream.flatMap((k, v) -> Functions.records(f, k, v), named), 0, false);
            case "flatMapValues" -> in.texts(stream.flatMapValues((k, v) -> Functions.values(f, k, v), named));
            case "selectKey" -> new Stage(stream.selectKey((k, v) -> (Object) Functions.key(f, k, v), named), 0, in.numbers());
            case "peek" -> in.with(stream.peek((k, v) -> { }, named));
            case "merge" -> in.with(stream.merge((KStream<Object, Object>) of(node, 1).made(), named));
            case "repartition" -> in.with(stream.repartition(
                Repartitioned.with(in.keys(), in.values()).withName(node.name()).withNumberOfPartitions(1)));
            case "split" -> in.with(split(node, stream));
            case "processVersions" -> new Stage(stream.process(new Dating.Supplier(node), named), 0, false);
            case "process" -> {
                stores.put(node.name(), StoreKind.PLAIN);
                yield new Stage(stream.process(new Remembering.Supplier(node), named), 0, false);
            }
            default -> throw new IllegalArgumentException(node.op());
        };
    }

    private static List<KStream<Object, Object>> split(final Node node, final KStream<Object, Object> stream) {
        final BranchedKStream<Object, Object> split = stream.split(Named.as(node.name() + "-"));
        int count = 0;
        for (final JsonNode f : node.get("preds")) {
            split.branch((k, v) -> Functions.passes(f, k, v), Branched.as("b" + count++));
        }
        final Map<String, KStream<Object, Object>> made = node.is("rest") ? split.defaultBranch(Branched.as("b" + count++)) : split.noDefaultBranch();
        final List<KStream<Object, Object>> branches = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            branches.add(made.get(node.name() + "-b" + i));
        }
        return branches;
    }

    private Stage grouped(final Node node) {
        final Stage in = of(node, 0);
        final JsonNode f = node.get("f");
        return switch (node.op()) {
            case "groupByKey" -> in.with(((KStream<Object, Object>) in.made()).groupByKey(Grouped.with(node.name(), in.keys(), in.values())));
            case "groupBy" -> new Stage(((KStream<Object, Object>) in.made()).groupBy((k, v) -> (Object) Functions.key(f, k, v),
                Grouped.with(node.name(), Stage.keySerde(0), in.values())), 0, in.numbers());
            case "toTable" -> in.with(((KStream<Object, Object>) in.made()).toTable(Named.as(node.name()), store(node, in.windowMs(), in.numbers())));
            default -> node.json().has("windows") ? windowed(node, in) : aggregated(node, in);
        };
    }

    private Stage aggregated(final Node node, final Stage in) {
        final KGroupedStream<Object, Object> group = (KGroupedStream<Object, Object>) in.made();
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        return switch (node.op()) {
            case "count" -> new Stage(emptyInitials
                ? group.aggregate(() -> null, Builder::counted, named, store(node, in.windowMs(), true))
                : group.count(named, (Materialized) store(node, in.windowMs(), true)), in.windowMs(), true);
            case "reduce" -> in.with(group.reduce((total, v) -> Functions.add(f, v, total), named, store(node, in.windowMs(), false)));
            default -> in.texts(group.aggregate(() -> initial(f), (k, v, total) -> added(f, v, total), named, store(node, in.windowMs(), false)));
        };
    }

    private Object initial(final JsonNode f) {
        return emptyInitials ? null : Functions.initial(f);
    }

    private static Object added(final JsonNode f, final Object value, final Object total) {
        return Functions.add(f, value, total == null ? Functions.initial(f) : total);
    }

    private static Object counted(final Object key, final Object value, final Object count) {
        return count == null ? 1L : (Long) count + 1;
    }

    private Stage windowed(final Node node, final Stage in) {
        final JsonNode windows = node.get("windows");
        final long sizeMs = windows.get("size").asLong();
        final var group = ((KGroupedStream<Object, Object>) in.made()).windowedBy(TimeWindows
            .ofSizeAndGrace(Duration.ofMillis(sizeMs), Duration.ofMillis(windows.get("grace").asLong()))
            .advanceBy(Duration.ofMillis(windows.get("advance").asLong())));
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        return switch (node.op()) {
            case "count" -> new Stage(emptyInitials
                ? group.aggregate(() -> null, Builder::counted, named, windowStore(node, true))
                : group.count(named, (Materialized) windowStore(node, true)), sizeMs, true);
            case "reduce" -> new Stage(group.reduce((total, v) -> Functions.add(f, v, total), named, windowStore(node, false)), sizeMs, false);
            default -> new Stage(group.aggregate(() -> initial(f), (k, v, total) -> added(f, v, total), named, windowStore(node, false)), sizeMs, false);
        };
    }

    private Stage table(final Node node) {
        final Stage in = of(node, 0);
        final KTable<Object, Object> table = (KTable<Object, Object>) in.made();
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        switch (node.op()) {
            case "toStream":
                return in.with(table.toStream(named));
            case "suppress":
                return in.with(suppressed(node, in, table));
            case "tableFilter":
                if (node.is("not")) {
                    return in.with(node.is("stored")
                        ? table.filterNot((k, v) -> Functions.passes(f, k, v), named, store(node, in.windowMs(), in.numbers()))
                        : table.filterNot((k, v) -> Functions.passes(f, k, v), named));
                }
                return in.with(node.is("stored")
                    ? table.filter((k, v) -> Functions.passes(f, k, v), named, store(node, in.windowMs(), in.numbers()))
                    : table.filter((k, v) -> Functions.passes(f, k, v), named));
            default:
                return in.texts(node.is("stored")
                    ? table.mapValues((k, v) -> (Object) Functions.value(f, k, v), named, store(node, in.windowMs(), false))
                    : table.mapValues((k, v) -> (Object) Functions.value(f, k, v), named));
        }
    }

    private KTable<Object, Object> suppressed(final Node node, final Stage in, final KTable<Object, Object> table) {
        final KTable<Object, Object> suppressed =
            table.suppress((Suppressed) Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()).withName(node.name()));
        return copiedSuppressions
            ? suppressed.mapValues(v -> v, Materialized.<Object, Object, KeyValueStore<Bytes, byte[]>>as(node.name() + "-copy")
                .withKeySerde(in.keys()).withValueSerde(in.values()).withStoreType(Materialized.StoreType.IN_MEMORY).withCachingDisabled())
            : suppressed;
    }

    private Stage groupedTable(final Node node) {
        final Stage in = of(node, 0);
        final JsonNode f = node.get("f");
        if (node.op().equals("tableGroup")) {
            final KTable<Object, Object> table = (KTable<Object, Object>) in.made();
            return new Stage(table.groupBy(
                (k, v) -> KeyValue.pair((Object) Functions.key(node.get("key"), k, v), (Object) Functions.value(f, k, v)),
                Grouped.with(node.name(), Stage.keySerde(0), Stage.valueSerde(false))), 0, false);
        }
        final KGroupedTable<Object, Object> group = (KGroupedTable<Object, Object>) in.made();
        final Named named = Named.as(node.name());
        return switch (node.op()) {
            case "tableCount" -> new Stage(group.count(named, (Materialized) store(node, 0, true)), 0, true);
            case "tableReduce" -> new Stage(group.reduce((total, v) -> Functions.add(f, v, total), (total, v) -> Functions.subtract(f, v, total),
                named, store(node, 0, false)), 0, false);
            default -> new Stage(group.aggregate(() -> (Object) Functions.initial(f), (k, v, total) -> Functions.add(f, v, total),
                (k, v, total) -> Functions.subtract(f, v, total), named, store(node, 0, false)), 0, false);
        };
    }

    private Stage joined(final Node node) {
        final Stage left = of(node, 0);
        final Stage right = of(node, 1);
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        if (node.op().equals("tableJoin")) {
            return left.texts(joinedTables(node, left, (KTable<Object, Object>) right.made()));
        }
        final KStream<Object, Object> stream = (KStream<Object, Object>) left.made();
        if (node.op().equals("globalJoin")) {
            final GlobalKTable<Object, Object> table = (GlobalKTable<Object, Object>) right.made();
            final JsonNode key = node.get("key");
            return left.texts(node.is("left")
                ? stream.leftJoin(table, (k, v) -> (Object) Functions.key(key, k, v), (a, b) -> (Object) Functions.join(f, a, b), named)
                : stream.join(table, (k, v) -> (Object) Functions.key(key, k, v), (a, b) -> (Object) Functions.join(f, a, b), named));
        }
        final KTable<Object, Object> table = (KTable<Object, Object>) right.made();
        final Joined<Object, Object, Object> how = Joined.with(left.keys(), left.values(), right.values(), node.name());
        return left.texts(node.is("left")
            ? stream.leftJoin(table, (a, b) -> (Object) Functions.join(f, a, b), how)
            : stream.join(table, (a, b) -> (Object) Functions.join(f, a, b), how));
    }

    private KTable<Object, Object> joinedTables(final Node node, final Stage left, final KTable<Object, Object> other) {
        final KTable<Object, Object> table = (KTable<Object, Object>) left.made();
        final JsonNode f = node.get("f");
        final Named named = Named.as(node.name());
        final ValueJoiner<Object, Object, Object> joiner = (a, b) -> Functions.join(f, a, b);
        if (!node.is("stored")) {
            return node.is("left") ? table.leftJoin(other, joiner, named) : table.join(other, joiner, named);
        }
        final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> store = store(node, left.windowMs(), false);
        if (copiedJoins) {
            return (node.is("left") ? table.leftJoin(other, joiner) : table.join(other, joiner)).mapValues(v -> v, named, store);
        }
        return node.is("left") ? table.leftJoin(other, joiner, named, store) : table.join(other, joiner, named, store);
    }

    /** Notes the topic of each record as it is sent: the test driver keeps one queue a topic, and that note gives the order over all of them. */
    private Stage sink(final Node node) {
        final Stage in = of(node, 0);
        final String topic = node.topics().get(0);
        outputs.put(topic, in.keys());
        windowsOfTopics.put(topic, in.windowMs());
        final Serde<Object> noting = Serdes.serdeFrom((name, key) -> {
            sent.add(topic);
            return in.keys().serializer().serialize(name, key);
        }, in.keys().deserializer());
        final Serde<Object> printed = Serdes.serdeFrom(
            (name, value) -> value == null ? null : Serdes.String().serializer().serialize(name, value.toString()),
            (name, bytes) -> bytes);
        ((KStream<Object, Object>) in.made()).to(topic, Produced.with(noting, printed).withName("sink-" + node.name()));
        return null;
    }

    private Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> store(final Node node, final long windowMs, final boolean numbers) {
        stores.put(node.name(), StoreKind.TIMESTAMPED);
        final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> materialized =
            Materialized.<Object, Object, KeyValueStore<Bytes, byte[]>>as(node.name())
                .withKeySerde(Stage.keySerde(windowMs)).withValueSerde(Stage.valueSerde(numbers)).withStoreType(Materialized.StoreType.IN_MEMORY);
        return caching && node.is("cached") ? materialized.withCachingEnabled() : materialized.withCachingDisabled();
    }

    private Materialized<Object, Object, WindowStore<Bytes, byte[]>> windowStore(final Node node, final boolean numbers) {
        stores.put(node.name(), StoreKind.WINDOWED);
        final Materialized<Object, Object, WindowStore<Bytes, byte[]>> materialized =
            Materialized.<Object, Object, WindowStore<Bytes, byte[]>>as(node.name())
                .withKeySerde(Stage.keySerde(0)).withValueSerde(Stage.valueSerde(numbers))
                .withRetention(Duration.ofMillis(node.get("windows").get("retention").asLong()))
                .withStoreType(Materialized.StoreType.IN_MEMORY);
        return caching && node.is("cached") ? materialized.withCachingEnabled() : materialized.withCachingDisabled();
    }
}
