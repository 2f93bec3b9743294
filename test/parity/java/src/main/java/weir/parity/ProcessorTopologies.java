package weir.parity;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;

final class ProcessorTopologies {
    private ProcessorTopologies() {}

    static void addTo(final Map<String, Consumer<Wiring>> topologies) {
        topologies.put("process-count", ProcessorTopologies::processCount);
        topologies.put("process-versions", ProcessorTopologies::processVersions);
        topologies.put("repartition-order", ProcessorTopologies::repartitionOrder);
    }

    /** Counts records a key, and forwards a tick every {@code everyMs} of stream time. */
    private static void processCount(final Wiring w) {
        w.stores.put("seen", Wiring.StoreKind.PLAIN);
        final StoreBuilder<?> seen = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("seen"), Wiring.TEXT, Wiring.NUMBER);
        final Duration every = Duration.ofMillis(w.params.number("everyMs"));
        w.to("out", w.stream("in").process(new ProcessorSupplier<String, String, String, String>() {
            @Override
            public Processor<String, String, String, String> get() {
                return new Counter(every);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(seen);
            }
        }, Named.as("counter")));
    }

    /** Key {@code none} stands for null. A tick is key {@code tick}, value {@code TIME:SUM OF ALL COUNTS}, at the time of the punctuation. */
    private static final class Counter implements Processor<String, String, String, String> {
        private final Duration every;
        private ProcessorContext<String, String> context;
        private KeyValueStore<String, Long> seen;

        Counter(final Duration every) {
            this.every = every;
        }

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
            seen = context.getStateStore("seen");
            context.schedule(every, PunctuationType.STREAM_TIME, this::tick);
        }

        @Override
        public void process(final Record<String, String> record) {
            final String key = record.key() == null ? "none" : record.key();
            final Long before = seen.get(key);
            final long count = before == null ? 1 : before + 1;
            seen.put(key, count);
            context.forward(record.withKey(key).withValue(String.valueOf(count)));
        }

        private void tick(final long time) {
            long sum = 0;
            try (KeyValueIterator<String, Long> all = seen.all()) {
                while (all.hasNext()) {
                    final KeyValue<String, Long> entry = all.next();
                    sum += entry.value;
                }
            }
            context.forward(new Record<>("tick", time + ":" + sum, time));
        }
    }

    /** A versioned store whose history is far longer than the input, in segments of {@code segmentMs}. */
    private static void processVersions(final Wiring w) {
        final StoreBuilder<?> versions = Stores.versionedKeyValueStoreBuilder(
            Stores.persistentVersionedKeyValueStore("versions", Duration.ofHours(1), Duration.ofMillis(w.params.number("segmentMs"))),
            Wiring.TEXT, Wiring.TEXT);
        w.to("out", w.stream("in").process(new ProcessorSupplier<String, String, String, String>() {
            @Override
            public Processor<String, String, String, String> get() {
                return new Versions();
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(versions);
            }
        }, Named.as("putter")));
    }

    /** Puts each value from its record's time on, and forwards the values as of 0, 5, ..., 95, then the latest. */
    private static final class Versions implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;
        private VersionedKeyValueStore<String, String> versions;

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
            versions = context.getStateStore("versions");
        }

        @Override
        public void process(final Record<String, String> record) {
            versions.put(record.key(), record.value(), record.timestamp());
            final StringBuilder values = new StringBuilder();
            for (long asOf = 0; asOf < 100; asOf += 5) {
                values.append(text(versions.get(record.key(), asOf))).append(' ');
            }
            values.append(text(versions.get(record.key())));
            context.forward(record.withValue(values.toString()));
        }

        private static String text(final VersionedRecord<String> version) {
            return version == null ? "-" : version.value();
        }
    }

    /**
     * Two repartition topics read by one sub-topology: which one's head is next. A value {@code 1+5 2+0} becomes a record to topic {@code r1} 5 ms
     * after its own time and one to {@code r2} at its time, both there before either is read.
     */
    private static void repartitionOrder(final Wiring w) {
        final KStream<String, String> spread = w.stream("in").process(Spread::new, Named.as("spread"));
        w.to("out", through(spread, "1").merge(through(spread, "2"), Named.as("both")).merge(through(spread, "3"), Named.as("all")));
    }

    private static KStream<String, String> through(final KStream<String, String> spread, final String key) {
        return spread.filter((k, v) -> k.equals(key), Named.as("only-" + key))
            .repartition(Repartitioned.with(Wiring.TEXT, Wiring.TEXT).withName("r" + key).withNumberOfPartitions(1));
    }

    private static final class Spread implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;

        @Override
        public void init(final ProcessorContext<String, String> processorContext) {
            context = processorContext;
        }

        @Override
        public void process(final Record<String, String> record) {
            for (final String item : record.value().split(" ")) {
                final long later = Values.number(item.substring(2));
                context.forward(record.withKey(item.substring(0, 1)).withValue(item).withTimestamp(record.timestamp() + later));
            }
        }
    }
}
