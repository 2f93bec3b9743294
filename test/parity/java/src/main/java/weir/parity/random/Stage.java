package weir.parity.random;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.TimeWindowedDeserializer;
import org.apache.kafka.streams.kstream.TimeWindowedSerializer;

/**
 * What a node of the description has become: a stream, a table, a grouping...
 *
 * @param windowMs size of the windows of its keys; 0 for plain keys
 * @param numbers whether its values are numbers, not texts
 */
record Stage(Object made, long windowMs, boolean numbers) {
    Serde<Object> keys() {
        return keySerde(windowMs);
    }

    Serde<Object> values() {
        return valueSerde(numbers);
    }

    Stage with(final Object other) {
        return new Stage(other, windowMs, numbers);
    }

    Stage texts(final Object other) {
        return new Stage(other, windowMs, false);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Serde<Object> keySerde(final long windowMs) {
        if (windowMs == 0) {
            return (Serde) Serdes.String();
        }
        return (Serde) Serdes.serdeFrom(
            new TimeWindowedSerializer<>(Serdes.String().serializer()),
            new TimeWindowedDeserializer<>(Serdes.String().deserializer(), windowMs));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Serde<Object> valueSerde(final boolean numbers) {
        return numbers ? (Serde) Serdes.Long() : (Serde) Serdes.String();
    }
}
