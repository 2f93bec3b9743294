package weir.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Where an equipment stands. */
record Place(String commune, String departement, String pdk, String region) {
    /** Valid from a moment on; a null place is nowhere. */
    private record Version(long validFromMs, Place place) {}

    /** All places of an equipment, and the message that says so. */
    record History(byte[] message, Version[] versions) {
        static final Serde<History> SERDE = Serdes.serdeFrom(
            (topic, history) -> history == null ? null : history.message,
            (topic, message) -> message == null ? null : new History(message, read(ByteBuffer.wrap(message))));

        /** The place of a moment, or null. */
        Place at(final long ms) {
            Place found = null;
            for (final Version version : versions) {
                if (version.validFromMs > ms) break;
                found = version.place;
            }
            return found;
        }
    }

    /** count: int32 | count times: validFrom: int64 | length: int32, -1 for nowhere | place: four times length: uint16 | UTF-8 */
    private static Version[] read(final ByteBuffer bytes) {
        final Version[] history = new Version[bytes.getInt()];
        for (int i = 0; i < history.length; i++) {
            final long validFromMs = bytes.getLong();
            final boolean nowhere = bytes.getInt() < 0;
            history[i] = new Version(validFromMs,
                nowhere ? null : new Place(text(bytes), text(bytes), text(bytes), text(bytes)));
        }
        return history;
    }

    private static String text(final ByteBuffer bytes) {
        final byte[] utf8 = new byte[bytes.getShort() & 0xffff];
        bytes.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
