package weir.bench;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Map;
import org.apache.kafka.streams.kstream.Windows;
import org.apache.kafka.streams.kstream.internals.TimeWindow;

/** Tumbling windows of a calendar period in Paris: Kafka Streams itself has windows of a fixed length only. */
final class CalendarWindows extends Windows<TimeWindow> {
    static final ZoneId ZONE = ZoneId.of("Europe/Paris");
    static final long GRACE_MS = 86_400_000L;
    private static final long HOUR_MS = 3_600_000L;

    private record Found(TimeWindow window, Map<Long, TimeWindow> asMap) {}

    private final Period period;
    /** The window met last: events come in nearly ascending order. All threads share it. */
    private volatile Found last = new Found(new TimeWindow(0, 1), Map.of());

    CalendarWindows(final Period period) {
        this.period = period;
    }

    @Override
    public Map<Long, TimeWindow> windowsFor(final long timestamp) {
        return find(timestamp).asMap;
    }

    TimeWindow windowOf(final long timestamp) {
        return find(timestamp).window;
    }

    private Found find(final long timestamp) {
        final Found known = last;
        if (timestamp >= known.window.start() && timestamp < known.window.end()) return known;
        final LocalDate first = period.first(Instant.ofEpochMilli(timestamp).atZone(ZONE).toLocalDate());
        final TimeWindow window = new TimeWindow(startOf(first), startOf(period.next(first)));
        final Found found = new Found(window, Map.of(window.start(), window));
        last = found;
        return found;
    }

    private static long startOf(final LocalDate day) {
        return day.atStartOfDay(ZONE).toInstant().toEpochMilli();
    }

    /** Longest window: with an hour for the clock that goes back. */
    @Override
    public long size() {
        return period.mostDays() * 24 * HOUR_MS + HOUR_MS;
    }

    @Override
    public long gracePeriodMs() {
        return GRACE_MS;
    }
}
