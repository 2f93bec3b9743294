/** A column of a table. */
export interface Column {
  readonly title: string;
  /** @defaultValue right if every cell of the column is a number, else left */
  readonly align?: 'left' | 'right';
}

/** What a cell can hold. Undefined and null are empty. */
export type Cell = string | number | boolean | null | undefined;

const ascii: RegExp = /^[\x20-\x7e]*$/;
const wide: RegExp =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
let graphemes: Intl.Segmenter | undefined;

/** Columns of a terminal that a text fills: a letter with its accents fills 1 however it is encoded, a CJK letter 2. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  graphemes ??= new Intl.Segmenter();
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** Text that cannot move the cursor or break a line: control characters are written as `\x1b`. */
function printable(text: string): string {
  if (ascii.test(text)) return text;
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\x${c.codePointAt(0)!.toString(16).padStart(2, '0')}`);
}

/**
 * Rows as aligned text: a line of titles, then one line for each row, columns two spaces apart.
 *
 * Numbers are written as JavaScript does, without thousands separators, so that a program can read them back; they are aligned right.
 */
export function formatTable(columns: readonly (Column | string)[], rows: readonly (readonly Cell[])[]): string {
  const heads = columns.map((column) => (typeof column === 'string' ? { title: column } : column));
  const texts = rows.map((row) => heads.map((_, i) => printable(String(row[i] ?? ''))));
  const layouts = heads.map((head: Column, i) => {
    let width = displayWidth(head.title);
    for (const cells of texts) width = Math.max(width, displayWidth(cells[i]!));
    const numeric = rows.length > 0 && rows.every((row) => typeof row[i] === 'number');
    return { width, right: (head.align ?? (numeric ? 'right' : 'left')) === 'right' };
  });
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => {
      const { width, right } = layouts[i]!;
      const space = ' '.repeat(width - displayWidth(cell));
      return right ? space + cell : cell + space;
    });
    return `${padded.join('  ').trimEnd()}\n`;
  };
  return [line(heads.map((head) => head.title)), ...texts.map(line)].join('');
}
