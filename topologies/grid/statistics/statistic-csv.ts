import { namedLevel } from './name-lookup.ts';
import type { Grouping } from './statistic.ts';

/** The first line of a statistic's file, with its line end. The statistics by type have no column for their one group. With names a column such as `region_name` follows the id. */
export function csvHeader(grouping: Grouping, names = false): string {
  const group = grouping === 'equipment' ? 'type_equipement,id_equipement,' : grouping === 'type' ? '' : `${grouping},`;
  const name = names && namedLevel(grouping) !== undefined ? `${grouping}_name,` : '';
  return `window_start,${group}${name}type_evt,n\n`;
}

/** The cells of a key and its name, if given, with the comma after each: `C,8,` for equipment `C:8`, `13,` for a departement, nothing for type. */
export function csvGroupCells(grouping: Grouping, key: string, name?: string): string {
  if (grouping === 'type') return '';
  if (grouping !== 'equipment') return name === undefined ? `${csvCell(key)},` : `${csvCell(key)},${csvCell(name)},`;
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
