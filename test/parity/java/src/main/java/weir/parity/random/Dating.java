package weir.parity.random;

import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;

/** A processor that puts each value as a version of its key, and says which one is valid at some time before it, and which is the latest. */
final class Dating implements Processor<Object, Object, Object, Object> {
    private final Node node;
    private ProcessorContext<Object, Object> context;
    private VersionedKeyValueStore<String, String> store;

    private Dating(final Node node) {
        this.node = node;
    }

    @Override
    public void init(final ProcessorContext<Object, Object> processorContext) {
        context = processorContext;
        store = context.getStateStore(node.name());
    }

    @Override
    public void process(final Record<Object, Object> record) {
        final String key = record.key() == null ? "none" : Functions.text(record.key());
        final VersionedRecord<String> last = store.get(key);
        if (record.value() == null && last != null && last.timestamp() == record.timestamp() && !node.is("not")) {
            return;
        }
        store.put(key, Functions.text(record.value()), record.timestamp());
        final VersionedRecord<String> before = store.get(key, Math.max(0, record.timestamp() + node.number("shift")));
        final VersionedRecord<String> latest = store.get(key);
        context.forward(new Record<>(key, shown(before) + "|" + shown(latest), record.timestamp()));
    }

    private static String shown(final VersionedRecord<String> version) {
        return version == null ? "null" : version.value();
    }

    record Supplier(Node node) implements ProcessorSupplier<Object, Object, Object, Object> {
        @Override
        public Processor<Object, Object, Object, Object> get() {
            return new Dating(node);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(Stores.versionedKeyValueStoreBuilder(
                Stores.persistentVersionedKeyValueStore(node.name(), Duration.ofDays(1)), Serdes.String(), Serdes.String()));
        }
    }
}
