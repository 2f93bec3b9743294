package weir.parity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.query.MultiVersionedKeyQuery;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedRecordIterator;
import org.apache.kafka.streams.test.TestRecord;

/** Runs one scenario on the test driver. */
final class Runner {
    /** One line of the result: an output record or a row of a store. Absent fields are null. */
    record Row(String topic, String key, String value, Long timestamp, Long windowStart, Long windowEnd, Long validTo) {}

    record Result(String describe, List<Row> output, Map<String, List<Row>> stores, long dropped) {}

    private static final Comparator<Row> BY_KEY_AND_TIME = Comparator
        .<Row, byte[]>comparing(row -> row.key().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned)
        .thenComparing(row -> row.windowStart() == null ? row.timestamp() == null ? 0 : row.timestamp() : row.windowStart());

    private final Scenario scenario;
    private final Wiring wiring;

    private Runner(final Scenario scenario, final boolean caching) {
        this.scenario = scenario;
        this.wiring = Topologies.wire(scenario, caching);
    }

    static Result run(final Scenario scenario, final boolean caching) throws IOException {
        return new Runner(scenario, caching).run();
    }

    private Result run() throws IOException {
        final Path stateDir = Files.createTempDirectory("parity");
        final Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "parity");
        config.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        final var topology = wiring.builder.build();
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, config)) {
            final List<Row> output = pipe(driver);
            final Map<String, List<Row>> stores = new TreeMap<>();
            wiring.stores.forEach((name, kind) -> stores.put(name, rows(driver, name, kind)));
            return new Result(topology.describe().toString(), output, stores, dropped(driver));
        } finally {
            delete(stateDir);
        }
    }

    private List<Row> pipe(final TopologyTestDriver driver) {
        final Map<String, TestInputTopic<String, String>> inputs = new HashMap<>();
        final Map<String, TestOutputTopic<?, String>> outputs = new HashMap<>();
        wiring.outputs.forEach((topic, keys) -> outputs.put(topic, driver.createOutputTopic(topic, keys, new StringDeserializer())));
        final List<Row> rows = new ArrayList<>();
        for (final Scenario.Input record : scenario.input()) {
            inputs.computeIfAbsent(record.topic(), topic -> driver.createInputTopic(topic,
                    wiring.inputs.getOrDefault(topic, new StringSerializer()), new StringSerializer()))
                .pipeInput(record.key(), record.value(), record.timestamp());
            wiring.sent.forEach(topic -> rows.add(row(topic, outputs.get(topic).readRecord())));
            wiring.sent.clear();
        }
        outputs.forEach((topic, rest) -> {
            if (!rest.isEmpty()) {
                throw new IllegalStateException(scenario.name() + ": records left in " + topic);
            }
        });
        return rows;
    }

    private static Row row(final String topic, final TestRecord<?, String> record) {
        if (record.key() instanceof Windowed<?> key) {
            return new Row(topic, (String) key.key(), record.value(), record.timestamp(), key.window().start(), key.window().end(), null);
        }
        return new Row(topic, (String) record.key(), record.value(), record.timestamp(), null, null, null);
    }

    private List<Row> rows(final TopologyTestDriver driver, final String name, final Wiring.StoreKind kind) {
        final List<Row> rows = switch (kind) {
            case PLAIN -> plain(driver.getKeyValueStore(name));
            case TIMESTAMPED -> timestamped(driver.getTimestampedKeyValueStore(name));
            case WINDOWED -> windowed(driver.<String, Object>getTimestampedWindowStore(name).all());
            case VERSIONED -> versions(driver.getVersionedKeyValueStore(name));
        };
        rows.sort(BY_KEY_AND_TIME);
        return rows;
    }

    private static List<Row> plain(final KeyValueStore<String, Object> store) {
        final List<Row> rows = new ArrayList<>();
        try (KeyValueIterator<String, Object> all = store.all()) {
            all.forEachRemaining(entry -> rows.add(new Row(null, entry.key, entry.value.toString(), null, null, null, null)));
        }
        return rows;
    }

    private static List<Row> timestamped(final KeyValueStore<Object, ValueAndTimestamp<Object>> store) {
        final List<Row> rows = new ArrayList<>();
        try (KeyValueIterator<Object, ValueAndTimestamp<Object>> all = store.all()) {
            all.forEachRemaining(entry -> {
                final String value = entry.value.value().toString();
                final long timestamp = entry.value.timestamp();
                rows.add(entry.key instanceof Windowed<?> key
                    ? new Row(null, (String) key.key(), value, timestamp, key.window().start(), key.window().end(), null)
                    : new Row(null, (String) entry.key, value, timestamp, null, null, null));
            });
        }
        return rows;
    }

    private static List<Row> windowed(final KeyValueIterator<Windowed<String>, ValueAndTimestamp<Object>> iterator) {
        final List<Row> rows = new ArrayList<>();
        try (iterator) {
            while (iterator.hasNext()) {
                final KeyValue<Windowed<String>, ValueAndTimestamp<Object>> entry = iterator.next();
                rows.add(new Row(null, entry.key.key(), entry.value.value().toString(), entry.value.timestamp(),
                    entry.key.window().start(), entry.key.window().end(), null));
            }
        }
        return rows;
    }

    /** A versioned store cannot be listed: it is asked for the versions of every key of its topic. What its history no longer covers is left out. */
    private List<Row> versions(final StateStore store) {
        final List<Scenario.Input> input = scenario.input().stream()
            .filter(record -> record.topic().equals("table") && record.key() != null).toList();
        final long storeTime = input.stream().mapToLong(Scenario.Input::timestamp).max().orElse(0);
        final long oldest = storeTime - scenario.params().number("historyMs");
        final List<Row> rows = new ArrayList<>();
        input.stream().map(Scenario.Input::key).distinct().forEach(key -> {
            final MultiVersionedKeyQuery<String, String> query = MultiVersionedKeyQuery.withKey(key);
            try (VersionedRecordIterator<String> versions =
                     store.query(query, PositionBound.unbounded(), new QueryConfig(false)).getResult()) {
                versions.forEachRemaining(version -> rows.add(
                    new Row(null, key, version.value(), version.timestamp(), null, null, version.validTo().orElse(null))));
            }
        });
        rows.removeIf(row -> row.validTo() != null && row.validTo() <= oldest);
        return rows;
    }

    private static long dropped(final TopologyTestDriver driver) {
        return driver.metrics().entrySet().stream()
            .filter(metric -> metric.getKey().name().equals("dropped-records-total"))
            .mapToLong(metric -> Math.round((Double) metric.getValue().metricValue()))
            .sum();
    }

    private static void delete(final Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (final Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
