package weir.bench;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** Records by key: a store of as many rows as there are keys. */
final class CountedKeys implements Peer {
    private static final String STORE = "counted";

    @Override
    public Topology topology() {
        final StreamsBuilder builder = new StreamsBuilder();
        builder.stream(KEYS, Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .groupByKey()
            .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(STORE)
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()));
        return builder.build();
    }

    @Override
    public String source() {
        return KEYS;
    }

    /** One line: how many keys, and the sum of their counts. */
    @Override
    public void write(final KafkaStreams streams, final ResultFiles out) {
        final long[] keysAndSum = new long[2];
        try (KeyValueIterator<String, Long> rows = ResultFiles.<String, Long>keyValues(streams, STORE).all()) {
            rows.forEachRemaining(row -> {
                keysAndSum[0]++;
                keysAndSum[1] += row.value;
            });
        }
        out.line("counted.csv", keysAndSum[0] + "," + keysAndSum[1]);
    }
}
