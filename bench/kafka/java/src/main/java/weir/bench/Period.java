package weir.bench;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.temporal.TemporalAdjusters;

/** The four window lengths. */
enum Period {
    DAY, WEEK, MONTH, YEAR;

    /** First day of the period that holds a day. */
    LocalDate first(final LocalDate day) {
        return switch (this) {
            case DAY -> day;
            case WEEK -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
            case MONTH -> day.withDayOfMonth(1);
            case YEAR -> day.withDayOfYear(1);
        };
    }

    /** First day of the next period. */
    LocalDate next(final LocalDate first) {
        return switch (this) {
            case DAY -> first.plusDays(1);
            case WEEK -> first.plusWeeks(1);
            case MONTH -> first.plusMonths(1);
            case YEAR -> first.plusYears(1);
        };
    }

    int mostDays() {
        return switch (this) {
            case DAY -> 1;
            case WEEK -> 7;
            case MONTH -> 31;
            case YEAR -> 366;
        };
    }

    /** As stores and files are named: day. */
    String lower() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
