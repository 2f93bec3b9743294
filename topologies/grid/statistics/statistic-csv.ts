import type { Grouping, Period } from './statistic.ts';

/** The file of a statistic, such as `day_equipment.csv`. */
export function csvFileName(period: Period, grouping: Grouping): string {
  return `${period}_${grouping}.csv`;
}

/** The first line of a statistic's file, with its line end. The statistics by type have no column for their one group. */
export function csvHeader(grouping: Grouping): string {
  const group = grouping === 'equipment' ? 'type_equipement,id_equipement,' : grouping === 'type' ? '' : `${grouping},`;
  return `window_start,${group}type_evt,n\n`;
}

/** The cells of a key, with the comma after each: `C,8,` for equipment `C:8`, `13,` for a departement, nothing for type. */
export function csvGroupCells(grouping: Grouping, key: string): string {
  if (grouping === 'type') return '';
  if (grouping !== 'equipment') return `${csvCell(key)},`;
  if (!special.test(key)) return `${key.replace(':', ',')},`;
  const colon = key.indexOf(':');
  return `${csvCell(key.slice(0, colon))},${csvCell(key.slice(colon + 1))},`;
}

/** What makes quotes necessary. */
const special = /[",\r\n]/;

/** Quoted only where it must be. */
function csvCell(text: string): string {
  return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
