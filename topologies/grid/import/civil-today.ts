import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';

/** The civil date of now in a zone, `YYYYMMDD`. */
export function civilToday(zone: string): string {
  return formatCivilDate(Zone.of(zone).dayOf(Date.now())).replaceAll('-', '');
}
