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
  const colon = key.indexOf(':');
  return `${csvCell(key.slice(0, colon))},${csvCell(key.slice(colon + 1))},`;
}

/** Quoted only where it must be. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The order of two keys in a file: column by column, as text, in the order of their UTF-8 bytes. So `C:10` comes before `C:2`.
 */
export function compareKeys(grouping: Grouping, a: string, b: string): number {
  if (grouping !== 'equipment') return compareText(a, b);
  const colonA = a.indexOf(':');
  const colonB = b.indexOf(':');
  return compareText(a.slice(0, colonA), b.slice(0, colonB)) || compareText(a.slice(colonA + 1), b.slice(colonB + 1));
}

/** Order by code point, which is the order of the UTF-8 bytes; that of `<` is by UTF-16 unit. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but their units lie below U+E000. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
