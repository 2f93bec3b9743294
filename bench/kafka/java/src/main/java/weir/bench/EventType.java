package weir.bench;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * Of an event's message all that is counted: C, K or N of its fourth field. The message is a row of seven fields:
 * {@code 20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,}
 */
final class EventType {
    private EventType() {}

    static final Serde<Byte> SERDE = Serdes.serdeFrom(
        (topic, type) -> {
            throw new UnsupportedOperationException("events are read only");
        },
        (topic, row) -> read(row));

    private static byte read(final byte[] row) {
        int commas = 0;
        for (int i = 0; i < row.length; i++) {
            if (row[i] == ',' && ++commas == 3) return row[i + 4];
        }
        throw new IllegalArgumentException("a row has seven fields, this one " + (commas + 1));
    }
}
