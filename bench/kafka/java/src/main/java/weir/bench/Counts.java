package weir.bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** How many events of each type. Immutable: Kafka Streams hands the old one on beside the new one. */
record Counts(long c, long k, long n) {
    static final Counts NONE = new Counts(0, 0, 0);
    static final Serde<Counts> SERDE = Serdes.serdeFrom(
        (topic, counts) -> counts == null ? null : counts.bytes(),
        (topic, bytes) -> bytes == null ? null : of(ByteBuffer.wrap(bytes)));

    Counts with(final byte type) {
        return switch (type) {
            case 'C' -> new Counts(c + 1, k, n);
            case 'K' -> new Counts(c, k + 1, n);
            case 'N' -> new Counts(c, k, n + 1);
            default -> throw new IllegalArgumentException("there is no event type " + (char) type);
        };
    }

    Counts plus(final Counts more) {
        return orNull(c + more.c, k + more.k, n + more.n);
    }

    Counts minus(final Counts less) {
        return orNull(c - less.c, k - less.k, n - less.n);
    }

    /** Null deletes the row. */
    private static Counts orNull(final long c, final long k, final long n) {
        return c == 0 && k == 0 && n == 0 ? null : new Counts(c, k, n);
    }

    private byte[] bytes() {
        return ByteBuffer.allocate(24).putLong(c).putLong(k).putLong(n).array();
    }

    private static Counts of(final ByteBuffer bytes) {
        return new Counts(bytes.getLong(), bytes.getLong(), bytes.getLong());
    }
}
