package weir.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends the rows of event files to a topic, keyed by equipment, without transactions: the fast way to fill a topic. */
final class Loader {
    private static final int DATE_LENGTH = 10;
    private static final int TIME_LENGTH = 8;
    private static final long DAY_MS = 86_400_000L;

    /** A civil day without a change of the clock: its times are its start and so many seconds. */
    private record Day(String date, LocalDate civil, long startMs, boolean plain) {}

    private Day day = new Day("", LocalDate.EPOCH, 0, false);

    private Loader() {}

    static void load(final String brokers, final String topic, final Path events) throws Exception {
        final Loader loader = new Loader();
        final AtomicReference<Exception> failed = new AtomicReference<>();
        final Map<String, Object> config = Map.of("bootstrap.servers", brokers, "linger.ms", 20, "batch.size", 131_072);
        long rows = 0;
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (final Path file : filesOf(events)) {
                try (Stream<String> lines = Files.lines(file)) {
                    for (final String line : (Iterable<String>) lines.skip(1)::iterator) {
                        producer.send(loader.record(topic, line), (sent, error) -> {
                            if (error != null) failed.set(error);
                        });
                        rows++;
                    }
                }
                if (failed.get() != null) throw failed.get();
            }
            producer.flush();
        }
        if (failed.get() != null) throw failed.get();
        Figures.tell("{\"rows\":%d}", rows);
        Figures.tellUsage();
    }

    private static List<Path> filesOf(final Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".csv")).sorted().toList();
        }
    }

    /** The files must have the canonical columns, and no line breaks in fields: as those of the generator. */
    private ProducerRecord<byte[], byte[]> record(final String topic, final String line) {
        final int occurred = line.indexOf(',') + 1;
        final int arrived = line.indexOf(',', occurred) + 1;
        final int type = line.indexOf(',', arrived) + 1;
        final int equipmentType = line.indexOf(',', type) + 1;
        final int equipment = line.indexOf(',', equipmentType) + 1;
        final String id = line.substring(equipment, line.indexOf(',', equipment));
        final String key = line.substring(equipmentType, equipment - 1) + ":" + id;
        return new ProducerRecord<>(topic, null, timeOf(line, occurred),
            key.getBytes(StandardCharsets.UTF_8), line.getBytes(StandardCharsets.UTF_8));
    }

    private long timeOf(final String line, final int at) {
        if (!line.regionMatches(at, day.date, 0, DATE_LENGTH) || day.date.isEmpty()) {
            final String date = line.substring(at, at + DATE_LENGTH);
            final LocalDate civil = LocalDate.parse(date);
            final long startMs = civil.atStartOfDay(CalendarWindows.ZONE).toInstant().toEpochMilli();
            final long nextMs = civil.plusDays(1).atStartOfDay(CalendarWindows.ZONE).toInstant().toEpochMilli();
            day = new Day(date, civil, startMs, nextMs - startMs == DAY_MS);
        }
        final int time = at + DATE_LENGTH + 1;
        if (day.plain) {
            final int seconds = 3600 * number(line, time) + 60 * number(line, time + 3) + number(line, time + 6);
            return day.startMs + 1000L * seconds;
        }
        return LocalTime.parse(line.substring(time, time + TIME_LENGTH)).atDate(day.civil).atZone(CalendarWindows.ZONE)
            .toInstant().toEpochMilli();
    }

    private static int number(final String line, final int at) {
        return 10 * (line.charAt(at) - '0') + line.charAt(at + 1) - '0';
    }
}
