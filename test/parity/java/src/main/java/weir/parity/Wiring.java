package weir.parity;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindowedDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedSerializer;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.kstream.internals.TimeWindow;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * What a topology is wired from: named sources, stores and sinks, all of them remembered so that the runner can read them back.
 *
 * <p>Sources are called {@code source-TOPIC}, sinks {@code sink-TOPIC}. Sinks note the topic of each record as it is sent: the test driver keeps
 * one queue a topic, and that note gives the order over all of them.
 */
final class Wiring {
    static final Serde<String> TEXT = Serdes.String();
    static final Serde<Long> NUMBER = Serdes.Long();

    enum StoreKind { PLAIN, TIMESTAMPED, WINDOWED, VERSIONED }

    final StreamsBuilder builder = new StreamsBuilder();
    final Scenario.Params params;
    /** Output topic to the deserializer of its keys. */
    final Map<String, Deserializer<?>> outputs = new LinkedHashMap<>();
    final Map<String, StoreKind> stores = new LinkedHashMap<>();
    /** Input topic to the serializer of its keys, where they are not plain texts. */
    final Map<String, Serializer<String>> inputs = new LinkedHashMap<>();
    /** Topics of the records sent since the runner last looked, oldest first. */
    final List<String> sent = new ArrayList<>();

    private final boolean caching;

    Wiring(final Scenario.Params params, final boolean caching) {
        this.params = params;
        this.caching = caching;
    }

    KStream<String, String> stream(final String topic) {
        return builder.stream(topic, Consumed.with(TEXT, TEXT).withName("source-" + topic));
    }

    KTable<String, String> table(final String topic, final String store) {
        return builder.table(topic, Consumed.with(TEXT, TEXT).withName("source-" + topic), keyValue(store, TEXT));
    }

    /** A table that keeps no rows: it cannot say what a value was before. */
    KTable<String, String> unstoredTable(final String topic) {
        return builder.table(topic, Consumed.with(TEXT, TEXT).withName("source-" + topic));
    }

    /** A table in a versioned store. */
    KTable<String, String> versionedTable(final String topic, final String store, final long historyMs) {
        stores.put(store, StoreKind.VERSIONED);
        final Materialized<String, String, KeyValueStore<Bytes, byte[]>> materialized =
            Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore(store, Duration.ofMillis(historyMs)))
                .withKeySerde(TEXT).withValueSerde(TEXT);
        return builder.table(topic, Consumed.with(TEXT, TEXT).withName("source-" + topic), materialized);
    }

    /** Windowed texts as keys, in windows of {@code sizeMs}. */
    Serde<Windowed<String>> windowedTexts() {
        return new WindowedSerdes.TimeWindowedSerde<>(TEXT, params.number("sizeMs"));
    }

    /** A table of windowed keys, which its topic's input spells as {@code a@10}: key, start of the window. */
    KTable<Windowed<String>, String> windowedTable(final String topic, final String store) {
        final long sizeMs = params.number("sizeMs");
        final Serializer<Windowed<String>> serializer = new TimeWindowedSerializer<>(TEXT.serializer());
        inputs.put(topic, (name, text) -> {
            if (text == null) {
                return null;
            }
            final int at = text.indexOf('@');
            final long start = Long.parseLong(text.substring(at + 1));
            return serializer.serialize(name, new Windowed<>(text.substring(0, at), new TimeWindow(start, start + sizeMs)));
        });
        return builder.table(topic, Consumed.with(windowedTexts(), TEXT).withName("source-" + topic), windowedKeyValue(store, TEXT));
    }

    <V> Materialized<Windowed<String>, V, KeyValueStore<Bytes, byte[]>> windowedKeyValue(final String store, final Serde<V> valueSerde) {
        stores.put(store, StoreKind.TIMESTAMPED);
        final Materialized<Windowed<String>, V, KeyValueStore<Bytes, byte[]>> materialized =
            Materialized.<Windowed<String>, V, KeyValueStore<Bytes, byte[]>>as(store).withKeySerde(windowedTexts()).withValueSerde(valueSerde);
        return caching ? materialized.withCachingEnabled() : materialized.withCachingDisabled();
    }

    GlobalKTable<String, String> globalTable(final String topic, final String store) {
        return builder.globalTable(topic, Consumed.with(TEXT, TEXT).withName("source-" + topic), keyValue(store, TEXT));
    }

    <V> Materialized<String, V, KeyValueStore<Bytes, byte[]>> keyValue(final String store, final Serde<V> valueSerde) {
        stores.put(store, StoreKind.TIMESTAMPED);
        final Materialized<String, V, KeyValueStore<Bytes, byte[]>> materialized =
            Materialized.<String, V, KeyValueStore<Bytes, byte[]>>as(store).withKeySerde(TEXT).withValueSerde(valueSerde);
        return caching ? materialized.withCachingEnabled() : materialized.withCachingDisabled();
    }

    <V> Materialized<String, V, WindowStore<Bytes, byte[]>> window(
        final String store, final Serde<V> valueSerde) {
        stores.put(store, StoreKind.WINDOWED);
        return window(store, TEXT, valueSerde);
    }

    /** A window store of any keys. Not listed among the stores unless the caller does. */
    <K, V> Materialized<K, V, WindowStore<Bytes, byte[]>> window(
        final String store, final Serde<K> keySerde, final Serde<V> valueSerde) {
        final Materialized<K, V, WindowStore<Bytes, byte[]>> materialized =
            Materialized.<K, V, WindowStore<Bytes, byte[]>>as(store)
                .withKeySerde(keySerde).withValueSerde(valueSerde).withRetention(Duration.ofMillis(params.number("retentionMs")));
        return caching ? materialized.withCachingEnabled() : materialized.withCachingDisabled();
    }

    <V> void to(final String topic, final KStream<String, V> stream) {
        outputs.put(topic, TEXT.deserializer());
        stream.to(topic, Produced.with(noting(TEXT.serializer(), TEXT.deserializer()), new PrintedSerde<V>())
            .withName("sink-" + topic));
    }

    <V> void toWindowed(final String topic, final KStream<Windowed<String>, V> stream, final long sizeMs) {
        final Deserializer<Windowed<String>> deserializer = new TimeWindowedDeserializer<>(TEXT.deserializer(), sizeMs);
        outputs.put(topic, deserializer);
        stream.to(topic, Produced.with(noting(new TimeWindowedSerializer<>(TEXT.serializer()), deserializer), new PrintedSerde<V>())
            .withName("sink-" + topic));
    }

    private <K> Serde<K> noting(final Serializer<K> serializer, final Deserializer<K> deserializer) {
        return Serdes.serdeFrom((topic, key) -> {
            sent.add(topic);
            return serializer.serialize(topic, key);
        }, deserializer);
    }

    /** Any value as its text; null stays null. */
    private static final class PrintedSerde<V> implements Serde<V> {
        @Override
        public Serializer<V> serializer() {
            return (topic, value) -> value == null ? null : TEXT.serializer().serialize(topic, value.toString());
        }

        @Override
        public Deserializer<V> deserializer() {
            throw new UnsupportedOperationException("sinks only write");
        }
    }
}
