import { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import type { Period } from './statistic.ts';

/** The calendar windows of a period in a zone, without grace: to name and to find windows. */
export function periodWindows(period: Period, zone: string): CalendarWindows {
  switch (period) {
    case 'day':
      return CalendarWindows.day(zone);
    case 'week':
      return CalendarWindows.isoWeek(zone);
    case 'month':
      return CalendarWindows.month(zone);
    case 'year':
      return CalendarWindows.year(zone);
  }
}
