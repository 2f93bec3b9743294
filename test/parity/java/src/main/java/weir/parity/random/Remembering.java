package weir.parity.random;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** A processor that adds each value to its key's row, forgets rows now and then, and may tick. */
final class Remembering implements Processor<Object, Object, Object, Object> {
    private final Node node;
    private ProcessorContext<Object, Object> context;
    private KeyValueStore<String, String> store;

    private Remembering(final Node node) {
        this.node = node;
    }

    @Override
    public void init(final ProcessorContext<Object, Object> processorContext) {
        context = processorContext;
        store = context.getStateStore(node.name());
        if (node.number("every") > 0) {
            context.schedule(Duration.ofMillis(node.number("every")), PunctuationType.STREAM_TIME, this::tick);
        }
    }

    @Override
    public void process(final Record<Object, Object> record) {
        final JsonNode f = node.get("f");
        final String key = record.key() == null ? "none" : Functions.text(record.key());
        final String before = store.get(key);
        final String total = Functions.add(f, record.value(), before == null ? Functions.initial(f) : before);
        store.put(key, total);
        final long at = Math.max(0, record.timestamp() + node.number("shift"));
        context.forward(new Record<>(key, total, at));
        if (node.is("twice")) {
            context.forward(new Record<>(record.key() == null ? null : Functions.text(record.key()), before, record.timestamp()));
        }
    }

    private void tick(final long time) {
        final String ticks = store.get("#");
        final String next = String.valueOf((ticks == null ? 0 : Integer.parseInt(ticks)) + 1);
        store.put("#", next);
        context.forward(new Record<>("tick", time + ":" + next, time));
    }

    record Supplier(Node node) implements ProcessorSupplier<Object, Object, Object, Object> {
        @Override
        public Processor<Object, Object, Object, Object> get() {
            return new Remembering(node);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(node.name()), Serdes.String(), Serdes.String()));
        }
    }
}
