package weir.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/** Files of results, such as day_equipment.csv: window start, group, type of event, number; in no order, without header. */
final class ResultFiles implements AutoCloseable {
    private final Path folder;
    private final Map<String, BufferedWriter> files = new HashMap<>();

    ResultFiles(final Path folder) {
        this.folder = folder;
    }

    static <K, V> ReadOnlyKeyValueStore<K, V> keyValues(final KafkaStreams streams, final String store) {
        return streams.store(StoreQueryParameters.fromNameAndType(store, QueryableStoreTypes.keyValueStore()));
    }

    /** All rows of a window store. */
    void writeWindows(final KafkaStreams streams, final String store, final Period period, final String grouping) {
        final var windows = streams.store(
            StoreQueryParameters.fromNameAndType(store, QueryableStoreTypes.<String, Counts>windowStore()));
        try (KeyValueIterator<Windowed<String>, Counts> rows = windows.all()) {
            rows.forEachRemaining(
                row -> put(period, grouping, row.key.window().start(), row.key.key(), row.value));
        }
    }

    void put(final Period period, final String grouping, final long startMs, final String group, final Counts counts) {
        final String start = Instant.ofEpochMilli(startMs).atZone(CalendarWindows.ZONE).toLocalDate().toString();
        final String cells = switch (grouping) {
            case "equipment" -> group.replace(':', ',') + ",";
            case "type" -> "";
            default -> group + ",";
        };
        final String file = period.lower() + "_" + grouping + ".csv";
        if (counts.c() != 0) line(file, start + "," + cells + "ev_C," + counts.c());
        if (counts.k() != 0) line(file, start + "," + cells + "ev_K," + counts.k());
        if (counts.n() != 0) line(file, start + "," + cells + "ev_N," + counts.n());
    }

    void line(final String file, final String text) {
        try {
            BufferedWriter writer = files.get(file);
            if (writer == null) {
                Files.createDirectories(folder);
                writer = Files.newBufferedWriter(folder.resolve(file));
                files.put(file, writer);
            }
            writer.write(text);
            writer.write('\n');
        } catch (final IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public void close() throws IOException {
        for (final BufferedWriter writer : files.values()) writer.close();
    }
}
