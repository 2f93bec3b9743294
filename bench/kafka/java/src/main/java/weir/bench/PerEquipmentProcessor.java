package weir.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.internals.TimeWindow;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The same counts with the Processor API: one processor with one RocksDB store, whose keys are period, window start and equipment. */
final class PerEquipmentProcessor implements Peer {
    private static final String STORE = "counts";
    private static final int PREFIX = 1 + Long.BYTES;

    @Override
    public Topology topology() {
        final StoreBuilder<KeyValueStore<Bytes, Counts>> store = Stores
            .keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Counts.SERDE)
            .withCachingEnabled();
        return new Topology()
            .addSource("events", Serdes.String().deserializer(), EventType.SERDE.deserializer(), EVENTS)
            .addProcessor("counter", new ProcessorSupplier<String, Byte, Void, Void>() {
                @Override
                public Processor<String, Byte, Void, Void> get() {
                    return new Counter();
                }

                @Override
                public Set<StoreBuilder<?>> stores() {
                    return Set.of(store);
                }
            }, "events");
    }

    private static final class Counter implements Processor<String, Byte, Void, Void> {
        private final CalendarWindows[] windows =
            Arrays.stream(Period.values()).map(CalendarWindows::new).toArray(CalendarWindows[]::new);
        private KeyValueStore<Bytes, Counts> store;
        private long streamTimeMs = Long.MIN_VALUE;

        @Override
        public void init(final ProcessorContext<Void, Void> context) {
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(final Record<String, Byte> event) {
            streamTimeMs = Math.max(streamTimeMs, event.timestamp());
            final byte[] equipment = event.key().getBytes(StandardCharsets.UTF_8);
            for (int period = 0; period < windows.length; period++) {
                final TimeWindow window = windows[period].windowOf(event.timestamp());
                if (window.end() <= streamTimeMs - CalendarWindows.GRACE_MS) continue;
                final Bytes row = Bytes.wrap(ByteBuffer.allocate(PREFIX + equipment.length)
                    .put((byte) period).putLong(window.start()).put(equipment).array());
                final Counts counts = store.get(row);
                store.put(row, (counts == null ? Counts.NONE : counts).with(event.value()));
            }
        }
    }

    @Override
    public void write(final KafkaStreams streams, final ResultFiles out) {
        try (KeyValueIterator<Bytes, Counts> rows = ResultFiles.<Bytes, Counts>keyValues(streams, STORE).all()) {
            rows.forEachRemaining(row -> {
                final ByteBuffer key = ByteBuffer.wrap(row.key.get());
                final Period period = Period.values()[key.get()];
                final long startMs = key.getLong();
                out.put(period, "equipment", startMs, StandardCharsets.UTF_8.decode(key).toString(), row.value);
            });
        }
    }
}
