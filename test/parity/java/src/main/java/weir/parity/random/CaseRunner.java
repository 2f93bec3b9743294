package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.test.TestRecord;

/** Runs one case: what was sent, what the stores hold in the end, how many records were dropped. */
final class CaseRunner {
    private static final String APPLICATION = "random";

    private CaseRunner() {}

    static ObjectNode run(final ObjectMapper mapper, final Path stateDir, final JsonNode given, final boolean caching) {
        final Builder builder = new Builder(caching, given.path("without"));
        final Topology topology = builder.build(given.get("nodes"));
        final Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
        config.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        // For joins and mappers without a store, whose values are texts, where something below them is stored.
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        final ObjectNode result = mapper.createObjectNode();
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, config)) {
            final JsonNode ranks = given.get("ranks");
            TaskOrder.set(driver, topic -> ranks.path(topic.startsWith(APPLICATION + "-") ? topic.substring(APPLICATION.length() + 1) : topic).asInt(0));
            result.set("output", pipe(mapper, builder, driver, given.get("input")));
            final ObjectNode stores = result.putObject("stores");
            builder.stores.forEach((name, kind) -> stores.set(name, rows(mapper, driver, name, kind)));
            result.put("dropped", driver.metrics().entrySet().stream()
                .filter(metric -> metric.getKey().name().equals("dropped-records-total"))
                .mapToLong(metric -> Math.round((Double) metric.getValue().metricValue())).sum());
        }
        return result;
    }

    /** Each output record: topic, key, value, timestamp, in the order of sending over all topics. */
    private static ArrayNode pipe(final ObjectMapper mapper, final Builder builder, final TopologyTestDriver driver, final JsonNode input) {
        final Map<String, TestInputTopic<String, String>> inputs = new HashMap<>();
        final Map<String, TestOutputTopic<Object, String>> outputs = new HashMap<>();
        builder.outputs.forEach((topic, keys) ->
            outputs.put(topic, driver.createOutputTopic(topic, keys.deserializer(), new StringDeserializer())));
        final ArrayNode rows = mapper.createArrayNode();
        for (final JsonNode record : input) {
            inputs.computeIfAbsent(record.get(0).asText(), topic -> driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()))
                .pipeInput(nullable(record.get(1)), nullable(record.get(2)), record.get(3).asLong());
            for (final String topic : builder.sent) {
                final TestRecord<Object, String> sent = outputs.get(topic).readRecord();
                rows.addArray().add(topic).add(shownKey(sent.key())).add(sent.value()).add(sent.timestamp());
            }
            builder.sent.clear();
        }
        return rows;
    }

    private static String nullable(final JsonNode value) {
        return value.isNull() ? null : value.asText();
    }

    private static String shownKey(final Object key) {
        if (key instanceof Windowed<?> windowed) {
            return windowed.key() + "@" + windowed.window().start() + "/" + windowed.window().end();
        }
        return (String) key;
    }

    /** Each row: key, value, and its timestamp where the store has one; sorted by key. */
    private static ArrayNode rows(final ObjectMapper mapper, final TopologyTestDriver driver, final String name, final Builder.StoreKind kind) {
        final List<ArrayNode> rows = new ArrayList<>();
        switch (kind) {
            case PLAIN -> {
                try (KeyValueIterator<Object, Object> all = driver.<Object, Object>getKeyValueStore(name).all()) {
                    all.forEachRemaining(row -> rows.add(mapper.createArrayNode().add(shownKey(row.key)).add(row.value.toString())));
                }
            }
            case TIMESTAMPED -> addTimestamped(mapper, driver.<Object, Object>getTimestampedKeyValueStore(name).all(), rows);
            case WINDOWED -> addTimestamped(mapper, driver.<Object, Object>getTimestampedWindowStore(name).all(), rows);
            default -> throw new IllegalArgumentException(kind.toString());
        }
        rows.sort(Comparator.comparing(row -> row.get(0).asText().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned));
        final ArrayNode sorted = mapper.createArrayNode();
        rows.forEach(sorted::add);
        return sorted;
    }

    private static <K> void addTimestamped(
        final ObjectMapper mapper, final KeyValueIterator<K, ValueAndTimestamp<Object>> all, final List<ArrayNode> rows) {
        try (all) {
            all.forEachRemaining(row -> rows.add(
                mapper.createArrayNode().add(shownKey(row.key)).add(row.value.value().toString()).add(row.value.timestamp())));
        }
    }
}
